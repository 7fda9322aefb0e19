"""What happened: one row per change, chained by hash, never updated and never deleted by the product."""

import hashlib
import json
from typing import Any

from django.db import models


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, tenant_name: str) -> "EventQuerySet":
        return self.filter(tenant=tenant_name)

    def newest_first(self) -> "EventQuerySet":
        return self.order_by("-sequence")


class Event(models.Model):
    """One change somebody made in one tenant.

    Actor and target are stored as text and ids, so that history survives the deletion of either. `hash` covers every
    other column and the hash of the event before it; see `audit.chain` for the check.
    """

    tenant = models.CharField(max_length=63)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    type = models.CharField(max_length=64)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=255)
    target_type = models.CharField(max_length=32)
    target_id = models.CharField(max_length=128, blank=True)
    target_name = models.CharField(max_length=600, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sequence"], name="event_once_per_place_in_chain"),
        ]
        indexes = [models.Index(fields=["tenant", "target_type", "target_id"], name="event_by_target")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.type} {self.target_name}".strip()

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """Return (field, before, after) for every field that the change touched, in alphabetical order."""
        before, after = self.details.get("before", {}), self.details.get("after", {})
        return [(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]

    def digest(self) -> str:
        """Return the SHA-256 (hex) of this event's content and of the hash of the one before it."""
        content = {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if field.attname not in {"id", "hash"}
        }
        content["at"] = self.at.isoformat()
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Clearing(models.Model):
    """When old rows of one table were last cleared away, and how many. It is for operators, and no history."""

    table = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()
    rows = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.table
