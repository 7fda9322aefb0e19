from typing import cast

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import operations
from accounts.access import actor_of
from accounts.editing import refuse
from accounts.forms import AcceptForm
from accounts.invitations import by_token
from accounts.models import Invitation, User
from audit.actors import Actor


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let somebody in who holds a link: with a new account, or with the one they are signed in with."""
    found = by_token(token)
    if found is None:
        return _gone(request)
    if request.user.is_authenticated:
        return _join(request, found)
    return _accept(request, found)


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = AcceptForm(request.POST or None, initial={"email": found.email})
    if request.method == "POST" and form.is_valid():
        here = actor_of(request)
        somebody = Actor("", form.cleaned_data["email"], here.ip, here.user_agent)
        try:
            user = operations.accept_invitation(found, somebody, **form.cleaned_data)
        except ValidationError as error:
            if getattr(error, "code", "") == "used":
                return _gone(request)
            refuse(form, error)
        else:
            get_adapter(request).login(request, user)
            messages.success(request, f"Welcome to {found.tenant}.")
            return redirect("accounts:tenant", found.tenant.name)
    status = 422 if form.errors else 200
    return render(request, "accounts/invitation.html", {"form": form, "invitation": found}, status=status)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    user, refusal = cast(User, request.user), ""
    if request.method == "POST":
        try:
            operations.join(found, actor_of(request), user)
        except ValidationError as error:
            refusal = " ".join(error.messages)
        else:
            messages.success(request, f"Welcome to {found.tenant}.")
            return redirect("accounts:tenant", found.tenant.name)
    is_member = found.tenant.memberships.filter(user=user).exists()
    values = {"invitation": found, "is_member": is_member, "refusal": refusal}
    return render(request, "accounts/join.html", values, status=422 if refusal else 200)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation_gone.html", status=410)
