"""The one way to write history, and the note of what was cleared away."""

import datetime
from typing import Any

from django.utils import timezone

from audit.actors import Actor
from audit.models import Clearing, Event

# Whatever a caller passes, a value under such a name never reaches the history.
SECRET_WORDS = ("secret", "password", "private", "token_hash", "assertion")
PUBLIC_NAMES = {"token_endpoint_auth_method"}


def record(
    tenant: str,
    by: Actor,
    type: str,
    target_type: str,
    target_id: str,
    target_name: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **facts: Any,
) -> Event:
    """Return the new last event of the tenant's chain.

    The caller holds the tenant's row locked in the same transaction, which is what keeps the chain in one piece; the
    unique place in the chain is the last word. `before` and `after` hold the fields that changed, as JSON values.
    """
    last = Event.objects.of(tenant).newest_first().first()
    details: dict[str, Any] = {name: _plain(value) for name, value in facts.items()}
    if before:
        details["before"] = _without_secrets(before)
    if after:
        details["after"] = _without_secrets(after)
    event = Event(
        tenant=tenant,
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        type=type,
        actor_id=by.id,
        actor_name=by.name[:255],
        target_type=target_type,
        target_id=target_id,
        target_name=target_name[:600],
        ip=plain_address(by.ip),
        user_agent=by.user_agent[:400],
        details=details,
        previous_hash=last.hash if last else "",
    )
    event.hash = event.digest()
    event.save(force_insert=True)
    return event


def note_clearing(table: str, at: datetime.datetime, rows: int) -> None:
    """Keep when old rows of a table were last cleared away, and how many."""
    Clearing.objects.update_or_create(table=table, defaults={"at": at, "rows": rows})


def plain_address(text: str) -> str | None:
    """Return an IP address as the database stores it, so that a hash over it still fits when it is read back."""
    address = text.partition("%")[0]
    return Event._meta.get_field("ip").get_prep_value(address) if address else None


def _without_secrets(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: "(hidden)" if name not in PUBLIC_NAMES and any(word in name for word in SECRET_WORDS) else _plain(value)
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
