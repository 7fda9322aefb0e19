"""The JSON answers of the protocol's endpoints and the headers they share."""

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from tokens.errors import TokenError


def private_json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return an answer that nobody may store (RFC 6749 §5.1)."""
    response = HttpResponse(json.dumps(body), content_type="application/json", status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def refusal(error: TokenError, **more: str) -> HttpResponse:
    """Return an error as RFC 6749 §5.2 has it."""
    response = private_json(error.body(**more), error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def public_json(request: HttpRequest, body: dict[str, Any], max_age: int) -> HttpResponse:
    """Return a document that anybody may read and keep for `max_age` seconds: ETag, 304, and CORS for every origin."""
    text = json.dumps(body, separators=(",", ":"))
    etag = quote_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response = HttpResponse(text, content_type="application/json")
    response = get_conditional_response(request, etag=etag, response=response)  # type: ignore[assignment]
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={max_age}"
    response["Access-Control-Allow-Origin"] = "*"
    return response
