"""The frame of every operation: one transaction, one audit event, one step of the tenant's `config_version`."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone

from accounts.constraints import refusal_of
from accounts.models import Tenant
from accounts.versions import versions
from audit.actors import Actor
from audit.operations import record


class Change:
    """What one operation did, to be written into the history when its transaction ends."""

    def __init__(self) -> None:
        self.event: dict[str, Any] | None = None
        self.narrows = False

    def done(self, type: str, target: Any, **details: Any) -> None:
        """Say what happened: `done("api.updated", api, before=…, after=…)`. Exactly once per operation."""
        if self.event is not None:
            raise RuntimeError("An operation leaves exactly one event.")
        self.event = {"type": type, **target_of(target), **details}

    def takes_away(self) -> None:
        """Say that somebody may do less from now on: who made the change hears of it when every process follows it."""
        self.narrows = True


@contextmanager
def change(tenant: Tenant, by: Actor) -> Iterator[Change]:
    """Run the body in one transaction that holds the tenant's row, bumps its version and writes its one event.

    Locking the tenant first makes the changes of one tenant queue up: that keeps the audit chain in one piece and
    makes "look, then write" safe inside an operation. Raises whatever the body raises; then nothing is stored. What
    only the database refused is raised as the ValidationError that the model's rule would have been.
    """
    with refusing():
        if not Tenant.objects.filter(pk=tenant.pk).update(config_version=F("config_version") + 1):
            raise ValidationError("This tenant no longer exists.", code="gone")
        work = Change()
        yield work
        if work.event is None:
            raise RuntimeError("An operation leaves exactly one event.")
        record(tenant.name, by, **work.event)
        # Whoever asks this process next looks at what has just been stored.
        transaction.on_commit(versions.forget)
        if work.narrows:
            transaction.on_commit(versions.settle)


@contextmanager
def refusing() -> Iterator[None]:
    """Run the body in a transaction. What only the database refused is raised as the ValidationError of that rule."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def target_of(thing: Any) -> dict[str, str]:
    """Return how the history names `thing`: its `audit_target()` if it has one."""
    if hasattr(thing, "audit_target"):
        kind, identity, name = thing.audit_target()
    else:
        kind, identity, name = thing._meta.verbose_name, thing.pk, thing
    return {"target_type": str(kind), "target_id": str(identity), "target_name": str(name)}


def values_of(thing: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """Return the named fields as they are now, for `before` and `after`."""
    return {name: getattr(thing, name) for name in names}


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return `{"before": …, "after": …}` reduced to the fields that differ."""
    changed = [name for name in after if before.get(name) != after[name]]
    return {"before": {n: before.get(n) for n in changed}, "after": {n: after[n] for n in changed}}


def assign(thing: models.Model, fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Set `fields` on `thing` and return the difference. The caller validates and saves."""
    before = values_of(thing, fields)
    for name, value in fields.items():
        setattr(thing, name, value)
    return difference(before, values_of(thing, fields))


def stamp(before: datetime.datetime | None) -> datetime.datetime:
    """Return now as the moment before which what was issued is revoked; never earlier than the stamp of `before`.

    A clock that was set back must not bring anything back to life.
    """
    now = timezone.now()
    return now if before is None else max(now, before)


def lock(thing: Any, revision: int | None = None) -> Any:
    """Return `thing` fresh from the database and locked until the transaction ends.

    revision: the one the editor saw. Raises ValidationError with code "stale" when somebody saved in between, and
    with code "gone" when the row has been deleted.
    """
    fresh = type(thing)._default_manager.select_for_update().filter(pk=thing.pk).first()
    if fresh is None:
        raise ValidationError(f"This {thing._meta.verbose_name} no longer exists.", code="gone")
    if revision is not None and fresh.revision != revision:
        raise stale()
    return fresh


def stale() -> ValidationError:
    """Return the refusal for somebody who saves what somebody else has saved in between."""
    return ValidationError(
        "Somebody else saved this page after you opened it. Your values are still in the form: "
        "compare them with the saved ones below, then save again to replace those.",
        code="stale",
    )
