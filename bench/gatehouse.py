"""A Gatehouse of our own to measure: a data directory made for it, and its server as `bin/serve` starts it."""

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import load, servers
from bench.machine import ROOT


@dataclass(frozen=True)
class House:
    """A filled data directory. `database` is the address of PostgreSQL, or None for SQLite."""

    folder: Path
    environment: dict[str, str]
    port: int
    database: str | None

    @property
    def stored_in(self) -> str:
        return "PostgreSQL" if self.database else "SQLite"

    def bodies(self, alg: str) -> list[str]:
        return load.lines_of(self.folder / f"{alg}.txt")

    def run(self, module: str, *arguments: str, timeout: float) -> str:
        """Return what a program of the benchmark prints that works inside this Gatehouse."""
        found = subprocess.run(
            servers.python(module, *arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if found.returncode:
            raise RuntimeError(f"{module}: {found.stderr[-2000:]}")
        return found.stdout

    @contextlib.contextmanager
    def serving(self, workers: int, cores: list[int] | None = None) -> Iterator[servers.Server]:
        """Serve it."""
        command = servers.python("config.serve", "--port", str(self.port), "--workers", str(workers))
        log = self.folder / "server.log"
        with servers.running(command, self.port, "/readyz", self.environment, log, cores) as server:
            yield server

    def bytes(self) -> int:
        """Return how many bytes the database holds."""
        if self.database:
            import psycopg

            with psycopg.connect(self.database) as connection:
                row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(row[0]) if row else 0
        with contextlib.closing(sqlite3.connect(self.folder / "gatehouse.sqlite3", timeout=20)) as connection:
            pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return pages * size


@contextlib.contextmanager
def house(database: str | None, applications: int = 10) -> Iterator[House]:
    """Make and fill a data directory; it is gone afterwards. A PostgreSQL database is emptied first."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    port = servers.free_port()
    environment = {
        **servers.plain_environment(),
        "GATEHOUSE_DATA": str(folder),
        "GATEHOUSE_ISSUER": f"http://localhost:{port}/",
        **({"DATABASE_URL": database} if database else {}),
    }
    try:
        if database:
            _empty(database)
        made = House(folder, environment, port, database)
        made.run("bench.house", str(folder), str(applications), timeout=600)
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _empty(database: str) -> None:
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
