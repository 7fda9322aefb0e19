"""Clients (RFC 6749 §1.1), what they authenticate with, and the grants that let them call APIs on their own behalf."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AbstractApplication, ApplicationManager

from accounts.fields import WebAddressField
from accounts.identifiers import alphanumeric, no_angle_brackets, no_control_characters, no_outer_space
from accounts.models import Tenant
from apis.models import API, Scope
from apis.quotas import TokenQuota, in_range
from applications.callbacks import validate_callbacks, validate_origins

LIVE_SECRETS = 2
LIVE_KEYS = 2


class ApplicationType(models.TextChoices):
    """Auth0's `app_type`. The first two keep secrets; the others run where anybody can read them."""

    NON_INTERACTIVE = "non_interactive", "Machine to Machine"
    REGULAR_WEB = "regular_web", "Regular Web Application"
    SPA = "spa", "Single Page Application"
    NATIVE = "native", "Native"


CONFIDENTIAL_TYPES = frozenset({ApplicationType.NON_INTERACTIVE, ApplicationType.REGULAR_WEB})


class GrantType(models.TextChoices):
    """RFC 6749 §4, RFC 6749 §6 and RFC 8628, by the names RFC 7591 §2 gives them."""

    CLIENT_CREDENTIALS = "client_credentials", "Client credentials"
    AUTHORIZATION_CODE = "authorization_code", "Authorization code"
    REFRESH_TOKEN = "refresh_token", "Refresh token"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code", "Device code"


DEFAULT_GRANT_TYPES: dict[str, list[str]] = {
    ApplicationType.NON_INTERACTIVE: ["client_credentials"],
    ApplicationType.REGULAR_WEB: ["authorization_code", "refresh_token", "client_credentials"],
    ApplicationType.SPA: ["authorization_code", "refresh_token"],
    ApplicationType.NATIVE: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
}


class AuthenticationMethod(models.TextChoices):
    """RFC 7591 §2 `token_endpoint_auth_method`. The two secret methods count as one kind: real SDKs send either."""

    POST = "client_secret_post", "Client secret in the body"
    BASIC = "client_secret_basic", "Client secret in the header"
    PRIVATE_KEY_JWT = "private_key_jwt", "Signed JWT (private key)"
    NONE = "none", "None (public application)"


SECRET_METHODS = frozenset({AuthenticationMethod.POST, AuthenticationMethod.BASIC})


def authentication_method_for(app_type: str, method: str) -> str:
    """Return `method` if an application of this type can use it, else the one that such applications begin with."""
    if app_type not in CONFIDENTIAL_TYPES:
        return AuthenticationMethod.NONE
    return AuthenticationMethod.POST if method == AuthenticationMethod.NONE else method


def client_id() -> str:
    """Return 32 random letters and digits, as Auth0's client ids are."""
    return alphanumeric(32)


def client_grant_id() -> str:
    return f"cgr_{alphanumeric(16)}"


def credential_id() -> str:
    return f"cred_{alphanumeric(22)}"


def default_grant_types() -> list[str]:
    return ["client_credentials"]


class ApplicationQuerySet(models.QuerySet["Application"]):
    def matching(self, text: str) -> "ApplicationQuerySet":
        """Return the applications whose name contains `text`, or whose client id is or begins with it."""
        return self.filter(models.Q(name__icontains=text) | models.Q(client_id__startswith=text)) if text else self

    def machine_to_machine(self) -> "ApplicationQuerySet":
        """Return those that may use client credentials."""
        return self.filter(uses_client_credentials=True)


class Application(TokenQuota, AbstractApplication):
    """A client of one tenant. Secrets live in `ClientSecret`, public keys in `Credential`; never here. Tokens issued to
    it earlier than `not_before` are revoked."""

    PERMANENT = ("client_id", "tenant_id")

    # The toolkit's own places for what Gatehouse keeps elsewhere or does not have.
    client_secret = None
    hash_client_secret = None
    user = None

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="applications", editable=False)
    client_id = models.CharField(max_length=255, unique=True, default=client_id, editable=False)
    name = models.CharField(max_length=255, validators=[no_outer_space, no_angle_brackets, no_control_characters])
    description = models.CharField(max_length=140, blank=True, validators=[no_control_characters])
    logo_uri = WebAddressField("logo", max_length=500, blank=True, validators=[URLValidator(["https"])])
    app_type = models.CharField("type", max_length=24, choices=ApplicationType.choices)
    is_first_party = models.BooleanField("first-party", default=True)
    enabled = models.BooleanField(
        default=True, help_text="An application that is switched off gets no tokens. Its settings stay."
    )
    grant_types = models.JSONField(default=default_grant_types)
    # What `grant_types` says of client credentials, as a column that lists can filter on in every database.
    uses_client_credentials = models.BooleanField(default=True, editable=False)
    token_endpoint_auth_method = models.CharField(
        "authentication method",
        max_length=32,
        choices=AuthenticationMethod.choices,
        default=AuthenticationMethod.POST,
    )
    redirect_uris = models.TextField(
        "allowed callback URLs",
        blank=True,
        validators=[validate_callbacks],
        help_text="One per line. Compared exactly; https, or http on this machine only.",
    )
    post_logout_redirect_uris = models.TextField(
        "allowed logout URLs", blank=True, validators=[validate_callbacks], help_text="One per line."
    )
    allowed_origins = models.TextField(
        "allowed origins (CORS)",
        blank=True,
        validators=[validate_origins],
        help_text="One per line, such as https://app.example.com. Browsers there may call the token endpoint.",
    )
    client_type = models.CharField(
        max_length=32,
        choices=AbstractApplication.CLIENT_TYPES,
        default=AbstractApplication.CLIENT_CONFIDENTIAL,
        editable=False,
    )
    not_before = models.DateTimeField(null=True, editable=False)
    authorization_grant_type = models.CharField(
        max_length=44, default=AbstractApplication.GRANT_AUTHORIZATION_CODE, editable=False
    )
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = ApplicationManager.from_queryset(ApplicationQuerySet)()

    class Meta(AbstractApplication.Meta):
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"
        verbose_name = "application"
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(app_type__in=ApplicationType.values), name="app_type_known"),
            models.CheckConstraint(
                condition=models.Q(token_endpoint_auth_method__in=AuthenticationMethod.values), name="auth_method_known"
            ),
            models.CheckConstraint(
                condition=models.Q(token_endpoint_auth_method="none", app_type__in=["spa", "native"])
                | (~models.Q(token_endpoint_auth_method="none") & ~models.Q(app_type__in=["spa", "native"])),
                name="confidential_applications_authenticate",
                violation_error_message="The authentication method does not fit the type of application.",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="application_named"),
            in_range("application_quota_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the path of its page in the console. The toolkit's own answer names a page that is not here."""
        return reverse("applications:settings", args=[self.tenant.name, self.client_id])

    def audit_target(self) -> tuple[str, str, str]:
        return "application", self.client_id, self.name

    def natural_key(self) -> tuple[str]:
        return (self.client_id,)

    def clean(self) -> None:
        """Raise ValidationError for what one field alone cannot tell. The toolkit's own rules do not apply here."""
        wrong: dict[str, ValidationError] = {}
        if not isinstance(self.grant_types, list) or not set(map(str, self.grant_types)) <= set(GrantType.values):
            wrong["grant_types"] = ValidationError("Choose from the grant types on offer.", code="grant_types")
        elif self.is_public and GrantType.CLIENT_CREDENTIALS in self.grant_types:
            wrong["grant_types"] = ValidationError("Invalid grant types: client_credentials", code="public_client")
        if self.app_type in ApplicationType.values:
            needs_none = self.app_type not in CONFIDENTIAL_TYPES
            if needs_none != (self.token_endpoint_auth_method == AuthenticationMethod.NONE):
                wrong["token_endpoint_auth_method"] = ValidationError(
                    f"A {self.get_app_type_display()} application "
                    + ("cannot keep a secret: its method is none." if needs_none else "must authenticate."),
                    code="auth_method",
                )
        if wrong:
            raise ValidationError(wrong)

    @property
    def is_public(self) -> bool:
        """Whether it runs where it can keep no secret (RFC 6749 §2.1)."""
        return self.app_type not in CONFIDENTIAL_TYPES

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.client_type = self.CLIENT_PUBLIC if self.is_public else self.CLIENT_CONFIDENTIAL
        self.uses_client_credentials = GrantType.CLIENT_CREDENTIALS in self.grant_types
        super().save(*args, **kwargs)

    def allows_grant_type(self, *grant_types: str) -> bool:
        """Return whether any of the toolkit's grant names stands for one this application has."""
        return bool({name.replace("-", "_") for name in grant_types} & set(self.grant_types))


class LiveQuerySet(models.QuerySet[Any]):
    def live(self) -> "LiveQuerySet":
        """Return those that have not expired."""
        return self.filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=timezone.now()))


class ClientSecret(models.Model):
    """One secret of an application. Two may be live, so that changing one causes no outage.

    Only a salted SHA-256 is kept: a secret has 384 random bits, so there is no dictionary to slow down.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=120, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = LiveQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"secret ending in {self.hint}"

    @property
    def is_live(self) -> bool:
        return self.expires_at is None or self.expires_at > timezone.now()


class Credential(models.Model):
    """A public key of an application, for `private_key_jwt` (RFC 7523). The private half never comes here."""

    id = models.CharField(primary_key=True, max_length=32, default=credential_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=128, blank=True, validators=[no_angle_brackets, no_control_characters])
    kid = models.CharField(max_length=64)
    alg = models.CharField(max_length=8)
    public_jwk = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = LiveQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "kid"],
                name="credential_once",
                violation_error_message="This application has that key already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.kid

    def clean(self) -> None:
        if self._state.adding and self.expires_at is not None and self.expires_at <= timezone.now():
            raise ValidationError({"expires_at": ValidationError("Choose a moment in the future.", code="past")})

    @property
    def is_live(self) -> bool:
        return self.expires_at is None or self.expires_at > timezone.now()


class SubjectType(models.TextChoices):
    CLIENT = "client", "Application"
    USER = "user", "User"


class ClientGrantQuerySet(models.QuerySet["ClientGrant"]):
    def for_clients(self) -> "ClientGrantQuerySet":
        """Return the grants behind client credentials, as opposed to those behind user flows."""
        return self.filter(subject_type=SubjectType.CLIENT)


class ClientGrant(models.Model):
    """The permission of one application to call one API, with which scopes.

    Scopes are rows of the API, so that deleting a scope takes it out of every grant. `tenant` stands here again so
    that the database itself refuses a grant between two tenants (see `applications.same_tenant`).
    """

    id = models.CharField(primary_key=True, max_length=24, default=client_grant_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="client_grants", editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="client_grants")
    api = models.ForeignKey(API, on_delete=models.CASCADE, related_name="client_grants")
    subject_type = models.CharField(max_length=8, choices=SubjectType.choices, default=SubjectType.CLIENT)
    scopes = models.ManyToManyField(Scope, blank=True, related_name="client_grants")
    allow_all_scopes = models.BooleanField(
        "all scopes, also future ones", default=False, help_text="Every scope of the API, now and later."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ClientGrantQuerySet.as_manager()

    class Meta:
        verbose_name = "authorization"
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "application", "api", "subject_type"],
                name="client_grant_once",
                violation_error_message="This application is authorized for that API already.",
            ),
            models.CheckConstraint(
                condition=models.Q(subject_type__in=SubjectType.values), name="client_grant_subject_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} → {self.api}"

    def audit_target(self) -> tuple[str, str, str]:
        return "client_grant", self.id, str(self)

    def clean(self) -> None:
        """Raise ValidationError when the two ends do not fit together."""
        application, api = self.application, self.api
        if not application.tenant_id == api.tenant_id == self.tenant_id:
            raise ValidationError({"api": ValidationError("This API belongs to another tenant.", code="tenant")})
        if self.subject_type == SubjectType.CLIENT and GrantType.CLIENT_CREDENTIALS not in application.grant_types:
            raise ValidationError(
                {
                    "application": ValidationError(
                        f"{application} may not use client credentials. Allow that grant type in its settings first.",
                        code="grant_type",
                    )
                }
            )

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def scope_values(self) -> list[str]:
        """Return what the application may ask for now, in alphabetical order."""
        scopes = self.api.scopes if self.allow_all_scopes else self.scopes
        return sorted(scope.value for scope in scopes.all())
