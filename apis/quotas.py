"""How many tokens an application may get, or may be issued for an API, in each hour and each day of the clock (UTC)."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

MOST = 2**31 - 1
LIMITS = [
    MinValueValidator(1, "Use at least 1, or leave it empty for no quota."),
    MaxValueValidator(MOST, f"Use at most {MOST}."),
]
FIELDS = ("quota_per_hour", "quota_per_day", "quota_enforce")


class TokenQuota(models.Model):
    """Auth0's `token_quota.client_credentials`, as columns. An empty number is no quota."""

    quota_per_hour = models.PositiveIntegerField(
        "tokens per hour",
        null=True,
        blank=True,
        validators=LIMITS,
        help_text="Starts anew with each hour, UTC. Empty: no quota.",
    )
    quota_per_day = models.PositiveIntegerField(
        "tokens per day",
        null=True,
        blank=True,
        validators=LIMITS,
        help_text="Starts anew at 00:00 UTC. Empty: no quota.",
    )
    quota_enforce = models.BooleanField(
        "enforce the quota",
        default=True,
        help_text="Refuses tokens beyond the quota. Off: they are issued, and Logs says so at 60, 80 and 100 percent.",
    )

    class Meta:
        abstract = True


def in_range(name: str) -> models.CheckConstraint:
    """Return the rule for the database; NULL passes, as no quota should."""
    both = models.Q(quota_per_hour__gte=1, quota_per_hour__lte=MOST, quota_per_day__gte=1, quota_per_day__lte=MOST)
    return models.CheckConstraint(condition=both, name=name)
