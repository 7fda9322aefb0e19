"""gunicorn, started from Python with the values that Gatehouse is measured with; docs/operating.md explains them."""

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

# More than the forty stalled connections that a server has to bear; a waiting thread costs next to nothing.
THREADS = 24
_STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class Log(Logger):
    """gunicorn's messages, from warnings up, in the one form that all of Gatehouse's lines have (config.logs)."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Say what went wrong, but not that somebody stopped sending in the middle of a request."""
        problem = sys.exc_info()[1]
        if not (isinstance(problem, OSError) and problem.errno == errno.EAGAIN):
            super().exception(msg, *args, **kwargs)

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Leave out what it says of a worker that a second Ctrl-C ended: that was asked for."""
        if "SIGINT" not in args:
            super().warning(msg, *args, **kwargs)


class WebServer(BaseApplication):
    """Serves Gatehouse on sockets that already listen, until SIGTERM (finishes what runs) or Ctrl-C (stops at once)."""

    def __init__(self, sockets: Sequence[int], workers: int, ready: Callable[[], None]) -> None:
        self.options: dict[str, Any] = {
            "bind": [f"fd://{number}" for number in sockets],
            "workers": workers,
            "threads": THREADS,
            "worker_class": "gthread",
            # Loaded once and shared by the workers; they start at once and a broken application stops the start.
            "preload_app": True,
            "graceful_timeout": 30,
            # Longer than the 60 s after which proxies drop an idle connection, so that they never reuse a closed one.
            "keepalive": 75,
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
            # An authorization request carries a redirect URI, scopes and state in its query.
            "limit_request_line": 8190,
            "limit_request_fields": 60,
            "control_socket_disable": True,
            "logger_class": Log,
            "when_ready": lambda arbiter: ready(),
            "post_worker_init": lambda worker: _unblock_signals(),
            # Everything has stopped; an impatient Ctrl-C must not turn that into a failure.
            "on_exit": lambda arbiter: _ignore_signals(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from config.wsgi import application

        return application

    def run(self) -> None:
        """Serve. Does not return: it leaves with SystemExit, 0 after a stop that was asked for."""
        # A worker forked a moment before SIGTERM would take it with its parent's handler and lose it, and be waited
        # for until graceful_timeout. So a fork happens with these signals held back until the worker can answer them.
        os.register_at_fork(before=_block_signals, after_in_parent=_unblock_signals)
        super().run()


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _ignore_signals() -> None:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
