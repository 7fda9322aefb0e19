"""What the endpoints share that a client calls about a token: POST only, and only with its credentials."""

import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import Error

from accounts.versions import House
from tokens import memory
from tokens.client_authentication import BASIC, presented
from tokens.client_credentials import authenticate
from tokens.decision import is_who_it_says
from tokens.endpoints.calls import Answer, Call, refusal
from tokens.endpoints.cross_origin import preflight, readable_by_registered_origin
from tokens.endpoints.token import unavailable
from tokens.errors import TokenError, client_authentication_failed
from tokens.facts import Client, Request
from tokens.parameters import read
from tokens.usage import usage
from tokens.wrong_credentials import limiter, network_of


class AboutToken(NamedTuple):
    """A question of an authenticated client about a token. now: seconds since 1970 UTC."""

    house: House
    known: memory.Memory
    caller: Client
    token: str
    now: float


def answered(house: House, call: Call, respond: Callable[[AboutToken], Answer]) -> Answer:
    """Return what `respond` answers to the call, or the refusal that fits: RFC 6749 §5.2's, also for who is calling."""
    if call.method == "OPTIONS":
        return preflight(house, call)
    try:
        answer = respond(_asked(house, call))
    except TokenError as error:
        answer = refusal(error)
    except Error:
        # What could not be stored or looked up has not happened (RFC 7009 §2.2.1).
        answer = unavailable()
    return readable_by_registered_origin(house, call, answer) if call.origin else answer


def _asked(house: House, call: Call) -> AboutToken:
    if call.method != "POST":
        raise TokenError("invalid_request", "Use POST.", status=405, headers={"Allow": "POST"})
    now = time.time()
    parameters = read(call.query, call.content_type, call.body)
    known = memory.of(house)
    caller = _caller(known, call, parameters, now)
    if "token" not in parameters:
        raise TokenError("invalid_request", "Missing required parameter: token")
    return AboutToken(house, known, caller, parameters["token"], now)


def _caller(known: memory.Memory, call: Call, parameters: dict[str, str], now: float) -> Client:
    """Return the application that calls, by the same rules as at the token endpoint; a public one is refused."""
    if not (call.authorization or parameters.keys() & {"client_id", "client_assertion", "client_assertion_type"}):
        raise client_authentication_failed(challenge=True)
    said = presented(call.authorization, parameters)
    client, proof = known.client(said.client_id), authenticate(known, said, now)
    if client is None or not is_who_it_says(Request(said.client_id, "", None, proof), client):
        seconds = limiter.wrong(known.house.pk, said.client_id, network_of(call.ip), time.monotonic())
        raise _slowed_down(seconds) if seconds else client_authentication_failed(challenge=said.method == BASIC)
    usage.used(proof, now)
    return client


def _slowed_down(seconds: int) -> TokenError:
    description = f"Too many wrong credentials. Try again in {seconds} seconds."
    return TokenError("too_many_requests", description, headers={"Retry-After": str(seconds)})
