"""Prepare this installation and serve it: what `bin/serve` runs, as `python -m config.serve`.

Anything in the way is one line on standard error and exit code 1. SIGTERM and Ctrl-C end it with exit code 0, also
while it is still preparing.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


def stop_quietly(number: int, frame: Any) -> NoReturn:
    """End a start that is not serving yet. Nothing needs undoing: what is not committed did not happen."""
    os.write(1, b"\nStopped.\n")
    os._exit(0)


if __name__ == "__main__":
    # Before the slower imports, which take long enough for somebody to change their mind.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, stop_quietly)
    # bin/serve holds them back until here.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})

import argparse  # noqa: E402

from config import options as asked  # noqa: E402
from config.options import CannotStart  # noqa: E402


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop. Returns the exit code when it cannot start."""
    try:
        options = asked.read(arguments)
        # What is stored is for the server's own user, whatever the folder's mode was.
        os.umask(0o077)
        sockets = asked.bind(options.host, options.port)
        asked.make_data_directory(options.data)
        if options.only_check:
            return 0
        lines = prepare(options)
        print("\n".join(lines), flush=True)
        serve(asked.listen(sockets, options.host, options.port), options.workers)
    except CannotStart as refusal:
        print(f"bin/serve: {refusal}", file=sys.stderr)
        return 1


def prepare(options: argparse.Namespace) -> list[str]:
    """Make database, static files, first tenant and keys as needed. Returns the lines to greet with."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["GATEHOUSE_DATA"] = str(options.data)
    os.environ["GATEHOUSE_ISSUER"] = options.issuer or f"http://localhost:{options.port}/"

    import django
    from django.core.exceptions import ImproperlyConfigured, ValidationError

    try:
        django.setup()
        from django.conf import settings

        from accounts.models import Tenant, is_on_this_machine, validate_issuer

        validate_issuer(settings.GATEHOUSE_ISSUER)
    except ImproperlyConfigured as problem:
        raise CannotStart(str(problem)) from None
    except ValidationError as problem:
        raise CannotStart(f"--issuer {settings.GATEHOUSE_ISSUER}: {problem.messages[0]}") from None

    from django.db import connections

    from accounts.invitations import setup_link
    from config import preparation
    from tokens.setup import ensure_first_tenant, prepare_database

    preparation.reach_database()
    for warning in preparation.check_settings():
        print(f"Warning: {warning}", flush=True)
    with preparation.one_at_a_time():
        if preparation.migrations_missing():
            print("Preparing the database", flush=True)
            prepare_database()
        preparation.collect_static_files()
        before = Tenant.objects.order_by("id").values_list("issuer", flat=True).first()
        if before not in {None, settings.GATEHOUSE_ISSUER} and not options.issuer and not is_on_this_machine(before):
            raise CannotStart(
                f"the issuer is {before}, and every token names it. Start with --issuer {before}, "
                f"or move it on purpose with --issuer http://localhost:{options.port}/"
            )
        try:
            tenant = ensure_first_tenant(settings.GATEHOUSE_ISSUER)
        except ValidationError as problem:
            raise CannotStart(f"the issuer {settings.GATEHOUSE_ISSUER}: {' '.join(problem.messages)}") from None
        if before and before != tenant.issuer:
            print(f"The issuer was {before} and is {tenant.issuer} now. Tokens issued before name the old one.")
        if options.demo:
            from tokens import demo

            demo.fill(tenant)
        link = setup_link(tenant)
    connections.close_all()
    return greeting(options, tenant, link)


def greeting(options: argparse.Namespace, tenant: Any, link: str | None) -> list[str]:
    """Return the lines that say where things are and what to do next."""
    from django.conf import settings
    from django.db import connection

    console = settings.GATEHOUSE_CONSOLE_URL
    stored = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    lines = [
        "",
        "Gatehouse",
        "",
        f"  Console   {console}",
        f"  Issuer    {tenant.issuer}",
        f"  Listens   http://{options.host}:{options.port}/",
        f"  Data      {options.data} ({stored})",
        "  Stop      Ctrl-C",
        "",
    ]
    if link:
        lines += ["  Create the first admin with this link. It works once:", f"  {console.rstrip('/')}{link}", ""]
    return lines


def serve(sockets: Sequence[int], workers: int) -> NoReturn:
    """Hand over to granian. "Ready" is said when requests are taken, not before."""
    from config.web_server import WebServer

    WebServer(sockets, workers, ready=lambda: print("Ready.", flush=True)).run()
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
