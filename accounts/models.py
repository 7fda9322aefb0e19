"""Whose house it is: tenants, the people who run them, and the invitations that let people in."""

import datetime
import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.constraints import ConstraintsAtFields
from accounts.fields import WebAddressField
from accounts.identifiers import no_angle_brackets, no_control_characters, user_id

SAME_EMAIL = "A member with this e-mail address already exists."
HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


def is_on_this_machine(issuer: str) -> bool:
    """Return whether an issuer is reached over plain http on this machine only: a server somebody tries out."""
    parts = urlsplit(issuer)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def validate_issuer(value: str) -> None:
    """Refuse what cannot be an issuer: an https origin with a final slash, or http on this very machine.

    RFC 8414 §2 asks for https without query or fragment; loopback http is for trying things out (RFC 8252 §8.3).
    """
    form = ValidationError(
        "Use an address of the form https://auth.example.com/, lower case, with the final slash and no path.",
        code="issuer_form",
    )
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").lower(), parts.port
        if ":" in host:
            ip_address(host)
    except ValueError:
        raise form from None
    plain = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}/"
    if parts.scheme not in {"http", "https"} or value != plain or not (":" in host or HOST_NAME.fullmatch(host)):
        raise form
    if port == {"http": 80, "https": 443}[parts.scheme]:
        # Clients leave it out of the Host header, so that no request would ever be for this tenant.
        raise ValidationError(f"Leave out the port {port}: it is what {parts.scheme} means anyway.", code="issuer_port")
    if parts.scheme == "http" and not is_on_this_machine(value):
        raise ValidationError("Use https. Plain http is only for this machine (localhost).", code="issuer_http")


class Tenant(models.Model):
    """A house of its own: one issuer with its keys, APIs, applications and people.

    `name` is the slug in console addresses. `issuer` is the `iss` of every token, with its final slash (RFC 8414 §2);
    `domain` is the same without scheme and slash, and is what a request's Host must say. `config_version` moves with
    every change to what a decision needs, `revocations_version` with every single token that is revoked.
    """

    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z", "Use lower-case letters, digits and hyphens.", code="slug"
            )
        ],
    )
    friendly_name = models.CharField(max_length=100, blank=True, validators=[no_angle_brackets, no_control_characters])
    issuer = models.CharField(max_length=300, unique=True, validators=[validate_issuer])
    domain = models.CharField(max_length=280, unique=True, editable=False)
    default_audience = models.CharField(max_length=600, blank=True)
    support_email = models.EmailField(blank=True)
    support_url = WebAddressField(blank=True, max_length=500)
    flags = models.JSONField(default=dict, blank=True)
    config_version = models.PositiveBigIntegerField(default=1, editable=False)
    revocations_version = models.PositiveBigIntegerField(default=0, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.friendly_name or self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.domain = urlsplit(self.issuer).netloc
        super().save(*args, **kwargs)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a saved user. Without a password the account cannot sign in with one."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a saved operator: a member who may enter the operators' admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def members(self) -> models.QuerySet["User"]:
        """Return the people who run tenants, as opposed to a tenant's end users."""
        return self.filter(tenant__isnull=True)


class User(ConstraintsAtFields, AbstractBaseUser, PermissionsMixin):
    """A person. Without a tenant a member, who runs tenants through memberships; with one, that tenant's end user."""

    CONSTRAINT_FIELDS = {SAME_EMAIL: "email"}

    user_id = models.CharField(max_length=64, unique=True, default=user_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="users")
    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True, validators=[no_angle_brackets, no_control_characters])
    is_staff = models.BooleanField("operator", default=False, help_text="May enter the operators' admin.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting a person.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "user_id"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=models.Q(tenant__isnull=True),
                name="member_email_once",
                violation_error_message=SAME_EMAIL,
            ),
            models.UniqueConstraint("tenant", Lower("email"), name="user_email_once_per_tenant"),
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True) | models.Q(is_staff=False, is_superuser=False),
                name="operators_are_members",
                violation_error_message="An end user of a tenant cannot be an operator.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        words = (self.name or self.email.partition("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in words[:2]).upper()

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return (self.name or self.email).split()[0]


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


ROLE_HELP = {
    Role.ADMIN: "Everything, including members, keys and tenant settings.",
    Role.EDITOR: "APIs, applications and authorizations. Not members, keys or tenant settings.",
    Role.VIEWER: "Looks at everything except secrets. Changes nothing.",
}


class Membership(models.Model):
    """What one member may do in one tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"

    def clean(self) -> None:
        if self.user_id is not None and self.user.tenant_id is not None:
            raise ValidationError("An end user of a tenant cannot be a member.", code="end_user")

    @property
    def can_edit(self) -> bool:
        return self.role in {Role.ADMIN, Role.EDITOR}

    @property
    def can_administer(self) -> bool:
        return self.role == Role.ADMIN


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        return self.filter(used_at__isnull=True, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A link that works once and lets one person become a member. The first one of all is the set-up link.

    Only a SHA-256 of the link's token is kept: it has 256 random bits, so a database dump opens no door.
    """

    LIFETIME = datetime.timedelta(days=7)

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    email = models.EmailField(blank=True)
    makes_operator = models.BooleanField(default=False, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.tenant}"
