from copy import copy

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import is_stale, refusals_on, refusals_told, show_saved
from accounts.once import is_repeated, new_token
from apis.forms import APISettingsForm, ConfirmForm, SystemAPISettingsForm
from apis.operations import (
    delete_api,
    note_signing_secret_seen,
    revoke_issued_for_api,
    rotate_signing_secret,
    update_api,
)
from apis.pages import api_page, find_api, holders


@console_page(section="apis")
def settings(request: ConsoleRequest, api_id: str) -> HttpResponse:
    api = find_api(request, api_id)
    posted = request.method == "POST"
    form_class = SystemAPISettingsForm if api.is_system else APISettingsForm
    # The form writes what was typed onto its instance; the page's head shows what is saved.
    form = form_class(request.POST if posted else None, instance=copy(api))
    if posted and form.is_valid():
        with refusals_on(form):
            update_api(api, request.actor, revision=form.cleaned_data["revision"], **form.values())
            messages.success(request, "Saved. New tokens follow these settings.")
            return redirect("apis:settings", request.tenant.name, api.pk)
        if is_stale(form):
            show_saved(form, find_api(request, api_id))
    values = api_page(request, api, "settings", form=form)
    return render(request, "apis/settings.html", values, status=422 if posted else 200)


@console_page(read=EDITOR, section="apis")
@reauthentication_required
def signing_secret(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """Show or rotate the secret of an HS256 API, for somebody who typed their password a moment ago."""
    api = find_api(request, api_id)
    if not api.uses_secret:
        raise Http404
    values = api_page(request, api, "settings", once=new_token())
    action = request.POST.get("action")
    try:
        if action == "reveal":
            note_signing_secret_seen(api, request.actor)
            values["secret"] = api.reveal_signing_secret()
        elif action == "rotate" and is_repeated(request):
            messages.info(
                request, "This form was sent before. The new secret was shown then; reveal it to see it again."
            )
            return redirect("apis:signing_secret", request.tenant.name, api.pk)
        elif action == "rotate":
            values["secret"] = rotate_signing_secret(api, request.actor)
            values["rotated"] = True
    except ValidationError as error:
        raise PermissionDenied(" ".join(error.messages)) from None
    return render(request, "apis/signing_secret.html", values)


@console_page(read=EDITOR, section="apis")
def revoke_issued(request: ConsoleRequest, api_id: str) -> HttpResponse:
    api = find_api(request, api_id)
    if request.method == "POST":
        with refusals_told(request):
            revoke_issued_for_api(api, request.actor)
            messages.success(request, f"What was issued for {api} until now is revoked.")
        return redirect("apis:settings", request.tenant.name, api.pk)
    values = {"api": api, "longest": api.token_lifetime, "revoked_at": api.not_before}
    return render(request, "apis/revoke_issued.html", values)


@console_page(read=EDITOR, section="apis")
def delete(request: ConsoleRequest, api_id: str) -> HttpResponse:
    api = find_api(request, api_id)
    if api.is_system:
        raise PermissionDenied("System resource servers cannot be deleted.")
    losers = holders(api.client_grants)
    posted = request.method == "POST"
    form = ConfirmForm(request.POST if posted else None, expected=api.name, needed=losers.count > 0)
    if posted and form.is_valid():
        with refusals_on(form):
            delete_api(api, request.actor)
            messages.success(request, f"{api} is deleted.")
            return redirect("apis:list", request.tenant.name)
    values = {"api": api, "form": form, "losers": losers}
    return render(request, "apis/delete.html", values, status=422 if posted else 200)
