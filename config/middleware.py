"""What happens to a request before any view: whose address it is, which tenant it is for, and what the log says."""

import time
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from accounts.versions import Unavailable, versions
from config import proxy
from config.errors import PROTOCOL
from tokens.endpoints.calls import as_response
from tokens.endpoints.token import unavailable

Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("gatehouse.request")


class TrustedProxy:
    """Settle scheme, host and caller's address before anything reads them; see `config.proxy`."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proxy.settle(request.META)
        return self.get_response(request)


class Hosts:
    """Find the tenant by the request's host (`request.house`), and answer 404 without detail for any other host.

    A tenant's host answers the protocol; the console's host answers the console too. Health checks are for load
    balancers, which ask by address, so they answer everywhere.
    """

    ANY_HOST = {"/healthz", "/readyz"}
    # Verifiers depend on these: they are answered from memory for as long as the database is away.
    KEPT = {
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    }

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in self.ANY_HOST:
            request.urlconf = "config.protocol_urls"  # type: ignore[attr-defined]
            return self.get_response(request)
        try:
            host = request.get_host().lower()
        except SuspiciousOperation:
            return HttpResponse("Bad request.\n", status=400, content_type="text/plain; charset=utf-8")
        is_console = host == urlsplit(settings.GATEHOUSE_CONSOLE_URL).netloc
        is_static = request.path_info.startswith(settings.STATIC_URL)
        if is_console and is_static:
            return self.get_response(request)
        try:
            house = versions.last_known(host) if request.path_info in self.KEPT else versions.at(host)
        except Unavailable:
            if not is_console or request.path_info.startswith(PROTOCOL):
                return as_response(unavailable())
            house = None
        if not is_console and (house is None or is_static):
            return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
        request.house = house  # type: ignore[attr-defined]
        if not is_console:
            request.urlconf = "config.protocol_urls"  # type: ignore[attr-defined]
        elif house is None and _is_protocol(request.path_info):
            return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


def _is_protocol(path: str) -> bool:
    try:
        resolve(path, urlconf="config.protocol_urls")
    except Resolver404:
        return False
    return True


class BodyLimit:
    """Refuse a body that announces more than any form here holds, before anything reads it.

    Django counts fields but not files, and its CSRF check reads a whole upload before any view can refuse it. The
    protocol's endpoints have a limit of their own, and answer in JSON.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        is_small = announced.isascii() and announced.isdigit() and len(announced) < 10
        if is_small and int(announced) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE or _is_protocol(request.path_info):
            return self.get_response(request)
        return HttpResponse("Too large.\n", status=413, content_type="text/plain; charset=utf-8")


class RequestLog:
    """Write one line for each request, without its query string, and give it an id that error pages show."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex[:16]  # type: ignore[attr-defined]
        began = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        log.info(
            "request",
            id=request.request_id,  # type: ignore[attr-defined]
            method=request.method,
            path=_without_tokens(request.path)[:300],
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000, 1),
            host=request.META.get("HTTP_HOST", "")[:300],
            ip=request.META.get("REMOTE_ADDR", ""),
            user=_user_of(request),
        )
        return response


def _user_of(request: HttpRequest) -> str:
    """Return who signed in, "" for nobody or when only the database could tell and does not answer."""
    try:
        # Only if something on the way has looked: asking here would cost two queries a request.
        return "" if versions.is_away else getattr(getattr(request, "_cached_user", None), "user_id", "")
    except Error:
        return ""


def _without_tokens(path: str) -> str:
    """Return the path as the log may hold it: an invitation's link opens a door until somebody has used it."""
    return "/invitation/(hidden)/" if path.startswith("/invitation/") else path


class PageHeaders:
    """Add what no setting of Django covers: the features that pages may use."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "clipboard-write=(self), camera=(), geolocation=(), microphone=()")
        return response
