"""Serve the toolkit with the very server, and its settings, that serves Gatehouse.

Run as `python -m bench.peers.django_oauth_toolkit.serve PORT WORKERS`.
"""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.django_oauth_toolkit.settings"

from bench.peers.django_oauth_toolkit import wsgi
from config import options, web_server


def serve(port: int, workers: int) -> None:
    """Serve until told to stop."""
    # The server looks for its application by this name, and does not need to know that it is another one.
    sys.modules["config.wsgi"] = wsgi
    # What Gatehouse's own workers do besides answering.
    web_server._begin = web_server._end = lambda: None  # type: ignore[assignment]
    sockets = options.bind("127.0.0.1", port)
    web_server.WebServer(options.listen(sockets, "127.0.0.1", port), workers, ready=lambda: None).run()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
