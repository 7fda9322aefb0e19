"""Remember when each table was last cleared of old rows, so that operators can see that it happens."""

import time

from django.utils import timezone

from audit.operations import note_clearing

# Seconds. Some tables are cleared at every other request, and one note a minute says as much.
PAUSE = 60.0

_noted: dict[str, float] = {}


def cleared(table: str, rows: int) -> None:
    """Note that so many old rows of a table are gone; at most once a minute in each process, and never for none."""
    now = time.monotonic()
    if rows and now - _noted.get(table, float("-inf")) >= PAUSE:
        _noted[table] = now
        note_clearing(table, timezone.now(), rows)


def forget() -> None:
    """Begin empty, as a new process does."""
    _noted.clear()
