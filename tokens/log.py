"""Keep what an admin will want to look up: every denial and every test run, but not a flood of the same one."""

import time
from collections import OrderedDict
from typing import Any

from django.db import Error

from accounts.models import Tenant
from accounts.versions import House, versions
from audit.operations import plain_address
from tokens.client_credentials import Outcome
from tokens.errors import clean
from tokens.models import LogEntry
from tokens.operations import write_log
from tokens.quotas import Consumed

# Per process: one client that fails for one reason writes at most this many rows in this many seconds.
ROWS, SECONDS, REMEMBERED = 10, 60, 10_000


class Throttle:
    """Counts the rows of each (tenant, client, rule), and remembers the last one to refer to it."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[Any, ...], tuple[float, int, str]] = OrderedDict()

    def last_instead(self, key: tuple[Any, ...], now: float, rows: int = ROWS) -> str | None:
        """Return the id of the row to refer to when this client has written enough, or None to write another."""
        since, count, log_id = self._seen.get(key, (now, 0, ""))
        return log_id if now - since < SECONDS and count >= rows else None

    def wrote(self, key: tuple[Any, ...], log_id: str, now: float) -> None:
        since, count, _ = self._seen.pop(key, (now, 0, ""))
        if now - since >= SECONDS:
            since, count = now, 0
        self._seen[key] = (since, count + 1, log_id)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, as a new process would."""
        self._seen.clear()


throttle = Throttle()


def log_denial(house: House, outcome: Outcome, ip: str, user_agent: str, rows: int = ROWS) -> str:
    """Return the id of the log entry that explains this denial, "" when it could not be written.

    rows: after so many within a minute, the last one is referred to instead.
    """
    failed = outcome.decision.failed
    # Made-up client ids share one place, or a guesser would fill the disk with a new one each time.
    client_id = outcome.client.client_id if outcome.client else ""
    key = (house.pk, client_id, failed.rule if failed else "")
    now = time.monotonic()
    known = throttle.last_instead(key, now, rows)
    if known:
        return known
    if versions.is_away:
        return ""
    try:
        log_id = log_outcome(house, outcome, ip, user_agent).log_id
    except Error:
        # A denial stands whether or not it can be written down.
        return ""
    throttle.wrote(key, log_id, now)
    return log_id


def log_quota(consumed: Consumed) -> LogEntry | None:
    """Return the new log entry that says how much of a quota is used; None when what it is about is gone."""
    tenant = Tenant.objects.filter(pk=consumed.tenant).first()
    if tenant is None:
        return None
    application = tenant.applications.filter(client_id=consumed.id).first() if consumed.of == "client" else None
    api = tenant.apis.filter(pk=consumed.id).first() if consumed.of == "api" else None
    return write_log(
        tenant,
        type=LogEntry.QUOTA_WARNING,
        description=f"{consumed.percent}% of {consumed.of} {consumed.bucket} quota consumed",
        client_id=consumed.id if consumed.of == "client" else "",
        client_name=application.name if application else "",
        audience=api.identifier if api else "",
        api_name=api.name if api else "",
        details={
            "bucket": consumed.bucket,
            "entity_type": consumed.of,
            "entity_id": consumed.id,
            "quota": consumed.limit,
            "quota_consumption": consumed.taken,
            "quota_consumption_percentage": consumed.percent,
        },
    )


def _shown(outcome: Outcome) -> str:
    """Return the client id for people; of one that is nobody's only the start: it may be a secret gone astray."""
    text = clean(outcome.request.client_id)
    return text[:255] if outcome.client else f"{text[:8]}…"


def log_outcome(tenant: Tenant | House, outcome: Outcome, ip: str, user_agent: str, is_test: bool = False) -> LogEntry:
    """Return the new log entry of one request, with the checks of its decision and, of a token, only its `jti`."""
    request, decision = outcome.request, outcome.decision
    failed, refusal = decision.failed, decision.refusal
    details: dict[str, Any] = {"checks": [check.as_json() for check in decision.checks]}
    if refusal:
        details["response"] = {
            "status": refusal.status,
            "error": refusal.error,
            "error_description": refusal.description,
        }
    if outcome.claims:
        details["claims"] = {name: outcome.claims[name] for name in ("jti", "iat", "exp")}
    asked = decision.scopes if decision.allowed else request.scopes or ()
    return write_log(
        tenant,
        type=LogEntry.SUCCESS if decision.allowed else LogEntry.FAILURE,
        description=(failed.detail if failed else "Client Credentials for Access Token")[:1000],
        rule=failed.rule if failed else "",
        client_id=_shown(outcome),
        client_name=outcome.client.name if outcome.client else "",
        audience=request.audience.replace("\x00", "")[:600],
        api_name=outcome.api.name if outcome.api else "",
        scope=" ".join(asked)[:4000],
        is_test=is_test,
        ip=plain_address(ip),
        user_agent=user_agent[:400],
        details=details,
    )
