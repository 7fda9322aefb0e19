"""What the Test tab shows of a run: the verdict, how it came about, and the code that does the same."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.urls import reverse

from accounts.models import Tenant
from apis.models import API
from tokens import access_tokens
from tokens.decision import FAILED, PASSED, SIGNED, SIGNED_TITLE
from tokens.endpoints.metadata import key_set
from tokens.meanings import explained, scopes_checked
from tokens.models import LogEntry
from tokens.remedies import explain
from tokens.runs import Run
from tokens.snippets import Panel, TokenRequest, call_panels, token_panels

STATES = {PASSED: "passed", FAILED: "failed"}
# A step's one fact worth a badge.
BADGES = {"client.authenticated": "presented", "grant_type.allowed": "grant_type", "api.policy": "client_policy"}


def request_panels(
    tenant: Tenant, client_id: str, audience: str, scopes: Iterable[str] | None, as_json: bool
) -> list[Panel]:
    """Return the token request as code."""
    url = tenant.issuer.rstrip("/") + reverse("oauth:token")
    return token_panels(TokenRequest(url, client_id, audience, list(scopes or []) or None, as_json))


def address_of(api: API) -> str:
    """Return where an example calls the API: its identifier when that is an address."""
    if api.identifier.startswith(("https://", "http://")):
        return api.identifier
    return "https://api.example.com/"


def shown(tenant: Tenant, api: API, run: Run, address: str) -> dict[str, Any]:
    """Return the values of the result column for one run."""
    values: dict[str, Any] = {
        "run": run,
        "reason": _reason(run),
        "response": json.dumps(_shortened(run.body()), indent=2, ensure_ascii=False),
        "trace": trace([check.as_json() for check in run.outcome.decision.checks], _signature(run)),
    }
    if not run.issued:
        return values | {"explanation": explain(tenant, api, run.outcome)}
    claims = run.outcome.claims or {}
    checks = verification(tenant, api, run)
    return values | {
        "token": run.outcome.token,
        "claims": explained(run.outcome),
        "lifetime": claims["exp"] - claims["iat"],
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
        "checks": checks,
        "passed": sum(check["state"] == "passed" for check in checks),
        "call": call_panels(address),
    }


def verification(tenant: Tenant, api: API, run: Run) -> list[dict[str, str]]:
    """Return the steps an API takes to accept the token, really taken, against the key set as it is published."""
    secret = api.reveal_signing_secret() if api.uses_secret else None
    jwks = None if api.uses_secret else key_set(tenant)
    steps = access_tokens.verify(
        run.outcome.token or "", jwks, api.signing_alg, tenant.issuer, api.identifier, run.at, secret
    )
    states = {True: "passed", False: "failed", None: "skipped"}
    lines = [{"state": states[step.passed], "title": step.name, "detail": step.detail} for step in steps]
    lines.append({"state": "passed", "title": "Scopes returned", "detail": scopes_checked(run.outcome)})
    return lines


def trace(checks: list[dict[str, Any]], last: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Return a decision's checks, as the log keeps them, for the step list; `last` is what came after them."""
    steps = [
        {
            "state": STATES.get(check["outcome"], "skipped"),
            "title": check["title"],
            "detail": _detail(check),
            "fact": str(check["facts"].get(BADGES.get(check["id"], ""), "")),
        }
        for check in checks
    ]
    return steps + ([last] if last else [])


def _detail(check: dict[str, Any]) -> str:
    return f"{check['detail']} Rule `{check['rule']}`." if check["rule"] else check["detail"]


def _signature(run: Run) -> dict[str, str] | None:
    """Return the step after the decision, unless the decision has it already because it failed."""
    if any(check.id == SIGNED for check in run.outcome.decision.checks):
        return None
    if not run.issued:
        return {"state": "skipped", "title": SIGNED_TITLE}
    alg = run.outcome.api.signing_alg if run.outcome.api else ""
    return {"state": "passed", "title": SIGNED_TITLE, "detail": "Nothing is stored of it.", "fact": alg}


def _reason(run: Run) -> str:
    refusal = run.outcome.decision.refusal
    return refusal.error if refusal else HTTPStatus(run.status).phrase


def _shortened(body: dict[str, Any]) -> dict[str, Any]:
    token = body.get("access_token")
    return body | {"access_token": f"{token[:18]}…{token[-6:]}"} if isinstance(token, str) else body


def last_runs(tenant: Tenant, api: API, count: int = 5) -> list[LogEntry]:
    """Return the latest tests of an API, newest first, without anything a token could be made of."""
    return list(tenant.log_entries.filter(is_test=True, audience=api.identifier).newest_first()[:count])
