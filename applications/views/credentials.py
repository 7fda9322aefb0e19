from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import EDITOR, ConsoleRequest, console_page
from accounts.editing import refusals_on, refusals_told
from accounts.lookups import find_or_404
from accounts.once import is_repeated, new_token
from applications import operations
from applications.forms import KeyForm, MethodForm, RollForm
from applications.models import LIVE_KEYS, LIVE_SECRETS, SECRET_METHODS, Application, AuthenticationMethod
from applications.pages import application_page, can_change_credentials, find_application, find_to_authenticate
from applications.sentences import last_way_in

ENDED_SHOWN = 3


@console_page(section="applications")
def credentials(request: ConsoleRequest, client_id: str) -> HttpResponse:
    return _page(request, find_application(request, client_id))


@console_page(read=EDITOR, write=EDITOR, section="applications")
def method(request: ConsoleRequest, client_id: str) -> HttpResponse:
    """Change how an application authenticates; what ends its secrets is asked for twice."""
    application = find_to_authenticate(request, client_id)
    if request.method != "POST":
        return _back(request, application)
    form = MethodForm(request.POST)
    if not form.is_valid():
        return _page(request, application, method_form=form)
    chosen, secrets = form.cleaned_data["method"], application.secrets.live()
    signs = chosen == AuthenticationMethod.PRIVATE_KEY_JWT and application.credentials.live().exists()
    if signs and not form.cleaned_data["confirmed"] and secrets:
        return render(request, "applications/method.html", {"application": application, "secrets": secrets})
    with refusals_on(form):
        changed, secret = operations.set_authentication_method(application, request.actor, chosen)
        if secret is not None:
            return _shown(request, changed, secret, "It had none that works, so here is its first.")
        name = changed.get_token_endpoint_auth_method_display()
        messages.success(request, f"{application} now authenticates so: {name}.")
        return _back(request, application)
    return _page(request, application, method_form=form)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def secret_add(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_to_authenticate(request, client_id)
    if request.method != "POST" or _repeated(request):
        return _back(request, application)
    try:
        secret = operations.add_secret(application, request.actor)
    except ValidationError as error:
        return _page(request, application, refusal=" ".join(error.messages))
    return _shown(request, application, secret, "The one before goes on working until you revoke it.")


@console_page(read=EDITOR, write=EDITOR, section="applications")
def secret_roll(request: ConsoleRequest, client_id: str, secret_id: int) -> HttpResponse:
    application = find_to_authenticate(request, client_id)
    old = find_or_404(application.secrets.live().select_related("application__tenant"), pk=secret_id)
    only_now = application.secrets.live().count() >= LIVE_SECRETS
    form = RollForm(request.POST or None, only_now=only_now)
    if request.method == "POST" and form.is_valid():
        if _repeated(request):
            return _back(request, application)
        grace = form.cleaned_data["grace"]
        with refusals_on(form):
            secret = operations.roll_secret(old, request.actor, grace)
            ends = "stopped working now" if not grace else "works a while longer; Credentials says until when"
            return _shown(request, application, secret, f"The old one, ending in {old.hint}, {ends}.")
    values = {"application": application, "secret": old, "form": form, "only_now": only_now, "once": new_token()}
    return render(request, "applications/secret_roll.html", values, status=422 if form.errors else 200)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def secret_revoke(request: ConsoleRequest, client_id: str, secret_id: int) -> HttpResponse:
    application = find_to_authenticate(request, client_id)
    secret = find_or_404(application.secrets.select_related("application__tenant"), pk=secret_id)
    if request.method == "POST":
        with refusals_told(request):
            operations.revoke_secret(secret, request.actor)
            messages.success(request, f"The secret ending in {secret.hint} no longer works.")
        return _back(request, application)
    values = {"application": application, "secret": secret, "last": last_way_in(application, secret)}
    return render(request, "applications/secret_revoke.html", values)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def key_add(request: ConsoleRequest, client_id: str) -> HttpResponse:
    application = find_to_authenticate(request, client_id)
    if application.is_public:
        return _back(request, application)
    form = KeyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            key = operations.add_credential(application, request.actor, **form.values())
            messages.success(request, f"The key {key} is added.")
            return _back(request, application)
    values = {"application": application, "form": form}
    return render(request, "applications/key_add.html", values, status=422 if form.errors else 200)


@console_page(read=EDITOR, write=EDITOR, section="applications")
def key_delete(request: ConsoleRequest, client_id: str, credential_id: str) -> HttpResponse:
    application = find_to_authenticate(request, client_id)
    key = find_or_404(application.credentials.select_related("application__tenant"), pk=credential_id)
    refusal = ""
    if request.method == "POST":
        try:
            operations.delete_credential(key, request.actor)
        except ValidationError as error:
            refusal = " ".join(error.messages)
        else:
            messages.success(request, f"The key {key} is deleted.")
            return _back(request, application)
    values = {"application": application, "key": key, "refusal": refusal}
    return render(request, "applications/key_delete.html", values, status=422 if refusal else 200)


def _page(
    request: ConsoleRequest, application: Application, refusal: str = "", method_form: MethodForm | None = None
) -> HttpResponse:
    """Draw the tab, with what was refused if something was."""
    secrets = sorted(application.secrets.all(), key=lambda secret: (not secret.is_live, -secret.created_at.timestamp()))
    live = [secret for secret in secrets if secret.is_live]
    keys = list(application.credentials.all())
    values: dict[str, Any] = {
        "method_form": method_form or MethodForm(initial={"method": application.token_endpoint_auth_method}),
        "uses_secret": application.token_endpoint_auth_method in SECRET_METHODS,
        "secrets": live + secrets[len(live) :][:ENDED_SHOWN],
        "live_secrets": len(live),
        "most_secrets": LIVE_SECRETS,
        "keys": keys,
        "live_keys": sum(key.is_live for key in keys),
        "most_keys": LIVE_KEYS,
        "refusal": refusal,
        "can_change": can_change_credentials(request, application),
        "once": new_token(),
    }
    refused = bool(refusal or (method_form and method_form.errors))
    context = application_page(application, "credentials", **values)
    return render(request, "applications/credentials.html", context, status=422 if refused else 200)


def _shown(request: ConsoleRequest, application: Application, secret: str, about: str) -> HttpResponse:
    """Draw the page that shows a secret, here and now: a redirect would have to keep it somewhere on the way."""
    values = {"application": application, "secret": secret, "about": about}
    return render(request, "applications/secret_shown.html", values)


def _repeated(request: ConsoleRequest) -> bool:
    if not is_repeated(request):
        return False
    messages.info(request, "This form was sent before. Its secret was shown then, once.")
    return True


def _back(request: ConsoleRequest, application: Application) -> HttpResponse:
    return redirect("applications:credentials", request.tenant.name, application.client_id)
