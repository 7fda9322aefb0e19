"""POST /oauth/token (RFC 6749 §3.2)."""

import time
from dataclasses import replace

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.versions import House
from applications.models import GrantType
from tokens import memory
from tokens.client_authentication import presented
from tokens.client_credentials import Outcome, request_from, respond
from tokens.decision import limited
from tokens.endpoints.calls import Answer, Call, as_response, call_of, private_answer, refusal
from tokens.endpoints.cross_origin import preflight, readable_by_registered_origin
from tokens.errors import TokenError
from tokens.log import ROWS, log_denial
from tokens.models import ISSUED
from tokens.parameters import read
from tokens.usage import usage
from tokens.wrong_credentials import limiter, network_of

GRANT_TYPES = frozenset(GrantType.values)


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """Answer a token request that came through Django."""
    return as_response(answer(request.house, call_of(request)))  # type: ignore[attr-defined]


def answer(house: House, call: Call) -> Answer:
    """Return a signed token, or the refusal that fits."""
    if call.method == "OPTIONS":
        return preflight(house, call)
    try:
        answered = _issue(house, call)
    except TokenError as error:
        answered = refusal(error)
    except Error:
        # The decision needed the database and it does not answer: nothing was decided, and nothing is half-done.
        answered = unavailable()
    return readable_by_registered_origin(house, call, answered) if call.origin else answered


def unavailable() -> Answer:
    """Return the answer of a server that cannot decide at the moment."""
    description = "The server cannot decide at the moment. Try again in a few seconds."
    return refusal(TokenError("temporarily_unavailable", description, headers={"Retry-After": "5"}))


def broken() -> Answer:
    """Return the answer of a server with a fault of its own."""
    return refusal(TokenError("server_error", "Something failed on our side."))


def _issue(house: House, call: Call) -> Answer:
    if call.method != "POST":
        raise TokenError("invalid_request", "Use POST.", status=405, headers={"Allow": "POST"})
    now = time.time()
    parameters = read(call.query, call.content_type, call.body)
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        raise TokenError("invalid_request", "Missing required parameter: grant_type")
    if grant_type not in GRANT_TYPES:
        raise TokenError("unsupported_grant_type", "Grant type not supported")
    known = memory.of(house)
    asked = request_from(known, presented(call.authorization, parameters), parameters, now, grant_type)
    outcome = respond(known, asked, now)
    if asked.authentication.proven:
        usage.used(asked.authentication, now)
    if not outcome.decision.allowed:
        return _denied(house, call, outcome, now)
    usage.count(house.pk, asked.client_id, outcome.api.id, ISSUED, now)  # type: ignore[union-attr]
    return private_answer(outcome.body(), headers=outcome.headers().items())


def _denied(house: House, call: Call, outcome: Outcome, now: float) -> Answer:
    rows, wait = ROWS, {}
    refused = outcome.decision.refusal
    assert refused is not None
    if refused.status == 401:
        network = network_of(call.ip)
        seconds = limiter.wrong(house.pk, outcome.request.client_id, network, time.monotonic())
        if seconds:
            outcome = replace(outcome, decision=limited(outcome.decision, network, seconds))
            rows, wait = 1, {"Retry-After": str(seconds)}
    failed = outcome.decision.failed
    usage.count(
        house.pk,
        outcome.client.client_id if outcome.client else "",
        outcome.api.id if outcome.api else "",
        failed.rule if failed else "",
        now,
    )
    log_id = log_denial(house, outcome, call.ip, call.user_agent, rows)
    error = outcome.error()
    error.headers |= wait
    more = {"error_uri": refused.uri, "log_id": log_id}
    return refusal(error, **{name: value for name, value in more.items() if value})
