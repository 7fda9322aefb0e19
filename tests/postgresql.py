"""A PostgreSQL server of a test's own, to be stopped and started again."""

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PLACES = ["/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"]


class Cluster:
    """A server in a folder that only its own user can enter: nobody else needs to be kept out by a password."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._as: list[str] = []
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            user = "postgres" if subprocess.run(["id", "postgres"], capture_output=True).returncode == 0 else "nobody"
            shutil.chown(folder, user)
            self._as = ["runuser", "-u", user, "--"]
        self._run("initdb", "-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        return f"postgres://gatehouse@/postgres?host={self._folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        self._run("pg_ctl", "-l", str(self._folder / "log"), "-w", "-t", "60", "-o", options, "start")

    def stop(self) -> None:
        """End it as a power cut does."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        # Its output goes nowhere: the server would keep a pipe open, and be waited for.
        subprocess.run(
            command, cwd=self._folder, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give a running server. Skips the test where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("No initdb and pg_ctl were found.")
    # Not the test's own folder: another user has to reach it, and the name of a socket has to be short.
    folder = Path(tempfile.mkdtemp())
    try:
        server = Cluster(folder, programs)
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    on_path = shutil.which("pg_ctl")
    found = [Path(on_path).parent] if on_path else []
    found += [Path(folder) for place in PLACES for folder in sorted(glob.glob(place), reverse=True)]
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)
