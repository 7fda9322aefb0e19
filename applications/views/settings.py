from copy import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import is_stale, refusals_on, refusals_told, show_saved
from apis.forms import ConfirmForm
from applications.forms import ApplicationForm
from applications.operations import delete_application, revoke_issued_to_application, update_application
from applications.pages import application_page, authorized_apis, find_application, longest_lifetime
from applications.sentences import losses_of


@console_page(section="applications")
def settings(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_application(request, client_id)
    losses = losses_of(application)
    # The form writes what was typed onto its instance; the page's head shows what is saved.
    form = ApplicationForm(request.POST or None, instance=copy(application), losses=losses)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            update_application(application, request.actor, **form.values())
            messages.success(request, "Settings saved.")
            return redirect("applications:settings", request.tenant.name, client_id)
        if is_stale(form):
            show_saved(form, find_application(request, client_id))
    values = application_page(application, "settings", form=form, losses=losses)
    return render(request, "applications/settings.html", values, status=422 if form.errors else 200)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def revoke_issued(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_application(request, client_id)
    if request.method == "POST":
        with refusals_told(request):
            revoke_issued_to_application(application, request.actor)
            messages.success(request, f"What was issued to {application} until now is revoked.")
        return redirect("applications:settings", request.tenant.name, client_id)
    values = {
        "application": application,
        "longest": longest_lifetime(application),
        "revoked_at": application.not_before,
    }
    return render(request, "applications/revoke_issued.html", values)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def delete(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_application(request, client_id)
    form = ConfirmForm(request.POST or None, expected=application.name, needed=True)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            delete_application(application, request.actor)
            messages.success(request, f"{application} is deleted.")
            return redirect("applications:list", request.tenant.name)
    values = {"application": application, "form": form, "apis": authorized_apis(application)}
    return render(request, "applications/delete.html", values, status=422 if form.errors else 200)
