"""Find an invitation by the token in its link, and make the link of the very first admin."""

from django.urls import reverse

from accounts.models import Invitation, Membership, Role, Tenant
from accounts.operations import hash_token, invite, revoke_invitation
from audit.actors import command


def by_token(token: str) -> Invitation | None:
    """Return the open invitation that this token belongs to, or None."""
    return Invitation.objects.open().select_related("tenant").filter(token_hash=hash_token(token)).first()


def setup_link(tenant: Tenant) -> str | None:
    """Return a path (`/invitation/…/`) that makes the first admin and operator, or None when there is a member.

    Links handed out by earlier starts stop working: only the newest one opens the door.
    """
    if Membership.objects.filter(tenant=tenant).exists():
        return None
    by = command("setup")
    for earlier in Invitation.objects.open().filter(tenant=tenant, makes_operator=True):
        revoke_invitation(earlier, by)
    _, token = invite(tenant, by, Role.ADMIN, makes_operator=True)
    return path(token)


def path(token: str) -> str:
    """Return where an invitation's link leads, on the console's host."""
    return reverse("accounts:invitation", args=[token])
