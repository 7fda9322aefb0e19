"""The WSGI application that `bin/serve`, or any other WSGI server, serves.

Token requests, which are what this server does all day, are answered here: what they need is in memory, and Django's
handler would cost as much again as everything but the signature. All others, and whatever is odd, go to Django, whose
URL leads to the same function.
"""

import logging
import os
from http import HTTPStatus
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

# These need Django's apps, which are there from here on.
from accounts.versions import Unavailable, versions  # noqa: E402
from config import proxy  # noqa: E402
from config.settings import SECURE_HSTS_SECONDS  # noqa: E402
from tokens.endpoints import token  # noqa: E402
from tokens.endpoints.calls import Answer, call_from  # noqa: E402

log = logging.getLogger(__name__)

TOKEN_PATH = "/oauth/token"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
HSTS = [("Strict-Transport-Security", f"max-age={SECURE_HSTS_SECONDS}")] if SECURE_HSTS_SECONDS else []


def application(request: dict[str, Any], start_response: Any) -> Any:
    """Answer a request (PEP 3333)."""
    proxy.settle(request)
    if request["PATH_INFO"] == TOKEN_PATH and request["REQUEST_METHOD"] == "POST":
        answer = _token_answer(request)
        if answer is not None:
            headers = [*answer.headers, *HSTS, ("Content-Length", str(len(answer.body)))]
            start_response(STATUS_LINES[answer.status], headers)
            return [answer.body]
    return _django(_harmless(request), start_response)


def _token_answer(request: dict[str, Any]) -> Answer | None:
    """Return the answer to a token request, or None for one that is not for a tenant's host."""
    try:
        house = versions.at(request.get("HTTP_HOST", ""))
    except Unavailable:
        return token.unavailable()
    if house is None:
        return None
    try:
        return token.answer(house, call_from(request))
    except Exception:
        log.exception("A token request failed.")
        return token.broken()


def _harmless(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with a Content-Type that Django would stumble over before any middleware made harmless."""
    content_type = request.get("CONTENT_TYPE", "")
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
    except (ValueError, LookupError):
        charset = "unreadable"
    # Django decodes form and query string with any codec a request names, "hex" and "undefined" among them.
    if charset.lower() not in {"utf-8", "utf8"}:
        request["CONTENT_TYPE"] = "application/octet-stream"
    return request
