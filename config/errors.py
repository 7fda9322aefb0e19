"""What a person or a program sees when a request fails before or beside a view."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


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
    return render(request, "500.html", {"request_id": getattr(request, "request_id", "")}, status=500)


def plain_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "invalid_request", "error_description": "Bad request."}, status=400)


def plain_permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "access_denied", "error_description": "Forbidden."}, status=403)


def plain_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return JsonResponse({"error": "not_found", "error_description": "Not found."}, status=404)


def plain_server_error(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"error": "server_error", "error_description": "Something failed on our side."}, status=500)
