from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import refusals_on
from accounts.once import is_repeated, new_token
from applications.forms import NewApplicationForm
from applications.setup import create_authorized_application


@console_page(read=EDITOR, write=EDITOR, section="applications")
def create(request: ConsoleRequest) -> HttpResponse:
    form = NewApplicationForm(request.POST or None, tenant=request.tenant)
    if request.method == "POST" and form.is_valid():
        if is_repeated(request):
            messages.info(request, "This form was sent before. Missed the secret? Add another under Credentials.")
            return redirect("applications:list", request.tenant.name)
        with refusals_on(form):
            application, secret = create_authorized_application(request.tenant, request.actor, **form.cleaned_data)
            if secret is None:
                messages.success(request, f"{application} is ready. Say where people come back to after signing in.")
                return redirect("applications:settings", request.tenant.name, application.client_id)
            # Drawn here and now: a redirect would have to keep the secret somewhere on the way.
            values = {"application": application, "secret": secret, "api": form.cleaned_data["authorize_for"]}
            return render(request, "applications/created.html", values)
    values = {"form": form, "once": new_token()}
    return render(request, "applications/create.html", values, status=422 if form.errors else 200)
