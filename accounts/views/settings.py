import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import operations
from accounts.access import ADMIN, ConsoleRequest, console_page
from accounts.editing import is_stale, refusals_on, show_saved
from accounts.forms import TenantForm


@console_page(write=ADMIN, section="settings")
def settings(request: ConsoleRequest) -> HttpResponse:
    # A copy: a form writes onto its instance, and the page around it goes on showing what is stored.
    form = TenantForm(request.POST or None, instance=copy.copy(request.tenant))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            operations.update_tenant(request.tenant, request.actor, **form.cleaned_data)
            messages.success(request, "Settings saved.")
            return redirect("accounts:tenant_settings", request.tenant.name)
        if is_stale(form):
            request.tenant.refresh_from_db()
            show_saved(form, request.tenant)
    status = 422 if form.errors else 200
    return render(request, "accounts/settings.html", {"form": form}, status=status)
