"""What has to be in place before the first request: reachable database, tables, static files. Each step looks first
and does only what is missing, so that a second start is quick."""

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from config.options import CannotStart

# Any number will do, as long as every Gatehouse uses the same one for its preparation.
_ADVISORY_LOCK = 7243115


def reach_database() -> None:
    """Connect once. Raises CannotStart with the server's own first line, which never holds the password."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].strip().rstrip(".")
        if connection.vendor == "sqlite":
            raise CannotStart(
                f"the database file {settings.DATABASES['default']['NAME']} cannot be used ({reason}). "
                "Set GATEHOUSE_DATA to a folder that this user may write to."
            ) from None
        raise CannotStart(f"the database is not reachable ({reason}). Start it, or correct DATABASE_URL.") from None


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold back other starts on the same data directory or database while this one makes tables and keys."""
    with open(settings.GATEHOUSE_DATA / ".prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            # Asked for again and again, because the connection's lock_timeout would end a single long wait.
            while not _one(cursor, "SELECT pg_try_advisory_lock(%s)"):
                time.sleep(0.2)
            try:
                yield
            finally:
                if connection.is_usable():
                    _one(cursor, "SELECT pg_advisory_unlock(%s)")


def _one(cursor: Any, statement: str) -> bool:
    cursor.execute(statement, [_ADVISORY_LOCK])
    return bool(cursor.fetchone()[0])


def check_settings() -> list[str]:
    """Run the system checks that need no database. Returns the warnings, a line each; raises CannotStart on errors."""
    found = [message for message in checks.run_checks() if not message.is_silenced()]
    errors = [_line(message) for message in found if message.level >= checks.ERROR]
    if errors:
        raise CannotStart("these settings must be corrected first:\n  " + "\n  ".join(errors))
    return [_line(message) for message in found if message.level >= checks.WARNING]


def _line(message: checks.CheckMessage) -> str:
    words = [f"{message.msg}", f"{message.hint or ''}", f"({message.id})"]
    return " ".join(" ".join(word.split()) for word in words if word)


def migrations_missing() -> bool:
    """Tell whether the tables are behind the code."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static_files() -> None:
    """Put the hashed, compressed static files where they are served from, unless they are there already."""
    stamp = settings.GATEHOUSE_DATA / "static.stamp"
    content = _static_fingerprint()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == content:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(content, encoding="ascii")


def _static_fingerprint() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for finder in get_finders():
        for name, storage in finder.list(["CVS", ".*", "*~"]):
            with storage.open(name) as file:
                digest.update(name.encode() + b"\0" + hashlib.blake2b(file.read()).digest())
    return digest.hexdigest()
