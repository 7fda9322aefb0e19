from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import LAST_TENANT, ConsoleRequest, console_page
from accounts.context import THEMES

YEAR = 365 * 24 * 3600


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Lead a member to the tenant they were in last, or to their first one."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    names = list(request.user.memberships.order_by("tenant__name").values_list("tenant__name", flat=True))
    if not names:
        return render(request, "accounts/no_tenant.html")
    last = request.COOKIES.get(LAST_TENANT)
    return redirect("apis:list", last if last in names else names[0])


@console_page()
def tenant_home(request: ConsoleRequest) -> HttpResponse:
    return redirect("apis:list", request.tenant.name)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie, or forget the choice, and go back to the page it was made on."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = redirect(target)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
