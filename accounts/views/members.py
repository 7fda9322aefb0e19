from urllib.parse import urljoin

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import operations
from accounts.access import ADMIN, ConsoleRequest, console_page
from accounts.editing import refusals_on, refusals_told
from accounts.forms import InviteForm, RoleForm
from accounts.lookups import find_or_404
from accounts.once import is_repeated, new_token


@console_page(section="members")
def members(request: ConsoleRequest) -> HttpResponse:
    values = {
        "people": request.tenant.memberships.select_related("user").order_by("user__email"),
        "invitations": request.tenant.invitations.open() if request.membership.can_administer else [],
    }
    return render(request, "accounts/members.html", values)


@console_page(read=ADMIN, write=ADMIN, section="members")
def invite(request: ConsoleRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, initial={"role": "viewer"})
    if request.method == "POST" and form.is_valid():
        if is_repeated(request):
            messages.info(request, "This invitation was made before. Its link was shown then, once.")
            return redirect("accounts:members", request.tenant.name)
        with refusals_on(form):
            made, token = operations.invite(request.tenant, request.actor, **form.cleaned_data)
            link = urljoin(settings.GATEHOUSE_CONSOLE_URL, reverse("accounts:invitation", args=[token]))
            # Drawn here and now: a redirect would have to keep the link somewhere on the way.
            return render(request, "accounts/invited.html", {"invitation": made, "link": link})
    status = 422 if form.errors else 200
    return render(request, "accounts/invite.html", {"form": form, "once": new_token()}, status=status)


@console_page(read=ADMIN, write=ADMIN, section="members")
def role(request: ConsoleRequest, membership_id: int) -> HttpResponse:
    person = find_or_404(request.tenant.memberships.select_related("user"), pk=membership_id)
    form = RoleForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            changed = operations.change_role(person, request.actor, form.cleaned_data["role"])
            messages.success(request, f"{person.user} is now {changed.get_role_display().lower()}.")
            return redirect("accounts:members", request.tenant.name)
    status = 422 if form.errors else 200
    return render(request, "accounts/member_role.html", {"form": form, "person": person}, status=status)


@console_page(read=ADMIN, write=ADMIN, section="members")
def remove(request: ConsoleRequest, membership_id: int) -> HttpResponse:
    person = find_or_404(request.tenant.memberships.select_related("user"), pk=membership_id)
    refusal = ""
    if request.method == "POST":
        try:
            operations.remove_member(person, request.actor)
        except ValidationError as error:
            refusal = " ".join(error.messages)
        else:
            messages.success(request, f"{person.user} is no longer a member of {request.tenant}.")
            if person.user == request.user:
                return redirect("accounts:home")
            return redirect("accounts:members", request.tenant.name)
    values = {"person": person, "refusal": refusal}
    return render(request, "accounts/member_remove.html", values, status=422 if refusal else 200)


@require_POST
@console_page(read=ADMIN, write=ADMIN, section="members")
def revoke_invitation(request: ConsoleRequest, invitation_id: int) -> HttpResponse:
    found = find_or_404(request.tenant.invitations.open(), pk=invitation_id)
    with refusals_told(request):
        operations.revoke_invitation(found, request.actor)
        messages.success(request, "The invitation’s link no longer works.")
    return redirect("accounts:members", request.tenant.name)
