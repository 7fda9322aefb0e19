"""POST /oauth/introspect (RFC 7662 §2)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.versions import House
from tokens.endpoints.authenticated import AboutToken, answered
from tokens.endpoints.calls import Answer, Call, as_response, call_of, private_answer
from tokens.introspection import introspect


@csrf_exempt
def introspection(request: HttpRequest) -> HttpResponse:
    """Answer a question that came through Django."""
    return as_response(answer(request.house, call_of(request)))  # type: ignore[attr-defined]


def answer(house: House, call: Call) -> Answer:
    """Return whether a token is active, and for whom it is."""
    return answered(house, call, _introspect)


def _introspect(asked: AboutToken) -> Answer:
    return private_answer(introspect(asked.known, asked.house, asked.token, asked.caller, asked.now))
