"""What a person or a program sees when a request fails before or beside a view."""

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from tokens.endpoints.calls import as_response
from tokens.endpoints.health import database_away
from tokens.endpoints.token import unavailable


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from one of our pages, or came from one that is too old."""
    explanation = "This form is out of date or was not sent from our page. Go back, reload the page and try again."
    return render(request, "403.html", {"reason": explanation}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], AWAY):
        return database_error(request)
    return render(request, "500.html", {"request_id": getattr(request, "request_id", "")}, status=500)


# What a database raises that does not answer, or not in time.
AWAY = (OperationalError, InterfaceError)
# What programs ask for, also where the console answers.
PROTOCOL = ("/oauth/", "/.well-known/")


def database_error(request: HttpRequest) -> HttpResponse:
    """Answer when the database did not: a page for people, JSON for programs."""
    is_console = getattr(request, "urlconf", None) != "config.protocol_urls"
    if not is_console or request.path_info.startswith(PROTOCOL):
        return as_response(unavailable())
    response = render(request, "503.html", {"reason": database_away()}, status=503)
    response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


class DatabaseAway:
    """Answer a view that the database let down with `database_error`, not with a fault of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return database_error(request) if isinstance(exception, AWAY) else None


def plain_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "invalid_request", "error_description": "Bad request."}, status=400)


def plain_permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "access_denied", "error_description": "Forbidden."}, status=403)


def plain_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "not_found", "error_description": "Not found."}, status=404)


def plain_server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], AWAY):
        return as_response(unavailable())
    return JsonResponse({"error": "server_error", "error_description": "Something failed on our side."}, status=500)
