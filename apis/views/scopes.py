from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import is_stale, refusals_on
from accounts.lookups import find_or_404, search_text
from apis.added_scopes import address_part, offer_for
from apis.forms import ConfirmForm, ScopeDescriptionForm, ScopeForm, ScopesForm
from apis.models import API, Scope
from apis.operations import add_scopes, delete_scope, describe_scope
from apis.pages import api_page, find_api, holders, page_of

# Whoever holds an API's scopes one by one; the others hold all of them.
HELD_ONE_BY_ONE = Q(client_grants__subject_type="client", client_grants__allow_all_scopes=False)


@console_page(section="apis")
def scopes(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """List an API's scopes; a POST adds one (`value`) or several (`lines`)."""
    api = find_api(request, api_id)
    posted = request.method == "POST"
    several = posted and "lines" in request.POST
    form = ScopeForm(request.POST if posted and not several else None, api=api)
    lines_form = ScopesForm(request.POST if several else None, api=api)
    used = lines_form if several else form
    if posted and used.is_valid():
        with refusals_on(used):
            if several:
                wanted = lines_form.cleaned_data["lines"]
            else:
                wanted = [(form.cleaned_data["value"], form.cleaned_data["description"])]
            return _added(request, api, add_scopes(api, request.actor, wanted))
    q = search_text(request.GET.get("q"))
    found = api.scopes.filter(Q(value__icontains=q) | Q(description__icontains=q))
    rows = found.annotate(held=Count("client_grants", filter=HELD_ONE_BY_ONE)).order_by("value")
    values = api_page(
        request,
        api,
        "scopes",
        form=form,
        lines_form=lines_form,
        q=q,
        held_by_all=api.client_grants.filter(subject_type="client", allow_all_scopes=True).count(),
        offer=offer_for(api, request.GET.get("added", "")),
    )
    values["page"] = page_of(rows, request.GET.get("page"), None if q else values.get("scope_count"))
    return render(request, "apis/scopes.html", values, status=422 if posted else 200)


@console_page(read=EDITOR, section="apis")
def edit(request: ConsoleRequest, api_id: str, scope_id: int) -> HttpResponse:
    api, scope = _own_scope(request, api_id, scope_id)
    posted = request.method == "POST"
    form = ScopeDescriptionForm(request.POST if posted else None, instance=scope)
    if posted and form.is_valid():
        with refusals_on(form):
            describe_scope(scope, request.actor, **form.values())
            messages.success(request, f"The description of {scope} is saved.")
            return redirect("apis:scopes", request.tenant.name, api.pk)
        if is_stale(form):
            form.show_saved(find_or_404(api.scopes, pk=scope_id))
    values = {"api": api, "scope": scope, "form": form}
    return render(request, "apis/scope_edit.html", values, status=422 if posted else 200)


@console_page(read=EDITOR, section="apis")
def delete(request: ConsoleRequest, api_id: str, scope_id: int) -> HttpResponse:
    api, scope = _own_scope(request, api_id, scope_id)
    losers = holders(api.client_grants.filter(Q(scopes=scope) | Q(allow_all_scopes=True)))
    posted = request.method == "POST"
    form = ConfirmForm(request.POST if posted else None, expected=scope.value, needed=losers.count > 0)
    if posted and form.is_valid():
        with refusals_on(form):
            value = scope.value
            delete_scope(scope, request.actor)
            messages.success(request, f"{value} is deleted.")
            return redirect("apis:scopes", request.tenant.name, api.pk)
    values = {"api": api, "scope": scope, "form": form, "losers": losers}
    return render(request, "apis/scope_delete.html", values, status=422 if posted else 200)


def _added(request: ConsoleRequest, api: API, added: list[Scope]) -> HttpResponse:
    names = f"{added[0]} is" if len(added) == 1 else f"{len(added)} scopes are"
    messages.success(request, f"{names} added.")
    return redirect(reverse("apis:scopes", args=[request.tenant.name, api.pk]) + address_part(added))


def _own_scope(request: ConsoleRequest, api_id: str, scope_id: int) -> tuple[API, Scope]:
    api = find_api(request, api_id)
    scope = find_or_404(api.scopes, pk=scope_id)
    if api.is_system:
        raise PermissionDenied("The scopes of a system API cannot be changed.")
    return api, scope
