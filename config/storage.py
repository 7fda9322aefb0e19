"""How much the tables hold that grow with traffic and time, for operators."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from audit.models import Clearing

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Growing:
    """A table that grows, and what keeps it small. `time` is the column with a row's beginning, or its end when `ends`:
    of such a row nobody knows how old it is, only when it may go."""

    model: str
    name: str
    time: str
    kept: str
    ends: bool = False


def growing() -> list[Growing]:
    """Return the tables to look after."""
    logs, usage = settings.GATEHOUSE_LOG_DAYS, settings.GATEHOUSE_USAGE_DAYS
    return [
        Growing("tokens.LogEntry", "Log of requests", "at", f"{logs} days"),
        Growing("tokens.UsageBucket", "Usage, by the hour", "hour", f"{usage} days"),
        Growing("tokens.QuotaCounter", "Quota counters", "started_at", "2 days"),
        Growing("tokens.UsedAssertion", "Client assertions seen", "expires_at", "Until they expire", ends=True),
        Growing("tokens.RevokedToken", "Tokens revoked one by one", "expires_at", "Until they expire", ends=True),
        Growing("tokens.AuthorizationCode", "Authorization codes", "created", "Until they expire"),
        Growing("tokens.RefreshToken", "Refresh tokens", "created", "Until they expire"),
        Growing("audit.Event", "Activity", "at", "Always: it is the history"),
        Growing("sessions.Session", "Sign-ins", "expire_date", "Until they expire", ends=True),
    ]


@dataclass(frozen=True)
class Stored:
    """What a table holds now. size: bytes with its indexes; day: rows of the last 24 hours. None: nobody knows."""

    name: str
    kept: str
    rows: int
    size: int | None
    oldest: datetime.datetime | None
    first_end: datetime.datetime | None
    day: int | None
    cleared: Clearing | None


def stored() -> list[Stored]:
    """Return every table that grows. One query for each, and two for all."""
    sizes, clearings = table_sizes(), {clearing.table: clearing for clearing in Clearing.objects.all()}
    return [*_models(sizes, clearings), _cache(sizes)]


def database_size() -> int:
    """Return the bytes of the whole database."""
    if connection.vendor == "postgresql":
        return _one("SELECT pg_database_size(current_database())")
    return _one("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")


def table_sizes() -> dict[str, int]:
    """Return the bytes of each table with its indexes; nothing where the database cannot tell."""
    if connection.vendor == "postgresql":
        statement = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
    else:
        # Indexes under the name of their table.
        statement = (
            "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_master USING (name)"
            " WHERE dbstat.aggregate = TRUE GROUP BY tbl_name"
        )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            return dict(cursor.fetchall())
    except DatabaseError:
        # Not every SQLite is built with dbstat.
        return {}


def _models(sizes: dict[str, int], clearings: dict[str, Clearing]) -> Iterator[Stored]:
    since = timezone.now() - DAY
    for table in growing():
        model = apps.get_model(table.model)
        found: dict[str, Any] = model._default_manager.order_by().aggregate(
            rows=models.Count("pk"),
            first=models.Min(table.time),
            day=models.Count("pk", filter=models.Q(**{f"{table.time}__gte": since})),
        )
        name = model._meta.db_table
        yield Stored(
            name=table.name,
            kept=table.kept,
            rows=found["rows"],
            size=sizes.get(name),
            oldest=None if table.ends else found["first"],
            first_end=found["first"] if table.ends else None,
            day=None if table.ends else found["day"],
            cleared=clearings.get(name),
        )


def _cache(sizes: dict[str, int]) -> Stored:
    """Return the cache's own table, which has no model."""
    return Stored(
        name="Cache",
        kept="Until it expires",
        rows=_one("SELECT COUNT(*) FROM cache") if not settings.GATEHOUSE_COUNTERS_IN_CACHE else 0,
        size=sizes.get("cache"),
        oldest=None,
        first_end=None,
        day=None,
        cleared=None,
    )


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
