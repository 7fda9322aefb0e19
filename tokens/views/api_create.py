from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import refusals_on
from apis.forms import NewAPIForm
from apis.models import look_alikes
from tokens.setup import set_up_api


@console_page(read=EDITOR, section="apis")
def api_create(request: ConsoleRequest) -> HttpResponse:
    if "check" in request.GET:
        return check_identifier(request)
    posted = request.method == "POST"
    form = NewAPIForm(request.POST if posted else None, tenant=request.tenant)
    alike = []
    if posted and form.is_valid():
        alike = form.unconfirmed_look_alikes()
        if not alike:
            with refusals_on(form):
                wants_test = form.cleaned_data["test_application"]
                api, application = set_up_api(request.tenant, request.actor, wants_test, **form.values())
                also = " Its test application is authorized." if application else ""
                messages.success(request, f"{api} is ready.{also}")
                return redirect("apis:quick_start", request.tenant.name, api.pk)
    values = {"form": form, "alike": alike, "identifier": form.data.get("identifier", "")}
    return render(request, "apis/create.html", values, status=422 if posted else 200)


def check_identifier(request: ConsoleRequest) -> HttpResponse:
    """Answer what the page says below the identifier while it is being filled in."""
    identifier = request.GET.get("identifier", "")
    errors = NewAPIForm({"identifier": identifier}, tenant=request.tenant).errors.get("identifier", [])
    alike = look_alikes(request.tenant, identifier) if identifier and not errors else []
    values = {"identifier": identifier, "errors": errors, "alike": alike, "checked": bool(identifier)}
    return render(request, "apis/_identifier_check.html", values)
