"""The WSGI application that `bin/serve`, or any other WSGI server, serves."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(request: dict[str, Any], start_response: Any) -> Any:
    """Answer a request. A Content-Type that Django would stumble over before any middleware is made harmless here."""
    content_type = request.get("CONTENT_TYPE", "")
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
    except (ValueError, LookupError):
        charset = "unreadable"
    # Django decodes form and query string with any codec a request names, "hex" and "undefined" among them.
    if charset.lower() not in {"utf-8", "utf8"}:
        request["CONTENT_TYPE"] = "application/octet-stream"
    return _django(request, start_response)
