"""Every write to tenants and their people."""

import hashlib
import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.changes import assign, change, lock, refusing, stamp
from accounts.models import Invitation, Membership, Role, Tenant, User
from accounts.versions import versions
from audit.actors import Actor
from audit.operations import record


def create_tenant(name: str, issuer: str, by: Actor, **fields: Any) -> Tenant:
    """Return the new tenant's row. `tokens.setup.create_tenant` adds what a tenant is born with: keys and system API.

    Raises ValidationError for a name or issuer that is malformed or taken.
    """
    tenant = Tenant(name=name, issuer=issuer, **fields)
    tenant.domain = issuer.partition("://")[2].rstrip("/")
    with refusing():
        tenant.full_clean()
        tenant.save(force_insert=True)
        record(tenant.name, by, "tenant.created", "tenant", tenant.name, str(tenant), after={"issuer": issuer})
    return tenant


def update_tenant(tenant: Tenant, by: Actor, revision: int | None = None, **fields: Any) -> Tenant:
    """Return the tenant with the given settings saved. Name and issuer do not change here."""
    with change(tenant, by) as work:
        fresh = lock(tenant, revision)
        difference = assign(fresh, fields)
        _offer_an_api(fresh, difference["after"].get("default_audience"))
        work.done("tenant.updated", fresh, **difference)
        if "default_audience" in difference["after"]:
            work.takes_away()
        fresh.revision += 1
        fresh.full_clean()
        fresh.save()
    return fresh


def invite(
    tenant: Tenant, by: Actor, role: str, email: str = "", makes_operator: bool = False
) -> tuple[Invitation, str]:
    """Return the invitation and its token, which is shown now or never: only its hash is kept."""
    token = secrets.token_urlsafe(32)
    with change(tenant, by) as work:
        invitation = Invitation(
            tenant=tenant,
            role=role,
            email=email.lower(),
            makes_operator=makes_operator,
            token_hash=hash_token(token),
            expires_at=timezone.now() + Invitation.LIFETIME,
        )
        invitation.full_clean()
        invitation.save()
        work.done("invitation.created", invitation, after={"role": role, "email": email})
    return invitation, token


def revoke_invitation(invitation: Invitation, by: Actor) -> None:
    """Make an invitation's link stop working."""
    with change(invitation.tenant, by) as work:
        invitation = lock(invitation)
        work.done("invitation.revoked", invitation, before={"role": invitation.role, "email": invitation.email})
        invitation.delete()


def accept_invitation(invitation: Invitation, by: Actor, email: str, name: str, password: str) -> User:
    """Return the new member. The link works once, whoever is fastest.

    Raises ValidationError when the link has been used or has expired, and for a bad e-mail address, name or password.
    """
    with change(invitation.tenant, by) as work:
        used = Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now())
        if not used:
            raise ValidationError("This link has been used already or has expired.", code="used")
        user = User(email=email.strip().lower(), name=name)
        validate_password(password, user)
        user = User.objects.create_user(
            email.strip(),
            password,
            name=name,
            is_staff=invitation.makes_operator,
            is_superuser=invitation.makes_operator,
        )
        _add_membership(invitation.tenant, user, invitation.role)
        work.done("member.joined", user, after={"role": invitation.role, "email": user.email})
    return user


def join(invitation: Invitation, by: Actor, user: User) -> Membership:
    """Return the membership of somebody who is a member elsewhere already and opened the link while signed in."""
    if invitation.makes_operator:
        # It was made for whoever sets the server up; an account that is open in some browser gets no such power by it.
        raise ValidationError("Sign out first: this link makes an operator.", code="operator")
    with change(invitation.tenant, by) as work:
        if Membership.objects.filter(tenant=invitation.tenant, user=user).exists():
            raise ValidationError("You are a member of this tenant already.", code="member")
        if not Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now()):
            raise ValidationError("This link has been used already or has expired.", code="used")
        membership = _add_membership(invitation.tenant, user, invitation.role)
        work.done("member.joined", user, after={"role": invitation.role, "email": user.email})
    return membership


def create_member(tenant: Tenant, by: Actor, email: str, password: str, role: str, operator: bool = False) -> User:
    """Return a new member with a password chosen by whoever runs the server's command line."""
    with change(tenant, by) as work:
        validate_password(password, User(email=email))
        user = User.objects.create_user(email, password, is_staff=operator, is_superuser=operator)
        _add_membership(tenant, user, role)
        work.done("member.joined", user, after={"role": role, "email": user.email})
    return user


def add_member(tenant: Tenant, by: Actor, user: User, role: str) -> Membership:
    """Return the membership of somebody who has an account already. For operators: people invite each other."""
    with change(tenant, by) as work:
        membership = _add_membership(tenant, user, role)
        work.done("member.joined", user, after={"role": role, "email": user.email})
    return membership


def update_member(user: User, by: Actor, **fields: Any) -> User:
    """Return the person with name, `is_active` or `is_staff` (operator) saved.

    The last operator stays one, and a tenant's last active admin stays active. A person belongs to no tenant, so this
    stands in the server's own history, that of the tenant "".
    """
    with transaction.atomic():
        _hold_tenants_of(user)
        fresh = lock(user)
        was_operator, was_active = fresh.is_staff and fresh.is_active, fresh.is_active
        difference = assign(fresh, fields)
        fresh.is_superuser = fresh.is_staff
        fresh.full_clean(exclude=["password"])
        operators = User.objects.members().filter(is_staff=True, is_active=True).exclude(pk=fresh.pk)
        if was_operator and not (fresh.is_staff and fresh.is_active) and not operators.exists():
            raise ValidationError(
                "A server needs at least one operator. Make somebody else operator first.", code="last_operator"
            )
        if was_active and not fresh.is_active:
            _keep_admins_without(fresh)
        fresh.save(update_fields=[*fields, "is_superuser"])
        record("", by, "member.updated", "user", fresh.user_id, str(fresh), **difference)
    return fresh


def revoke_issued_to_user(user: User, by: Actor) -> User:
    """Return the person with every token that was issued for them until now revoked. Their sign-in is left alone."""
    if user.tenant is not None:
        with change(user.tenant, by) as work:
            fresh = _without_tokens(user)
            work.done("user.tokens_revoked", fresh)
            work.takes_away()
    else:
        with transaction.atomic():
            # As in `update_member`: a member belongs to no tenant, and may have tokens in each they are a member of.
            Tenant.objects.select_for_update().order_by("id").first()
            fresh = _without_tokens(user)
            Tenant.objects.filter(memberships__user=fresh).update(config_version=F("config_version") + 1)
            record("", by, "user.tokens_revoked", "user", fresh.user_id, str(fresh))
            transaction.on_commit(versions.forget)
            transaction.on_commit(versions.settle)
    return fresh


def reset_password(user: User, by: Actor, password: str) -> User:
    """Return the person with a new password; whoever is signed in as them is signed out.

    For whoever runs the server's command line. Stands in the server's own history. Raises ValidationError for a
    password that the rules refuse.
    """
    with transaction.atomic():
        _hold_tenants_of(user)
        fresh = lock(user)
        validate_password(password, fresh)
        fresh.set_password(password)
        fresh.save(update_fields=["password"])
        record("", by, "member.password_reset", "user", fresh.user_id, str(fresh))
    return fresh


def change_role(membership: Membership, by: Actor, role: str) -> Membership:
    """Return the membership with its new role. The last admin of a tenant stays one."""
    with change(membership.tenant, by) as work:
        membership = lock(membership)
        difference = assign(membership, {"role": role})
        membership.full_clean()
        _keep_an_admin(membership, leaving=role != Role.ADMIN)
        membership.save()
        work.done("member.role_changed", membership.user, **difference)
    return membership


def remove_member(membership: Membership, by: Actor) -> None:
    """End somebody's membership. The person stays; the last admin of a tenant cannot be removed."""
    with change(membership.tenant, by) as work:
        membership = lock(membership)
        _keep_an_admin(membership, leaving=True)
        work.done("member.removed", membership.user, before={"role": membership.role, "email": membership.user.email})
        membership.delete()


def hash_token(token: str) -> str:
    """Return what is stored of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _without_tokens(user: User) -> User:
    fresh = lock(user)
    fresh.not_before = stamp(fresh.not_before)
    fresh.save(update_fields=["not_before"])
    return fresh


def _add_membership(tenant: Tenant, user: User, role: str) -> Membership:
    membership = Membership(tenant=tenant, user=user, role=role)
    membership.full_clean()
    membership.save()
    return membership


def _offer_an_api(tenant: Tenant, audience: str | None) -> None:
    # Asked when it is chosen, not by the model: an API may be deleted later, and the tenant stays valid.
    if audience and not tenant.apis.filter(identifier=audience).exists():
        raise ValidationError(
            {"default_audience": ValidationError("No API of this tenant has that identifier.", code="unknown_api")}
        )


def _keep_an_admin(membership: Membership, leaving: bool) -> None:
    if leaving and not _working_admins(membership.tenant).exclude(pk=membership.pk).exists():
        raise ValidationError("A tenant needs at least one admin. Make somebody else admin first.", code="last_admin")


def _keep_admins_without(user: User) -> None:
    for membership in user.memberships.filter(role=Role.ADMIN).select_related("tenant"):
        if not _working_admins(membership.tenant).exclude(user=user).exists():
            raise ValidationError(
                f"{user} is the only admin of {membership.tenant}. Make somebody else admin there first.",
                code="last_admin",
            )


def _working_admins(tenant: Tenant) -> QuerySet[Membership]:
    """Return the memberships of those who can do an admin's work: people switched off cannot."""
    return Membership.objects.filter(tenant=tenant, role=Role.ADMIN, user__is_active=True)


def _hold_tenants_of(user: User) -> None:
    """Lock the first tenant's row and those of the person's tenants, until the transaction ends.

    Whoever holds the first writes the server's own history: that keeps its chain in one piece. Holding the others
    keeps their admins as they are meanwhile.
    """
    theirs = Q(pk__in=Membership.objects.filter(user=user).values("tenant"))
    first = Q(pk=Tenant.objects.order_by("id").values("id")[:1])
    list(Tenant.objects.select_for_update().filter(first | theirs).order_by("id"))
