"""The history of a tenant as its page shows it: newest first, by day, each event as a sentence with what changed."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from accounts.sentences import icon_of, parts_of, value_in_words
from audit.models import Event

PER_PAGE = 50
LAST_PLACE = 2**63 - 1

Links = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Change:
    """One field that an event touched. A side that the event does not have is None."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Entry:
    """One event: its sentence in pieces, its picture, the page of what it was about, what changed, and other facts."""

    event: Event
    parts: list[tuple[str, str]]
    icon: str
    target_url: str
    changes: list[Change]
    facts: list[tuple[str, str]]

    @classmethod
    def of(cls, tenant: Tenant, event: Event, links: Links | None = None) -> "Entry":
        links = _links(tenant, [event]) if links is None else links
        return cls(
            event=event,
            parts=parts_of(event),
            icon=icon_of(event),
            target_url=links.get((event.target_type, event.target_id), ""),
            changes=_changes(event.details),
            facts=[
                (_label(name), value_in_words(value))
                for name, value in event.details.items()
                if name not in {"before", "after"}
            ],
        )


@dataclass(frozen=True)
class Page:
    """Some entries by day, and the places in the chain that the pages beside it begin at (None: there is none)."""

    days: list[tuple[str, list[Entry]]]
    newer: int | None
    older: int | None


def page_of(tenant: Tenant, events: models.QuerySet[Event], asked: Mapping[str, str]) -> Page:
    """Return the page of `events` that the address asks for with `before` or `after`, places in the chain."""
    before, after = _place(asked.get("before")), _place(asked.get("after"))
    if after is not None:
        rows = list(events.filter(sequence__gt=after).order_by("sequence")[: PER_PAGE + 1])
        more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE][::-1]
        has_newer, has_older = more, True
    else:
        earlier = events.filter(sequence__lt=before) if before is not None else events
        rows = list(earlier.order_by("-sequence")[: PER_PAGE + 1])
        has_newer, has_older = before is not None, len(rows) > PER_PAGE
        rows = rows[:PER_PAGE]
    return Page(
        days=_days(tenant, rows),
        newer=rows[0].sequence if rows and has_newer else None,
        older=rows[-1].sequence if rows and has_older else None,
    )


def _place(text: str | None) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return min(int(text), LAST_PLACE)


def _days(tenant: Tenant, events: list[Event]) -> list[tuple[str, list[Entry]]]:
    links = _links(tenant, events)
    return [
        (_day(day), [Entry.of(tenant, event, links) for event in of_day])
        for day, of_day in groupby(events, lambda event: event.at.astimezone(datetime.UTC).date())
    ]


def _day(day: datetime.date) -> str:
    today = timezone.now().astimezone(datetime.UTC).date()
    names = {today: "Today", today - datetime.timedelta(days=1): "Yesterday"}
    return names.get(day, f"{day.day} {day:%B %Y}")


def _changes(details: dict[str, Any]) -> list[Change]:
    before, after = details.get("before", {}), details.get("after", {})
    return [
        Change(
            _label(name),
            value_in_words(before[name]) if name in before else None,
            value_in_words(after[name]) if name in after else None,
        )
        for name in sorted({*before, *after})
    ]


def _label(name: str) -> str:
    return name.replace("_", " ")


def _links(tenant: Tenant, events: Iterable[Event]) -> Links:
    """Return where each target that still exists has its page. One query for each kind of target, at most."""
    ids: dict[str, set[str]] = {}
    for event in events:
        ids.setdefault(event.target_type, set()).add(event.target_id)
    settings = reverse("accounts:tenant_settings", args=[tenant.name])
    links: Links = {("tenant", tenant.name): settings, ("tenant", str(tenant.pk)): settings}
    for key in ids.get("signing_key", ()):
        links["signing_key", key] = reverse("tokens:keys", args=[tenant.name])
    if found := ids.get("api"):
        for api in tenant.apis.filter(pk__in=found).values_list("pk", flat=True):
            links["api", api] = reverse("apis:settings", args=[tenant.name, api])
    if found := _numbers(ids.get("scope")):
        for scope, api in tenant.apis.filter(scopes__pk__in=found).values_list("scopes__pk", "pk"):
            links["scope", str(scope)] = reverse("apis:scopes", args=[tenant.name, api])
    if found := ids.get("application"):
        for client_id in tenant.applications.filter(client_id__in=found).values_list("client_id", flat=True):
            links["application", client_id] = reverse("applications:settings", args=[tenant.name, client_id])
    if found := ids.get("client_grant"):
        grants = tenant.client_grants.filter(pk__in=found).values_list("pk", "application__client_id")
        for grant, client_id in grants:
            links["client_grant", grant] = reverse("applications:apis", args=[tenant.name, client_id])
    if found := _numbers(ids.get("user")):
        for user in tenant.memberships.filter(user__pk__in=found).values_list("user__pk", flat=True):
            links["user", str(user)] = reverse("accounts:members", args=[tenant.name])
    return links


def _numbers(ids: set[str] | None) -> set[str]:
    return {text for text in ids or () if text.isascii() and text.isdigit()}
