"""The Quick Start tab of an API: the code that protects it, with its own values filled in."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import VIEWER, ConsoleRequest, console_page
from apis.models import API
from apis.pages import api_page, find_api
from apis.quick_starts import BY_KEY, NINE_CHECKS, QUICK_STARTS, QuickStart, Values, cases, files, run_command
from apis.quoting import quoted

ANY = "any"
NO_SCOPE = "read:reports"
CALL = """curl --include 'http://localhost:8080/reports' \\
  --header "authorization: Bearer $ACCESS_TOKEN\""""


@console_page(read=VIEWER, section="apis")
@require_safe
def quick_start(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """Show the four steps for one framework, or the nine checks for any language."""
    api = find_api(request, api_id)
    asked = request.GET.get("fw", "")
    chosen = asked if asked in BY_KEY or asked == ANY else QUICK_STARTS[0].key
    first_scope = api.scopes.order_by("value").values_list("value", flat=True).first()
    values = values_of(api, first_scope or NO_SCOPE)
    context = {
        "quick_starts": QUICK_STARTS,
        "chosen": chosen,
        "values": shown(api, values),
        "jwks_url": values.jwks,
        "scope": values.scope,
        "has_scopes": first_scope is not None,
        "cases": cases(api.signing_alg),
    }
    if chosen == ANY:
        context |= {"nine_checks": NINE_CHECKS, "commands": try_it(api, values)}
    else:
        context |= steps(BY_KEY[chosen], values)
    return render(request, "apis/quick_start.html", api_page(request, api, "quick_start", **context))


def values_of(api: API, scope: str) -> Values:
    """Return what the code needs to know of an API. Every address is under the tenant's issuer."""
    issuer = api.tenant.issuer
    return Values(issuer, api.identifier, issuer.rstrip("/") + reverse("oauth:jwks"), api.signing_alg, scope)


def shown(api: API, values: Values) -> list[dict[str, str]]:
    """Return the values to copy."""
    rows = [("Issuer", values.issuer), ("Audience", values.audience)]
    rows += [] if api.uses_secret else [("JWKS", values.jwks)]
    return [{"label": label, "value": value} for label, value in [*rows, ("Algorithm", values.algorithm)]]


def steps(chosen: QuickStart, values: Values) -> dict[str, Any]:
    """Return the code of each step, and what is known about it."""
    return {
        "framework": chosen,
        "install": files(chosen, chosen.install, values),
        "reject": files(chosen, chosen.reject, values),
        "require": files(chosen, chosen.scope, values),
        "call": f"{run_command(chosen, values).code}\n\n# In another terminal\n{CALL}",
        "cannot": values.algorithm in chosen.cannot,
        "tested": values.algorithm in chosen.tested,
    }


def try_it(api: API, values: Values) -> str:
    """Return commands that show an API's keys and call it."""
    keys = "" if api.uses_secret else f"curl {quoted('bash', values.jwks)}\n\n"
    return keys + CALL
