from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import ConsoleRequest, console_page
from accounts.lookups import find_or_404, search_text
from apis.pages import can_authorize, may_authorize, page_of
from applications.models import Application
from applications.operations import authorize_application, deauthorize_application
from applications.pages import application_page, find_application

SHOWS = {"authorized", "not-authorized"}


@console_page(section="applications")
def apis(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_application(request, client_id)
    if request.method == "POST":
        try:
            messages.success(request, _switch(request, application))
            return redirect(request.get_full_path())
        except ValidationError as error:
            return _page(request, application, refusal=" ".join(error.messages))
    return _page(request, application)


def _switch(request: ConsoleRequest, application: Application) -> str:
    """Authorize the application for an API, without scopes, or end that; return what to say about it."""
    api = find_or_404(request.tenant.apis, pk=request.POST.get("api", ""))
    may_authorize(request, api)
    grants = application.client_grants.for_clients().select_related("api__tenant", "application")
    grant = grants.filter(api=api).first()
    if request.POST.get("authorize") == "on":
        if grant is None:
            authorize_application(application, api, request.actor)
        return f"{application} is authorized for {api}, without scopes yet. Open its row to choose them."
    if grant is not None:
        deauthorize_application(grant, request.actor)
    return f"{application} gets no more tokens for {api}. Those it has last until they expire."


def _page(request: ConsoleRequest, application: Application, refusal: str = "") -> HttpResponse:
    q, show = search_text(request.GET.get("q")), request.GET.get("show", "")
    grants = application.client_grants.for_clients()
    offered = request.tenant.apis.matching(q).annotate(scopes_offered=Count("scopes")).order_by(Lower("name"), "id")
    authorized = grants.values("api")
    if show in SHOWS:
        offered = offered.filter(pk__in=authorized) if show == "authorized" else offered.exclude(pk__in=authorized)
    page = page_of(offered, request.GET.get("page"))
    of_page = grants.filter(api__in=[api.pk for api in page]).annotate(scopes_granted=Count("scopes"))
    by_api = {grant.api_id: grant for grant in of_page}
    rows: list[dict[str, Any]] = [
        {"api": api, "grant": by_api.get(api.pk), "locked": not can_authorize(request, api)} for api in page
    ]
    values = {"page": page, "rows": rows, "q": q, "show": show, "refusal": refusal}
    context = application_page(application, "apis", **values)
    return render(request, "applications/apis.html", context, status=422 if refusal else 200)
