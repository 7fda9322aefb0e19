"""The public documents' answers and the headers they share."""

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag


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
