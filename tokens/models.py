"""The authorization server's own rows: signing keys, assertions seen, tokens revoked, and the log of what was decided.

The five classes at the end are the toolkit's, swapped in the very first migration because that cannot be done later;
nothing writes to them until the flows with a user exist.
"""

import datetime
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils import timezone
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from accounts import sealing
from accounts.models import Tenant
from apis.models import LONGEST_LIFETIME, SigningAlgorithm

PREVIOUS_KEPT = datetime.timedelta(seconds=LONGEST_LIFETIME)
KEY_ALGORITHMS = [alg for alg in SigningAlgorithm.values if alg != SigningAlgorithm.HS256]


class KeyState(models.TextChoices):
    """A key is published from `next` on, signs as `current`, and stays published as `previous` for its tokens."""

    NEXT = "next", "Next"
    CURRENT = "current", "Current"
    PREVIOUS = "previous", "Previous"
    REVOKED = "revoked", "Revoked"


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def published(self) -> "SigningKeyQuerySet":
        """Return what the JWKS shows: current, next and previous keys, RS256 first, in that order.

        A previous key is needed until the last token it signed has expired, and no token lives longer than 30 days.
        """
        retired = models.Q(state=KeyState.PREVIOUS, previous_at__lt=timezone.now() - PREVIOUS_KEPT)
        return (
            self.exclude(state=KeyState.REVOKED)
            .exclude(retired)
            .annotate(
                place=models.Case(
                    models.When(state=KeyState.CURRENT, then=0),
                    models.When(state=KeyState.NEXT, then=1),
                    default=2,
                    output_field=models.IntegerField(),
                ),
                family=models.Case(
                    *(models.When(alg=alg, then=place) for place, alg in enumerate(KEY_ALGORITHMS)),
                    output_field=models.IntegerField(),
                ),
            )
            .order_by("family", "place", "-created_at")
        )


class SigningKey(models.Model):
    """A key pair of a tenant for one algorithm (RFC 7517). The private half is sealed; the public one is what the JWKS
    shows, with its certificate. Exactly one key per tenant and algorithm is current, one is next."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="signing_keys")
    kid = models.CharField(max_length=64)
    alg = models.CharField(max_length=8, choices=[(alg, alg) for alg in KEY_ALGORITHMS])
    state = models.CharField(max_length=8, choices=KeyState.choices)
    private_jwk = models.TextField(editable=False)
    public_jwk = models.JSONField()
    certificate = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    current_at = models.DateTimeField(null=True, editable=False)
    previous_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kid"], name="signing_key_kid_once"),
            models.UniqueConstraint(
                fields=["tenant", "alg"], condition=models.Q(state="current"), name="signing_key_one_current"
            ),
            models.UniqueConstraint(
                fields=["tenant", "alg"], condition=models.Q(state="next"), name="signing_key_one_next"
            ),
            models.CheckConstraint(condition=models.Q(state__in=KeyState.values), name="signing_key_state_known"),
            models.CheckConstraint(condition=models.Q(alg__in=KEY_ALGORITHMS), name="signing_key_alg_known"),
        ]

    def __str__(self) -> str:
        return self.kid

    def audit_target(self) -> tuple[str, str, str]:
        return "signing_key", self.kid, f"{self.alg} {self.kid[:12]}"

    @property
    def needed_until(self) -> datetime.datetime | None:
        """Return when the last token that a previous key can have signed has expired; None for the other states."""
        return self.previous_at + PREVIOUS_KEPT if self.previous_at and self.state == KeyState.PREVIOUS else None

    @property
    def purpose(self) -> str:
        """What the sealed private key is bound to, so that it opens in no other row."""
        return f"signing-key:{self.tenant_id}:{self.kid}"

    def reveal_private_jwk(self) -> str:
        """Return the private JWK as JSON. Raises accounts.sealing.CannotUnseal."""
        return sealing.unseal(self.private_jwk, self.purpose)


class UsedAssertion(models.Model):
    """A `jti` of a client assertion that has been presented (RFC 7523 §3). The unique constraint makes it single use
    in every process and across restarts."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    client_id = models.CharField(max_length=255)
    jti = models.CharField(max_length=128)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "client_id", "jti"], name="assertion_used_once")]

    def __str__(self) -> str:
        return self.jti


class RevokedToken(models.Model):
    """An access token that was revoked by itself (RFC 7009), by its `jti`, for as long as it would have lived.

    Rows are written while the tenant's row is held, so their ids grow in the order in which they are committed.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    jti = models.CharField(max_length=128)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "jti"], name="token_revoked_once")]

    def __str__(self) -> str:
        return self.jti


def log_id() -> str:
    """Return a sortable decimal id in Auth0's form: 900, the time in microseconds, and random digits."""
    now = timezone.now()
    return f"900{now:%Y%m%d%H%M%S%f}{secrets.randbelow(10**9):09d}"


class LogEntryQuerySet(models.QuerySet["LogEntry"]):
    def newest_first(self) -> "LogEntryQuerySet":
        return self.order_by("-log_id")


class LogEntry(models.Model):
    """One token request worth keeping: every denial and every test run, with the decision's own checks.

    A warning is about no single request: it says how much of a quota is used.
    """

    SUCCESS, FAILURE, QUOTA_WARNING = "seccft", "feccft", "token_quota_consumption_warning"

    log_id = models.CharField(primary_key=True, max_length=40, default=log_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="log_entries")
    at = models.DateTimeField(default=timezone.now)
    type = models.CharField(max_length=32)
    description = models.CharField(max_length=1000, blank=True)
    rule = models.CharField(max_length=64, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    client_name = models.CharField(max_length=255, blank=True)
    audience = models.CharField(max_length=600, blank=True)
    api_name = models.CharField(max_length=200, blank=True)
    scope = models.TextField(blank=True)
    is_test = models.BooleanField(default=False)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    details = models.JSONField(default=dict)

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "log entries"
        ordering = ["-log_id"]
        indexes = [
            models.Index(fields=["tenant", "-log_id"], name="log_newest_first"),
            models.Index(fields=["tenant", "client_id", "-log_id"], name="log_by_client"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.description or self.type

    @property
    def succeeded(self) -> bool:
        return self.type == self.SUCCESS

    @property
    def is_warning(self) -> bool:
        return self.type == self.QUOTA_WARNING

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Return the decision's checks as they were recorded."""
        return self.details.get("checks", [])


ISSUED = "issued"


@dataclass(frozen=True)
class LastDay:
    """How many tokens were issued in each of the last 24 hours of the clock, oldest first; the last one still runs."""

    hours: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.hours)


class UsageQuerySet(models.QuerySet["UsageBucket"]):
    def last_day(self, field: str, wanted: Sequence[str]) -> dict[str, LastDay]:
        """Return what was issued in the last 24 hours for each of `wanted`. field: "api_id" or "client_id"."""
        end = timezone.now().replace(minute=0, second=0, microsecond=0)
        hours = [end - datetime.timedelta(hours=back) for back in range(23, -1, -1)]
        recent = self.filter(outcome=ISSUED, hour__gte=hours[0], **{f"{field}__in": wanted})
        found = {
            (of, hour): issued for of, hour, issued in recent.values_list(field, "hour").annotate(models.Sum("count"))
        }
        return {of: LastDay(tuple(found.get((of, hour), 0) for hour in hours)) for of in wanted}

    def last_tokens(self, api_id: str, client_ids: Sequence[str]) -> dict[str, datetime.datetime]:
        """Return when each of these applications got its latest token for an API; those that never did are left out."""
        issued = self.filter(outcome=ISSUED, api_id=api_id, client_id__in=client_ids)
        return dict(issued.values_list("client_id").annotate(models.Max("last_at")))


class UsageBucket(models.Model):
    """How often requests of one application for one API came to one outcome within an hour.

    outcome: "issued", or the rule that refused. Ids are text, because usage outlives what it is about; an application
    or API that nothing is known of is "".
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="usage")
    client_id = models.CharField(max_length=255, blank=True)
    api_id = models.CharField(max_length=24, blank=True)
    outcome = models.CharField(max_length=64)
    hour = models.DateTimeField(db_index=True)
    count = models.BigIntegerField()
    last_at = models.DateTimeField()

    objects = UsageQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "client_id", "api_id", "outcome", "hour"], name="usage_once")
        ]
        indexes = [models.Index(fields=["tenant", "api_id", "hour"], name="usage_by_api")]

    def __str__(self) -> str:
        return f"{self.count} {self.outcome}"


class QuotaCounter(models.Model):
    """How much of a quota the workers have taken in one window: what was issued, and what they hold in advance.

    name: "client:<client id>:per_hour" and the like.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=300)
    started_at = models.DateTimeField(db_index=True)
    taken = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "name", "started_at"], name="quota_counter_once")]

    def __str__(self) -> str:
        return self.name


class AuthorizationCode(AbstractGrant):
    """An authorization code (RFC 6749 §4.1)."""

    class Meta(AbstractGrant.Meta):
        swappable = "OAUTH2_PROVIDER_GRANT_MODEL"


class AccessToken(AbstractAccessToken):
    """The issuance record that the toolkit wants beside a refresh token. Machine tokens have no row."""

    class Meta(AbstractAccessToken.Meta):
        swappable = "OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL"


class RefreshToken(AbstractRefreshToken):
    """A refresh token (RFC 6749 §6), by its checksum."""

    class Meta(AbstractRefreshToken.Meta):
        swappable = "OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL"


class IDToken(AbstractIDToken):
    """Never written; the toolkit swaps its three token models together or not at all."""

    class Meta(AbstractIDToken.Meta):
        swappable = "OAUTH2_PROVIDER_ID_TOKEN_MODEL"


class Device(AbstractDeviceGrant):
    """A device authorization (RFC 8628)."""

    class Meta(AbstractDeviceGrant.Meta):
        swappable = "OAUTH2_PROVIDER_DEVICE_GRANT_MODEL"
