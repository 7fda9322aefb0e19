"""POST /oauth/revoke (RFC 7009 §2)."""

import threading

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.versions import House, versions
from tokens.endpoints.authenticated import AboutToken, answered
from tokens.endpoints.calls import PRIVATE, Answer, Call, as_response, call_of
from tokens.errors import TokenError
from tokens.introspection import read
from tokens.operations import revoke_token

# How many revocations may wait at once for the other processes; the remaining threads go on issuing tokens.
WAITING = threading.BoundedSemaphore(2)


@csrf_exempt
def revocation(request: HttpRequest) -> HttpResponse:
    """Answer a revocation that came through Django."""
    return as_response(answer(request.house, call_of(request)))  # type: ignore[attr-defined]


def answer(house: House, call: Call) -> Answer:
    """Return an empty 200 once the token is of no use: also for one that never was, or is not the caller's."""
    return answered(house, call, _revoke)


def _revoke(asked: AboutToken) -> Answer:
    """Revoke the caller's own token. The hint at its type is not needed: a token says what it is (RFC 7009 §2.1)."""
    issued = read(asked.known, asked.token, asked.now)
    if issued is not None and issued.client_id == asked.caller.client_id:
        revoke_token(asked.house, issued.jti, issued.expires_at)
        _wait_for_every_process()
    headers = [(name, value) for name, value in PRIVATE if name != "Content-Type"]
    return Answer(200, [("Content-Type", "text/plain; charset=utf-8"), *headers], b"")


def _wait_for_every_process() -> None:
    """Return when the revocation, which is stored, is followed everywhere, so that the answer can be relied on.

    Raises TokenError temporarily_unavailable when too many wait already. The client asks again (RFC 7009 §2.2.1), and
    is answered by then.
    """
    if not WAITING.acquire(blocking=False):
        description = "Too many tokens are being revoked at once. Try again in a second."
        raise TokenError("temporarily_unavailable", description, headers={"Retry-After": "1"})
    try:
        versions.settle()
    finally:
        WAITING.release()
