"""Resource servers (RFC 6749 §1.1) and the scopes they offer."""

import re
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from accounts import sealing
from accounts.constraints import ConstraintsAtFields
from accounts.identifiers import hex24, no_angle_brackets, no_control_characters, no_nul, no_outer_space
from accounts.models import Tenant
from apis.quotas import TokenQuota, in_range

MANAGEMENT_API_NAME = "Auth0 Management API"
NAME_LENGTH = 200
IDENTIFIER_LENGTH = 600
SCOPE_LENGTH = 280
SCOPES_PER_API = 1000
LONGEST_LIFETIME = 2_592_000
DEFAULT_LIFETIME = 86_400
DEFAULT_LIFETIME_FOR_WEB = 7_200

SAME_IDENTIFIER = "A resource server with the same identifier already exists."
WEB_LIFETIME_LONGER = "The expiration for browser flows cannot be above token expiration."
SAME_SCOPE = "This API has a scope of that name already."

# Scopes that OpenID Connect and Auth0's user profile have taken already.
RESERVED_SCOPES = frozenset(
    "address created_at email email_verified family_name given_name identities name nickname offline_access openid "
    "phone picture profile".split()
)


class SigningAlgorithm(models.TextChoices):
    """RFC 7518 §3.1 and RFC 8037 §3.1. HS256 signs with the API's own secret, all others with the tenant's keys."""

    RS256 = "RS256", "RS256"
    RS512 = "RS512", "RS512"
    PS256 = "PS256", "PS256"
    ES256 = "ES256", "ES256"
    EDDSA = "EdDSA", "EdDSA"
    HS256 = "HS256", "HS256"


class TokenDialect(models.TextChoices):
    """What an access token looks like; `_authz` adds the `permissions` claim where the API enforces policies."""

    AUTH0 = "access_token", "Auth0"
    AUTH0_AUTHZ = "access_token_authz", "Auth0 with permissions"
    RFC9068 = "rfc9068_profile", "RFC 9068"
    RFC9068_AUTHZ = "rfc9068_profile_authz", "RFC 9068 with permissions"


class ClientPolicy(models.TextChoices):
    """Which applications may call an API on their own behalf."""

    REQUIRE_CLIENT_GRANT = "require_client_grant", "Authorized applications"
    DENY_ALL = "deny_all", "No applications"


class UserPolicy(models.TextChoices):
    """Which applications may call an API on behalf of a user."""

    ALLOW_ALL = "allow_all", "All applications"
    REQUIRE_CLIENT_GRANT = "require_client_grant", "Authorized applications"
    DENY_ALL = "deny_all", "No applications"


class APIQuerySet(models.QuerySet["API"]):
    def matching(self, text: str) -> "APIQuerySet":
        """Return the APIs whose name or identifier contains `text`, whatever the case."""
        return self.filter(models.Q(name__icontains=text) | models.Q(identifier__icontains=text)) if text else self

    def counted(self) -> "APIQuerySet":
        """Return the same with `scope_count` and `authorized_count`: scopes, and applications authorized for it."""
        authorized = models.Q(client_grants__subject_type="client")
        return self.annotate(
            scope_count=_number(models.Count("scopes")),
            authorized_count=_number(models.Count("client_grants", filter=authorized)),
        )


def _number(count: models.Count) -> models.Subquery:
    # A subquery each: joined together, 1000 scopes and 1000 authorizations of one API would be a million rows.
    return models.Subquery(API.objects.order_by().filter(pk=models.OuterRef("pk")).annotate(n=count).values("n"))


class API(ConstraintsAtFields, TokenQuota):
    """One protected resource. Applications name it by its identifier, which becomes the token's `aud`.

    `identifier` and `signing_alg` are set on creation and stay. `signing_secret` is sealed; only HS256 uses it. Tokens
    issued earlier than `not_before` are revoked.
    """

    PERMANENT = ("identifier", "signing_alg", "is_system", "tenant_id")
    CONSTRAINT_FIELDS = {SAME_IDENTIFIER: "identifier", WEB_LIFETIME_LONGER: "token_lifetime_for_web"}

    id = models.CharField(primary_key=True, max_length=24, default=hex24, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="apis", editable=False)
    name = models.CharField(
        max_length=NAME_LENGTH,
        validators=[no_outer_space, no_angle_brackets, no_control_characters],
        help_text="Only people see this. Changing it affects nothing else.",
    )
    identifier = models.CharField(
        max_length=IDENTIFIER_LENGTH,
        validators=[no_outer_space, no_control_characters, no_angle_brackets],
        help_text="Applications send this as audience. A URL is a good choice; we never call it.",
    )
    signing_alg = models.CharField(
        "signing algorithm", max_length=8, choices=SigningAlgorithm.choices, default=SigningAlgorithm.RS256
    )
    signing_secret = models.TextField(blank=True, editable=False)
    token_lifetime = models.PositiveIntegerField(
        "token expiration",
        default=DEFAULT_LIFETIME,
        validators=[
            MinValueValidator(1, "Use at least 1 second."),
            MaxValueValidator(LONGEST_LIFETIME, "Use at most 2592000 seconds (30 days)."),
        ],
        help_text="Seconds until an access token expires. From 1 second to 30 days (2,592,000).",
    )
    token_lifetime_for_web = models.PositiveIntegerField(
        "token expiration for browser flows",
        default=DEFAULT_LIFETIME_FOR_WEB,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_LIFETIME)],
        help_text="Seconds, for tokens that a browser gets from the authorization page. Not above token expiration.",
    )
    token_dialect = models.CharField(
        "token profile",
        max_length=24,
        choices=TokenDialect.choices,
        default=TokenDialect.AUTH0,
        help_text="Sets the typ header and which claims are included.",
    )
    enforce_policies = models.BooleanField(
        "enforce roles and permissions", default=False, help_text="Limits users to the permissions of their roles."
    )
    allow_offline_access = models.BooleanField(
        default=False, help_text="Applications may ask for refresh tokens for this API."
    )
    skip_consent_for_verifiable_first_party_clients = models.BooleanField(
        "allow skipping user consent",
        default=False,
        help_text="First-party applications skip the consent page, unless their callback is on localhost.",
    )
    client_policy = models.CharField(
        "application access", max_length=24, choices=ClientPolicy.choices, default=ClientPolicy.REQUIRE_CLIENT_GRANT
    )
    user_policy = models.CharField(
        "user access", max_length=24, choices=UserPolicy.choices, default=UserPolicy.ALLOW_ALL
    )
    is_system = models.BooleanField(default=False, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = APIQuerySet.as_manager()

    class Meta:
        verbose_name = "API"
        verbose_name_plural = "APIs"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "identifier"],
                name="api_identifier_once_per_tenant",
                violation_error_message=SAME_IDENTIFIER,
            ),
            models.CheckConstraint(
                condition=models.Q(token_lifetime__gte=1, token_lifetime__lte=LONGEST_LIFETIME),
                name="api_token_lifetime_range",
            ),
            models.CheckConstraint(
                condition=models.Q(token_lifetime_for_web__lte=models.F("token_lifetime")),
                name="api_lifetime_for_web_not_longer",
                violation_error_message=WEB_LIFETIME_LONGER,
            ),
            models.CheckConstraint(
                condition=models.Q(signing_alg__in=SigningAlgorithm.values), name="api_signing_alg_known"
            ),
            models.CheckConstraint(condition=models.Q(token_dialect__in=TokenDialect.values), name="api_dialect_known"),
            models.CheckConstraint(condition=~models.Q(identifier="") & ~models.Q(name=""), name="api_named"),
            in_range("api_quota_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def audit_target(self) -> tuple[str, str, str]:
        return "api", self.id, self.name

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any) -> "API":
        api = super().from_db(db, field_names, values)
        api._stored = {name: api.__dict__[name] for name in cls.PERMANENT if name in api.__dict__}  # type: ignore[attr-defined]
        return api

    def clean(self) -> None:
        """Raise ValidationError for what one field alone cannot tell."""
        wrong: dict[str, ValidationError] = {}
        for name, stored in getattr(self, "_stored", {}).items():
            if getattr(self, name) != stored:
                label = self._meta.get_field(name).verbose_name  # type: ignore[union-attr]
                wrong[name.removesuffix("_id")] = ValidationError(f"The {label} is permanent.", code="permanent")
        if self._state.adding and not self.is_system and is_reserved(self.tenant, self.identifier):
            wrong["identifier"] = ValidationError("The selected identifier is reserved.", code="reserved")
        if wrong:
            raise ValidationError(wrong)

    @property
    def uses_secret(self) -> bool:
        return self.signing_alg == SigningAlgorithm.HS256

    @property
    def secret_purpose(self) -> str:
        """What the sealed signing secret is bound to, so that it opens in no other row."""
        return f"api-secret:{self.id}"

    def reveal_signing_secret(self) -> str:
        """Return the signing secret in clear. Raises accounts.sealing.CannotUnseal."""
        return sealing.unseal(self.signing_secret, self.secret_purpose)

    def seal_signing_secret(self, secret: str) -> None:
        """Keep `secret` sealed; the caller saves. An HMAC-SHA-256 key has at least 32 bytes (RFC 7518 §3.2)."""
        if len(secret.encode()) < 32:
            raise ValidationError({"signing_secret": "Use at least 32 bytes."}, code="short_secret")
        self.signing_secret = sealing.seal(secret, self.secret_purpose)


def new_signing_secret() -> str:
    """Return 64 random characters of A-Z a-z 0-9 _ -."""
    return secrets.token_urlsafe(48)


def is_reserved(tenant: Tenant, identifier: str) -> bool:
    """Return whether an identifier would pass for one of the server's own: any address under `<issuer>api/v2`."""
    own = tenant.issuer.lower() + "api/v2"
    plain = identifier.strip().lower()
    return plain == own or plain.startswith((own + "/", own + "?", own + "#")) or plain == tenant.issuer + "userinfo"


def look_alikes(tenant: Tenant, identifier: str) -> list[API]:
    """Return the tenant's APIs that a person could take for `identifier`: another case, scheme or final slash."""

    def folded(text: str) -> str:
        return re.sub(r"\Ahttps?://", "", text.strip().lower()).rstrip("/")

    bare = folded(identifier)
    candidates = tenant.apis.filter(identifier__icontains=bare) if bare else tenant.apis.none()
    return [api for api in candidates[:20] if api.identifier != identifier and folded(api.identifier) == bare]


class Scope(ConstraintsAtFields, models.Model):
    """One permission that an API offers: a scope-token of RFC 6749 §3.3."""

    CONSTRAINT_FIELDS = {SAME_SCOPE: "value"}

    api = models.ForeignKey(API, on_delete=models.CASCADE, related_name="scopes", editable=False)
    value = models.CharField(
        "scope",
        max_length=SCOPE_LENGTH,
        validators=[
            RegexValidator(
                r"\A[\x21\x23-\x5b\x5d-\x7e]+\Z",
                'Use visible ASCII characters without spaces, " and \\, such as read:appointments.',
                code="scope_token",
            ),
        ],
    )
    description = models.CharField(max_length=500, blank=True, validators=[no_control_characters, no_nul])

    class Meta:
        ordering = ["value"]
        constraints = [
            models.UniqueConstraint(
                fields=["api", "value"],
                name="scope_once_per_api",
                violation_error_message=SAME_SCOPE,
            ),
            models.CheckConstraint(condition=~models.Q(value=""), name="scope_named"),
        ]

    def __str__(self) -> str:
        return self.value

    def audit_target(self) -> tuple[str, str, str]:
        return "scope", str(self.pk), self.value

    def clean(self) -> None:
        if self.value in RESERVED_SCOPES:
            raise ValidationError(
                {
                    "value": ValidationError(
                        f"{self.value} is reserved for OpenID Connect. Choose another name.", code="reserved"
                    )
                }
            )
