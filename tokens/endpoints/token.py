"""POST /oauth/token (RFC 6749 §3.2)."""

import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Tenant
from applications.models import GrantType
from tokens.client_authentication import presented
from tokens.client_credentials import request_from, respond
from tokens.endpoints.answers import private_json, refusal
from tokens.endpoints.cross_origin import allow_registered_origin, preflight
from tokens.errors import TokenError
from tokens.log import log_denial
from tokens.parameters import read


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """Answer a token request: a signed token, or the refusal that fits."""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    if request.method == "OPTIONS":
        return preflight(tenant, request)
    try:
        if request.method != "POST":
            raise TokenError("invalid_request", "Use POST.", status=405, headers={"Allow": "POST"})
        response = _issue(tenant, request)
    except TokenError as error:
        response = refusal(error)
    return allow_registered_origin(tenant, request, response)


def _issue(tenant: Tenant, request: HttpRequest) -> HttpResponse:
    now = time.time()
    parameters = read(request)
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        raise TokenError("invalid_request", "Missing required parameter: grant_type")
    if grant_type not in GrantType.values:
        raise TokenError("unsupported_grant_type", "Grant type not supported")
    client = presented(request.headers.get("Authorization"), parameters)
    asked = request_from(tenant, client, parameters, now, grant_type)
    outcome = respond(tenant, asked, now)
    if outcome.decision.allowed:
        return private_json(outcome.body())
    log_id = log_denial(tenant, outcome, request.META["REMOTE_ADDR"], request.headers.get("User-Agent", ""))
    uri = outcome.decision.refusal.uri  # type: ignore[union-attr]
    return refusal(outcome.error(), **({"error_uri": uri} if uri else {}), log_id=log_id)
