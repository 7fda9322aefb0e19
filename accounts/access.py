"""Who may open a console page: finds the tenant in the address and the member's role in it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from accounts.models import Membership, Role, Tenant, User
from audit.actors import Actor

VIEWER, EDITOR, ADMIN = Role.VIEWER, Role.EDITOR, Role.ADMIN
LAST_TENANT = "last-tenant"
MAY = {VIEWER: {VIEWER, EDITOR, ADMIN}, EDITOR: {EDITOR, ADMIN}, ADMIN: {ADMIN}}


class ConsoleRequest(HttpRequest):
    """What a console page gets: a signed-in member, the tenant of the address, and the membership between them."""

    user: User
    tenant: Tenant
    membership: Membership
    memberships: list[Membership]
    actor: Actor


def actor_of(request: HttpRequest) -> Actor:
    """Return the person behind a request, for the history."""
    user = request.user
    return Actor(
        id=getattr(user, "user_id", ""),
        name=getattr(user, "email", "") or "Somebody with a link",
        ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
    )


def console_page(read: Role = VIEWER, write: Role = EDITOR, section: str = "") -> Callable[..., Any]:
    """Decorate a view so that members with the right role reach it: `read` to look (GET), `write` to change (POST).

    The view's second argument, the tenant's name in the address, is replaced by `request.tenant`. A stranger to the
    tenant gets 404, as for a tenant that does not exist; a member whose role is too small 403.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def page(request: ConsoleRequest, tenant: str, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            enter(request, tenant)
            needed = read if request.method in {"GET", "HEAD"} else write
            if request.membership.role not in MAY[needed]:
                raise PermissionDenied(
                    f"Your role in {request.tenant} is {request.membership.get_role_display()}. "
                    f"This needs {Role(needed).label}; an admin of the tenant can change your role under Members."
                )
            request.section = section  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)
            add_never_cache_headers(response)
            if request.COOKIES.get(LAST_TENANT) != tenant:
                _remember(response, tenant)
            return response

        return page

    return decorate


def _remember(response: HttpResponse, tenant: str) -> None:
    """Keep in a cookie which tenant `/` leads to. It opens nothing: membership is looked up on every page."""
    response.set_cookie(
        LAST_TENANT,
        tenant,
        max_age=settings.SESSION_COOKIE_AGE * 30,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def enter(request: ConsoleRequest, tenant: str) -> None:
    """Put tenant, membership and actor on the request, or raise Http404 for somebody who is not a member."""
    request.memberships = list(request.user.memberships.select_related("tenant").order_by("tenant__name"))
    for membership in request.memberships:
        if membership.tenant.name == tenant:
            request.membership, request.tenant = membership, membership.tenant
            request.actor = actor_of(request)
            return
    raise Http404
