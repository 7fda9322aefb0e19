from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import is_stale, refusals_on, refusals_told
from accounts.lookups import find_or_404, search_text
from apis.added_scopes import scopes_added
from apis.models import API
from apis.pages import api_page, can_authorize, find_api, may_authorize, page_of
from applications import undo
from applications.authorization_forms import AuthorizationForm
from applications.models import Application, ClientGrant
from applications.operations import (
    authorize_application,
    deauthorize_application,
    grant_scopes,
    revoke_issued_under_grant,
    update_client_grant,
)

SHOWN = {"authorized": True, "not-authorized": False}


@console_page(section="apis")
def machine_to_machine(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """List the applications that may use client credentials, and which of them may call this API."""
    api = find_api(request, api_id)
    q, show, opened = search_text(request.GET.get("q")), request.GET.get("show"), request.GET.get("open")
    everybody = request.tenant.applications.machine_to_machine()  # type: ignore[attr-defined]
    grants = api.client_grants.for_clients()
    rows = everybody.matching(q)
    if show in SHOWN:
        authorized = Exists(grants.filter(application=OuterRef("pk")))
        rows = rows.filter(authorized if SHOWN[show] else ~authorized)
    # Both counts with one query: this page shows so much that it has none to spare.
    shown = Count("pk", filter=Q(pk__in=rows.order_by().values("pk")))
    number = everybody.order_by().aggregate(everybody=Count("pk"), shown=shown)
    page = page_of(rows.order_by("name", "id"), request.GET.get("page"), number["shown"])
    of_page = grants.filter(application__in=list(page)).annotate(scope_number=Count("scopes"))
    held = {grant.application_id: grant for grant in of_page}
    last_tokens = request.tenant.usage.last_tokens(api.pk, [application.client_id for application in page])
    for application in page:
        application.grant = held.get(application.pk)
        application.last_token_at = last_tokens.get(application.client_id)
        application.is_open = application.client_id == opened
        if application.is_open and application.grant:
            application.form = _form(api, application, application.grant)
    values = api_page(
        request,
        api,
        "machine_to_machine",
        page=page,
        q=q,
        show=show,
        kept=undo.remembered(request, api),
        everybody_count=number["everybody"],
        read_only=not can_authorize(request, api),
    )
    values["unauthorized_count"] = values["everybody_count"] - values["authorized_count"]
    return render(request, "applications/machine_to_machine.html", values)


@console_page(section="apis")
def authorization(request: ConsoleRequest, api_id: str, client_id: str) -> HttpResponse:
    """Show one application's access to an API. A POST's `action`: authorize, deauthorize, undo or save."""
    api = find_api(request, api_id)
    application = find_or_404(request.tenant.applications.machine_to_machine(), client_id=client_id)  # type: ignore[attr-defined]
    grant = api.client_grants.for_clients().filter(application=application).first()
    if request.method == "POST":
        action = ACTIONS.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        may_authorize(request, api)
        return action(request, api, application, grant)
    return _panel(request, api, application, grant, _form(api, application, grant) if grant else None)


@console_page(read=EDITOR, section="apis")
def revoke_issued(request: ConsoleRequest, api_id: str, client_id: str) -> HttpResponse:
    """Revoke what was issued under one authorization, which itself stays."""
    api = find_api(request, api_id)
    grants = api.client_grants.for_clients().select_related("application", "api", "tenant")
    grant = find_or_404(grants, application__client_id=client_id)
    if request.method == "POST":
        with refusals_told(request):
            revoke_issued_under_grant(grant, request.actor)
            messages.success(request, f"What was issued to {grant.application} for {api} until now is revoked.")
        return redirect("applications:authorization", request.tenant.name, api.pk, client_id)
    values = {
        "api": api,
        "application": grant.application,
        "longest": api.token_lifetime,
        "revoked_at": grant.not_before,
    }
    return render(request, "applications/authorization_revoke_issued.html", values)


@console_page(read=EDITOR, section="apis")
def grant_new_scopes(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """Give scopes that were just added to applications that are authorized already."""
    api = find_api(request, api_id)
    scopes = scopes_added(api, request.POST.get("added", ""))
    chosen = request.POST.getlist("applications")
    if request.method == "POST":
        may_authorize(request, api)
        with refusals_told(request):
            if not (scopes and chosen):
                raise ValidationError("Nothing was granted: choose at least one application.")
            grants = grant_scopes(api, request.actor, chosen, [scope.value for scope in scopes])
            messages.success(request, f"Granted to {len(grants)} application{'' if len(grants) == 1 else 's'}.")
    return redirect("apis:scopes", request.tenant.name, api.pk)


def _authorize(request: ConsoleRequest, api: API, application: Application, grant: ClientGrant | None) -> HttpResponse:
    undo.forget(request)
    with refusals_told(request):
        authorize_application(application, api, request.actor)
        messages.success(request, f"{application} is authorized. Choose its scopes.")
    return _to_list(request, api, opened=application)


def _deauthorize(
    request: ConsoleRequest, api: API, application: Application, grant: ClientGrant | None
) -> HttpResponse:
    with refusals_told(request):
        if grant is not None:
            taken = undo.terms(grant)
            deauthorize_application(grant, request.actor)
            undo.remember(request, taken)
    return _to_list(request, api)


def _undo(request: ConsoleRequest, api: API, application: Application, grant: ClientGrant | None) -> HttpResponse:
    kept = undo.remembered(request, api)
    undo.forget(request)
    with refusals_told(request):
        if kept is None or kept["client_id"] != application.client_id:
            raise ValidationError("There is nothing to undo any more. Authorize the application again instead.")
        authorize_application(application, api, request.actor, **undo.again(kept, api))
        messages.success(request, f"{application} is authorized again, as before.")
    return _to_list(request, api)


def _save(request: ConsoleRequest, api: API, application: Application, grant: ClientGrant | None) -> HttpResponse:
    if grant is None:
        messages.error(request, f"{application} is not authorized any more. Nothing was saved.")
        return _to_list(request, api)
    form = _form(api, application, grant, request.POST)
    if form.is_valid():
        with refusals_on(form):
            update_client_grant(grant, request.actor, revision=form.cleaned_data["revision"], **form.values())
            messages.success(request, f"Saved. {application} gets these scopes from its next token on.")
            return _to_list(request, api)
        if is_stale(form):
            form.show_saved(grant)
    return _panel(request, api, application, grant, form, status=422)


ACTIONS = {"authorize": _authorize, "deauthorize": _deauthorize, "undo": _undo, "save": _save}


def _form(api: API, application: Application, grant: ClientGrant, data: object = None) -> AuthorizationForm:
    grant.api, grant.application = api, application
    return AuthorizationForm(data, grant=grant)


def _panel(
    request: ConsoleRequest,
    api: API,
    application: Application,
    grant: ClientGrant | None,
    form: AuthorizationForm | None,
    status: int = 200,
) -> HttpResponse:
    values = {"application": application, "grant": grant, "form": form, "read_only": not can_authorize(request, api)}
    if request.htmx:  # type: ignore[attr-defined]
        response = render(request, "applications/_authorization.html", {"api": api, **values}, status=status)
    else:
        page = api_page(request, api, "machine_to_machine", **values)
        response = render(request, "applications/authorization.html", page, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _to_list(request: ConsoleRequest, api: API, opened: Application | None = None) -> HttpResponse:
    """Go back to the list as it was: same filter, same page."""
    place = QueryDict(mutable=True)
    place.update({name: search_text(request.POST[name]) for name in ("q", "show", "page") if request.POST.get(name)})
    if opened:
        place["open"] = opened.client_id
    address = reverse("applications:machine_to_machine", args=[request.tenant.name, api.pk])
    anchor = f"#{opened.client_id}" if opened else ""
    return redirect(f"{address}?{place.urlencode()}{anchor}" if place else address)
