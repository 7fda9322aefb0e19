"""A call of an endpoint and its answer, as plain values: the same whether Django or the bare server delivers them."""

import json
from typing import Any, NamedTuple

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.request import RawPostDataException

from tokens.errors import TokenError
from tokens.parameters import MAX_BODY

_to_json = json.JSONEncoder(separators=(",", ":")).encode

# Nobody may store an answer that holds a token (RFC 6749 §5.1), or take it for anything but JSON.
PRIVATE = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Origin"),
)


class Call(NamedTuple):
    """What an endpoint is asked. `body` is None when it is larger than we take, or did not arrive."""

    method: str
    query: str
    content_type: str
    body: bytes | None
    authorization: str | None
    origin: str
    ip: str
    user_agent: str


class Answer(NamedTuple):
    """What an endpoint answers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def private_answer(body: dict[str, Any], status: int = 200, headers: Any = ()) -> Answer:
    """Return a JSON answer that nobody may store."""
    return Answer(status, [*PRIVATE, *headers], _to_json(body).encode())


def refusal(error: TokenError, **more: str) -> Answer:
    """Return an error as RFC 6749 §5.2 has it."""
    return private_answer(error.body(**more), error.status, error.headers.items())


def call_of(request: HttpRequest) -> Call:
    """Return the call that a Django request makes."""
    meta = request.META
    return Call(
        method=request.method or "",
        query=meta.get("QUERY_STRING", ""),
        content_type=meta.get("CONTENT_TYPE", ""),
        body=_body(request),
        authorization=meta.get("HTTP_AUTHORIZATION"),
        origin=meta.get("HTTP_ORIGIN", ""),
        ip=meta.get("REMOTE_ADDR", ""),
        user_agent=meta.get("HTTP_USER_AGENT", ""),
    )


def call_from(environ: dict[str, Any]) -> Call:
    """Return the call that a WSGI request makes (PEP 3333), before Django has seen it."""
    get = environ.get
    announced = get("CONTENT_LENGTH") or "0"
    length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 8 else MAX_BODY + 1
    return Call(
        method=environ["REQUEST_METHOD"],
        query=get("QUERY_STRING", ""),
        content_type=get("CONTENT_TYPE", ""),
        body=environ["wsgi.input"].read(length) if length <= MAX_BODY else None,
        authorization=get("HTTP_AUTHORIZATION"),
        origin=get("HTTP_ORIGIN", ""),
        ip=get("REMOTE_ADDR", ""),
        user_agent=get("HTTP_USER_AGENT", ""),
    )


def as_response(answer: Answer) -> HttpResponse:
    """Return the answer as Django sends it."""
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


def _body(request: HttpRequest) -> bytes | None:
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    if not announced.isdecimal() or len(announced) > 7 or int(announced) > MAX_BODY:
        return None
    try:
        return request.body
    except (RequestDataTooBig, UnreadablePostError, RawPostDataException):
        return None
