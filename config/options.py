"""What `bin/serve` was asked to do: options first, then the environment, then defaults.

Only the standard library is imported, so that `bin/serve` can refuse a bad option before it installs anything.
"""

import argparse
import errno
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

BASE_DIR = Path(__file__).resolve().parent.parent


class CannotStart(Exception):
    """Something outside Gatehouse is in the way. The text is one sentence on what, and one on what to do."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CannotStart(f"{message.removeprefix('argument ')}. See bin/serve --help.")


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Return port, host, issuer ("" when not given), workers, demo, only_check and data. Raises CannotStart."""
    parser = _Parser(prog="bin/serve", add_help=False, allow_abbrev=False)
    parser.add_argument("--port", default="8000")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--issuer", default=os.environ.get("GATEHOUSE_ISSUER", ""))
    parser.add_argument("--workers", default=os.environ.get("GATEHOUSE_WORKERS", "") or "2")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--only-check", action="store_true")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise CannotStart(f"unknown option {unknown[0]}. See bin/serve --help.")

    options.port = _whole_number("--port", options.port, 1, 65535)
    options.workers = _whole_number("--workers or GATEHOUSE_WORKERS", options.workers, 1, 64)
    options.issuer = options.issuer.strip()
    options.data = Path(os.environ.get("GATEHOUSE_DATA", "").strip() or BASE_DIR / "var").expanduser().absolute()
    return options


def _whole_number(name: str, value: str, lowest: int, highest: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9 or not lowest <= int(value) <= highest:
        raise CannotStart(f"{name} must be a whole number from {lowest} to {highest}, not {value!r}.")
    return int(value)


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to the port, not listening yet: the port is ours while everything else gets ready.

    "localhost" is both 127.0.0.1 and, where the machine has it, [::1], because browsers try either.
    """
    try:
        found = [
            (family, address)
            for name in (("127.0.0.1", "::1") if host == "localhost" else (host,))
            for family, _, _, _, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        ]
    except (OSError, UnicodeError):
        raise CannotStart(
            f"--host {host} cannot be found. Use localhost, 0.0.0.0 or an address of this machine."
        ) from None
    sockets = []
    problem: OSError | None = None
    for family, address in dict.fromkeys(found):
        try:
            sockets.append(_bound(family, address))
        except OSError as error:
            # An address family that this machine has no address for is no problem as long as another one is there.
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                raise CannotStart(_port_refused(host, port, error)) from None
            problem = error
    if not sockets and problem:
        raise CannotStart(_port_refused(host, port, problem))
    return sockets


def _bound(family: int, address: Any) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def listen(sockets: Sequence[socket.socket], host: str, port: int) -> list[int]:
    """Return the file descriptors of the sockets, now listening. Somebody else may have been quicker: CannotStart."""
    for bound in sockets:
        try:
            bound.listen(2048)
        except OSError as error:
            raise CannotStart(_port_refused(host, port, error)) from None
    return [bound.detach() for bound in sockets]


def _port_refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"port {port} is taken. Stop the program that uses it, or choose another: bin/serve --port {other}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} is not open to this user ({error.strerror}). Choose one above 1023: bin/serve --port 8000"
    return f"cannot use {host} port {port} ({error.strerror}). Use localhost, 0.0.0.0 or an address of this machine."


def make_data_directory(data: Path) -> None:
    """Make the folder (mode 0700) if it is not there, and try to write into it. Raises CannotStart."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as error:
        raise CannotStart(
            f"the data directory {data} is not writable ({error.strerror}). "
            "Set GATEHOUSE_DATA to a folder that this user may write to."
        ) from None
