"""What happens to a request before any view: whose address it is, which tenant it is for, and what the log says."""

import time
import uuid
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from accounts.models import Tenant

Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("gatehouse.request")

FORWARDED = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PORT")


class TrustedProxy:
    """Take scheme, host and caller's address from X-Forwarded-* when the configured proxy sent them, else drop them.

    With a proxy chain the rightmost address that is not one of ours is the caller's; what stands left of it is hearsay.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.networks = [ip_network(text, strict=False) for text in settings.GATEHOUSE_TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        forwarded = {name: meta.pop(name) for name in FORWARDED if name in meta}
        # A header spelled with underscores would otherwise pass for the one with hyphens.
        meta.pop("HTTP_FORWARDED", None)
        if forwarded and self._is_proxy(meta.get("REMOTE_ADDR", "")):
            self._believe(request, forwarded)
        return self.get_response(request)

    def _believe(self, request: HttpRequest, forwarded: dict[str, str]) -> None:
        if forwarded.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() in {"http", "https"}:
            scheme = forwarded["HTTP_X_FORWARDED_PROTO"].strip().lower()
            request.META["wsgi.url_scheme"] = scheme
            request.environ["wsgi.url_scheme"] = scheme  # type: ignore[attr-defined]
        host = forwarded.get("HTTP_X_FORWARDED_HOST", "").split(",")[-1].strip()
        if host:
            request.META["HTTP_HOST"] = host
        for hop in reversed(forwarded.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = hop.strip()
            try:
                ip_address(address)
            except ValueError:
                break
            request.META["REMOTE_ADDR"] = address
            if not self._is_proxy(address):
                break

    def _is_proxy(self, address: str) -> bool:
        # A server behind a Unix socket has no peer address; whoever reaches the socket is on this machine.
        if not address:
            return True
        try:
            return any(ip_address(address) in network for network in self.networks)
        except ValueError:
            return False


class Hosts:
    """Find the tenant by the request's host (`request.tenant`), and answer 404 without detail for any other host.

    A tenant's host answers the protocol; the console's host answers the console too. Health checks are for load
    balancers, which ask by address, so they answer everywhere.
    """

    ANY_HOST = {"/healthz", "/readyz"}

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
        tenant = Tenant.objects.filter(domain=host).first()
        if not is_console and (tenant is None or is_static):
            return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
        request.tenant = tenant  # type: ignore[attr-defined]
        if not is_console:
            request.urlconf = "config.protocol_urls"  # type: ignore[attr-defined]
        elif tenant is None and _is_protocol(request.path_info):
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
            # Only if something on the way has looked: asking here would cost two queries a request.
            user=getattr(getattr(request, "_cached_user", None), "user_id", ""),
        )
        return response


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
