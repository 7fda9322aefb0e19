"""Every write of the authorization server: keys, assertions seen, and its log."""

import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import sealing
from accounts.changes import change, lock
from accounts.models import Tenant
from apis.models import SigningAlgorithm
from audit.actors import SERVER, Actor
from tokens import keys
from tokens.models import KeyState, LogEntry, SigningKey, UsedAssertion

# How long a verifier may keep the JWKS. A key signs nothing before every such copy has had time to hold it.
JWKS_MAX_AGE = 300


def ensure_signing_keys(tenant: Tenant, alg: str, by: Actor = SERVER) -> bool:
    """Make the current and next key of `alg` if the tenant has none; return whether it had to.

    A tenant is born with RS256 keys and gets others with its first API that needs them, because some verifiers read
    every key of a JWKS as RSA.
    """
    if alg == SigningAlgorithm.HS256:
        return False
    if SigningKey.objects.filter(tenant=tenant, alg=alg, state=KeyState.CURRENT).exists():
        return False
    with transaction.atomic():
        # Two first requests may meet here: the tenant's row lets one of them through at a time.
        tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if SigningKey.objects.filter(tenant=tenant, alg=alg, state=KeyState.CURRENT).exists():
            return False
        with change(tenant, by) as work:
            current = _new_key(tenant, alg, KeyState.CURRENT)
            _new_key(tenant, alg, KeyState.NEXT)
            work.done("signing_key.created", current, alg=alg)
    return True


def rotate_signing_keys(
    tenant: Tenant, by: Actor, emergency: bool = False, now: datetime.datetime | None = None
) -> list[SigningKey]:
    """Return the new current keys: for each algorithm next becomes current, current previous, and a new next is made.

    Raises ValidationError (code "too_soon") while a next key is younger than the JWKS may be cached, unless
    `emergency`: verifiers that fetch keys rarely would meet tokens of a key they have not seen.
    """
    now = now or timezone.now()
    with change(tenant, by) as work:
        rows = list(SigningKey.objects.select_for_update().filter(tenant=tenant).exclude(state=KeyState.REVOKED))
        upcoming = [key for key in rows if key.state == KeyState.NEXT]
        wait = max((ready_at(key) - now for key in upcoming), default=datetime.timedelta())
        if wait > datetime.timedelta() and not emergency:
            raise ValidationError(
                f"The next key has not been published long enough. Rotate in {int(wait.total_seconds()) + 1} seconds, "
                "when every verifier has had time to fetch it.",
                code="too_soon",
            )
        for key in rows:
            if key.state == KeyState.CURRENT:
                key.state, key.previous_at = KeyState.PREVIOUS, now
                key.save(update_fields=["state", "previous_at"])
        for key in upcoming:
            key.state, key.current_at = KeyState.CURRENT, now
            key.save(update_fields=["state", "current_at"])
            _new_key(tenant, key.alg, KeyState.NEXT, now)
        work.done(
            "signing_key.rotated",
            upcoming[0] if upcoming else tenant,
            emergency=emergency,
            current=[f"{key.alg} {key.kid}" for key in upcoming],
        )
    return upcoming


def revoke_signing_key(key: SigningKey, by: Actor) -> SigningKey:
    """Return the key, out of the JWKS from now on. Tokens it signed verify no more; this cannot be undone.

    Only a previous key can be revoked: rotate first when the current one must go.
    """
    with change(key.tenant, by) as work:
        key = lock(key)
        if key.state != KeyState.PREVIOUS:
            raise ValidationError("Only a previous key can be revoked. Rotate first.", code="not_previous")
        key.state, key.revoked_at = KeyState.REVOKED, timezone.now()
        # A revoked key never signs again, so its private half has no reason to exist.
        key.private_jwk = ""
        key.save(update_fields=["state", "revoked_at", "private_jwk"])
        work.done("signing_key.revoked", key)
    return key


def ready_at(key: SigningKey) -> datetime.datetime:
    """Return when a next key has been published as long as the JWKS may be cached."""
    return key.created_at + datetime.timedelta(seconds=JWKS_MAX_AGE)


def use_assertion(tenant: Tenant, client_id: str, jti: str, expires_at: int) -> bool:
    """Return True for the first use of a client assertion's `jti` in any process, False ever after (RFC 7523 §3)."""
    until = datetime.datetime.fromtimestamp(expires_at, datetime.UTC)
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(tenant=tenant, client_id=client_id, jti=jti, expires_at=until)
    except IntegrityError:
        return False
    # Each use clears away a few that have expired, so the table stays as small as the traffic of ten minutes.
    expired = UsedAssertion.objects.filter(expires_at__lt=timezone.now()).values("pk")[:20]
    UsedAssertion.objects.filter(pk__in=list(expired.values_list("pk", flat=True))).delete()
    return True


def write_log(tenant: Tenant, **fields: Any) -> LogEntry:
    """Return the new log entry."""
    return LogEntry.objects.create(tenant=tenant, **fields)


def _new_key(tenant: Tenant, alg: str, state: str, now: datetime.datetime | None = None) -> SigningKey:
    now = now or timezone.now()
    private, public = keys.generate(alg)
    certificate = keys.certificate(private, tenant.domain, now.timestamp())
    key = SigningKey(
        tenant=tenant,
        kid=public["kid"],
        alg=alg,
        state=state,
        public_jwk=keys.with_certificate(public, certificate),
        certificate=certificate,
        created_at=now,
        current_at=now if state == KeyState.CURRENT else None,
    )
    key.private_jwk = sealing.seal(private, key.purpose)
    key.full_clean()
    key.save(force_insert=True)
    return key
