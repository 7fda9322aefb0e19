"""The log of token requests: every denial and every test, and the decision behind each."""

import json
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import VIEWER, ConsoleRequest, console_page
from accounts.lookups import find_or_404, search_text
from accounts.models import Tenant
from apis.models import API, look_alikes
from tokens.errors import clean
from tokens.models import LogEntry, LogEntryQuerySet
from tokens.remedies import RULES
from tokens.results import trace

PER_PAGE = 50
# Lists to choose from; what an address names is offered besides.
LISTED = 200
SCOPES_IN_LINK = 50
# Rules that only callers meet, so that the Test tab has no remedy for them.
NEVER_A_TEST = ["limit.credentials"]


@console_page(read=VIEWER, section="logs")
@require_safe
def logs(request: ConsoleRequest) -> HttpResponse:
    """Show what matches the filters, newest first, fifty at a time."""
    chosen = {
        name: search_text(request.GET.get(name)) for name in ("outcome", "rule", "application", "api", "tests", "q")
    }
    found = matching(request.tenant.log_entries.all(), chosen)
    rows, newer, older = page(found, search_text(request.GET.get("before")), search_text(request.GET.get("after")))
    context = {
        "rows": rows,
        "newer": _address(request, after=newer) if newer else "",
        "older": _address(request, before=older) if older else "",
        "chosen": chosen,
        "filtered": any(chosen.values()),
        "rules": sorted([*RULES, *NEVER_A_TEST]),
        "applications": _offered(request.tenant.applications.values_list("client_id", "name"), chosen["application"]),
        "apis": _offered(request.tenant.apis.values_list("identifier", "name"), chosen["api"]),
    }
    return render(request, "tokens/logs.html", context)


@console_page(read=VIEWER, section="logs")
@require_safe
def log(request: ConsoleRequest, log_id: str) -> HttpResponse:
    """Show one request: what was asked, how it was decided, and what the caller was told."""
    entry = find_or_404(request.tenant.log_entries.all(), log_id=log_id)
    api = request.tenant.apis.filter(identifier=entry.audience).first() if entry.audience else None
    application = request.tenant.applications.filter(client_id=entry.client_id).first() if entry.client_id else None
    told = entry.details.get("response", {})
    context = {
        "entry": entry,
        "api": api,
        "application": application,
        "trace": trace(entry.checks),
        "told": told,
        "response": json.dumps(_body(entry, told), indent=2, ensure_ascii=False) if told else "",
        "claims": entry.details.get("claims", {}),
        "test_url": test_address(request.tenant, entry, api),
    }
    return render(request, "tokens/log.html", context)


def matching(entries: LogEntryQuerySet, chosen: dict[str, str]) -> LogEntryQuerySet:
    """Return the entries that fit the filters; an empty one asks for everything."""
    if chosen["outcome"] in {"issued", "denied"}:
        entries = entries.filter(type=LogEntry.SUCCESS if chosen["outcome"] == "issued" else LogEntry.FAILURE)
    if chosen["tests"] in {"only", "without"}:
        entries = entries.filter(is_test=chosen["tests"] == "only")
    if chosen["rule"]:
        entries = entries.filter(rule=chosen["rule"])
    if chosen["application"]:
        entries = entries.filter(client_id=chosen["application"])
    if chosen["api"]:
        entries = entries.filter(audience=chosen["api"])
    if chosen["q"]:
        entries = entries.filter(
            Q(log_id=chosen["q"]) | Q(client_id=chosen["q"]) | Q(client_name__icontains=chosen["q"])
        )
    return entries


def page(entries: LogEntryQuerySet, before: str, after: str) -> tuple[list[LogEntry], str, str]:
    """Return one page, newest first, with the log ids that the newer and the older page go on from, "" at an end.

    Pages hang on log ids, which sort by time: entries that arrive meanwhile shift nothing, and page 1,000 costs no more
    than page 1.
    """
    if after:
        found = list(entries.filter(log_id__gt=after).order_by("log_id")[: PER_PAGE + 1])
        more, rows = len(found) > PER_PAGE, found[:PER_PAGE][::-1]
        return rows, rows[0].log_id if rows and more else "", rows[-1].log_id if rows else ""
    rows = list((entries.filter(log_id__lt=before) if before else entries).newest_first()[: PER_PAGE + 1])
    more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
    return rows, rows[0].log_id if rows and before else "", rows[-1].log_id if rows and more else ""


def test_address(tenant: Tenant, entry: LogEntry, api: API | None) -> str:
    """Return the address of the Test tab with this request's values, "" when no API comes near what was asked for."""
    near = look_alikes(tenant, entry.audience) if api is None else []
    page_of = api or (near[0] if near else tenant.apis.filter(is_system=False).first())
    if page_of is None:
        return ""
    query = [("application", entry.client_id), *(("scope", scope) for scope in entry.scope.split()[:SCOPES_IN_LINK])]
    query += [] if api else [("audience", entry.audience)]
    return f"{reverse('tokens:test', args=[tenant.name, page_of.pk])}?{urlencode(query)}"


def _body(entry: LogEntry, told: dict[str, Any]) -> dict[str, Any]:
    names = ("error", "error_description", "error_uri")
    return {name: clean(told[name]) for name in names if told.get(name)} | {"log_id": entry.log_id}


def _offered(rows: Any, chosen: str) -> list[tuple[str, str]]:
    """Return values and names to choose from, with what is chosen now even if it is gone."""
    offered = list(rows.order_by("name")[:LISTED])
    return offered if not chosen or chosen in dict(offered) else [*offered, (chosen, chosen)]


def _address(request: ConsoleRequest, **position: str) -> str:
    """Return this page's address with the same filters at another position."""
    kept = request.GET.copy()
    for name in ("before", "after"):
        kept.pop(name, None)
    kept.update(position)
    return f"?{kept.urlencode()}"
