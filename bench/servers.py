"""Start what is measured, on the loopback address, wait until it answers, count its processor time, and stop it."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.load import pin
from bench.machine import ROOT

LONGEST_START = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: int
    port: int

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu(self) -> float:
        """Return the seconds of processor time that it and its children have used; 0 where nobody can tell."""
        return sum(_cpu(process) for process in [self.process, *_children(self.process)])


def plain_environment() -> dict[str, str]:
    """Return the environment without what would point at another installation."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GATEHOUSE_", "DJANGO_")) and name not in {"DATABASE_URL", "CACHE_URL"}
    }


@contextlib.contextmanager
def running(
    command: list[str], port: int, path: str, environment: dict[str, str], log: Path, cores: list[int] | None = None
) -> Iterator[Server]:
    """Run a server until the block ends. It is ready when a GET of `path` gets any answer below 500."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=(lambda: pin(cores)) if cores else None,
        )
    try:
        _wait(process, port, path, log)
        yield Server(process.pid, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended: {log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            if connection.getresponse().status < 500:
                return
        time.sleep(0.1)
    raise RuntimeError(f"The server does not answer: {log.read_text(errors='replace')[-2000:]}")


def _children(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_children(child)]
    return found


def _cpu(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


@contextlib.contextmanager
def postgresql() -> Iterator[str | None]:
    """Run a PostgreSQL server of our own with its ordinary settings; yield its address, or None where there is none.

    It listens on a socket in a folder that only its user can enter.
    """
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    user = _server_user()
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=200"
    try:
        try:
            if user:
                shutil.chown(folder, user)
            _as(user, [f"{programs}/initdb", "-D", f"{folder}/data", "-U", "gatehouse", "-A", "trust", "-E", "UTF8"])
            start = ["-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start"]
            _as(user, [f"{programs}/pg_ctl", *start])
        except (subprocess.SubprocessError, OSError) as problem:
            print(f"PostgreSQL is left out: {problem}", file=sys.stderr)
            yield None
            return
        try:
            yield f"postgres://gatehouse@/postgres?host={folder}"
        finally:
            _as(user, [f"{programs}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    candidates = [Path(found).parent for found in [shutil.which("pg_ctl")] if found]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for pattern in ("/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"):
        candidates += sorted(Path("/").glob(pattern[1:]), reverse=True)
    return next(
        (folder for folder in candidates if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None
    )


def _server_user() -> str:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    known = subprocess.run(["id", "postgres"], capture_output=True, timeout=10).returncode == 0
    return "postgres" if known else "nobody"


def _as(user: str, command: list[str]) -> None:
    prefix = ["runuser", "-u", user, "--"] if user else []
    subprocess.run(
        [*prefix, *command],
        check=True,
        timeout=120,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
