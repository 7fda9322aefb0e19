"""Every write of the authorization server: keys, assertions seen, tokens revoked, usage, quotas, and its log."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts import sealing
from accounts.changes import change, lock
from accounts.models import Tenant
from accounts.versions import House, versions
from apis.models import SigningAlgorithm
from audit.actors import SERVER, Actor
from audit.clearing import cleared
from tokens import keys
from tokens.models import KeyState, LogEntry, QuotaCounter, RevokedToken, SigningKey, UsageBucket, UsedAssertion

# How long a verifier may keep the JWKS. A key signs nothing before every such copy has had time to hold it.
JWKS_MAX_AGE = 300

# Seconds that the clocks of several machines may be apart: a revoked token stays known that much longer.
CLOCKS_DIFFER = 60
CLEARED_AT_ONCE = 20
PRUNED_AT_ONCE = 500


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
        work.takes_away()
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
        work.takes_away()
    return key


def ready_at(key: SigningKey) -> datetime.datetime:
    """Return when a next key has been published as long as the JWKS may be cached."""
    return key.created_at + datetime.timedelta(seconds=JWKS_MAX_AGE)


def use_assertion(house: House, client_id: str, jti: str, expires_at: int) -> bool:
    """Return True for the first use of a client assertion's `jti` in any process, False ever after (RFC 7523 §3)."""
    until = datetime.datetime.fromtimestamp(expires_at, datetime.UTC)
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(tenant_id=house.pk, client_id=client_id, jti=jti, expires_at=until)
    except IntegrityError:
        return False
    _clear_away(UsedAssertion)
    return True


def revoke_token(house: House, jti: str, expires_at: int) -> bool:
    """Return True when the token of this `jti` is revoked now, False when it was before (RFC 7009 §2).

    expires_at: the token's own, in seconds since 1970; from then on nobody needs to know. Every process learns of it by
    the tenant's `revocations_version`, and keeps all else that it knows of the tenant.
    """
    if RevokedToken.objects.filter(tenant_id=house.pk, jti=jti).exists():
        return False
    until = datetime.datetime.fromtimestamp(expires_at + CLOCKS_DIFFER, datetime.UTC)
    try:
        with transaction.atomic():
            # The tenant's row first: who holds it inserts alone, so whoever reads on from the last id misses none.
            Tenant.objects.filter(pk=house.pk).update(revocations_version=F("revocations_version") + 1)
            RevokedToken.objects.create(tenant_id=house.pk, jti=jti, expires_at=until)
            transaction.on_commit(versions.forget)
    except IntegrityError:
        return False
    _clear_away(RevokedToken)
    return True


def write_log(house: Tenant | House, **fields: Any) -> LogEntry:
    """Return the new log entry."""
    return LogEntry.objects.create(tenant_id=house.pk, **fields)


def add_usage(rows: Iterable[tuple[Any, int, datetime.datetime]]) -> None:
    """Add counts to those that are stored already: all of them, or none when it raises.

    rows: a `tokens.usage.Bucket`, how many to add, and when the last of them was; in the same order for everybody.
    """
    rows = list(rows)
    moment: Any = connection.ops.adapt_datetimefield_value
    with transaction.atomic(), connection.cursor() as cursor:
        known = set(Tenant.objects.filter(pk__in={bucket.tenant for bucket, _, _ in rows}).values_list("pk", flat=True))
        cursor.executemany(
            "INSERT INTO tokens_usagebucket (tenant_id, client_id, api_id, outcome, hour, count, last_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (tenant_id, client_id, api_id, outcome, hour) DO UPDATE SET"
            " count = tokens_usagebucket.count + excluded.count, last_at = CASE WHEN"
            " excluded.last_at > tokens_usagebucket.last_at THEN excluded.last_at ELSE tokens_usagebucket.last_at END",
            [
                (
                    bucket.tenant,
                    bucket.client_id,
                    bucket.api_id,
                    bucket.outcome,
                    moment(bucket.began),
                    count,
                    moment(last),
                )
                for bucket, count, last in rows
                if bucket.tenant in known
            ],
        )


def note_uses(
    secrets: dict[int, datetime.datetime], keys: dict[str, datetime.datetime], precision: datetime.timedelta
) -> None:
    """Store when client secrets and public keys, by their ids, were last used, where that is newer by `precision`."""
    moment: Any = connection.ops.adapt_datetimefield_value
    with transaction.atomic(), connection.cursor() as cursor:
        for table, uses in (("applications_clientsecret", secrets), ("applications_credential", keys)):
            rows: list[Any] = [(moment(last), id, moment(last - precision)) for id, last in sorted(uses.items())]
            cursor.executemany(
                f"UPDATE {table} SET last_used_at = %s WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)",
                rows,
            )


def lease_quota(tenant: int, name: str, began: int, size: int, limit: int | None) -> tuple[int, int]:
    """Return how many tokens of a quota were granted, at most `size`, and how many all processes have taken now.

    One statement looks and takes, so that two processes never get more than `limit` together; None: no limit.
    began: the first second of the window, since 1970.
    """
    started_at = datetime.datetime.fromtimestamp(began, datetime.UTC)
    while True:
        taken = _take_quota(tenant, name, started_at, size, limit)
        if taken is not None:
            return size, taken
        assert limit is not None
        counter = QuotaCounter.objects.filter(tenant_id=tenant, name=name, started_at=started_at)
        left = limit - (counter.values_list("taken", flat=True).first() or 0)
        if left <= 0:
            return 0, limit - left
        # Others have been here since the size was chosen. At one, only a quota that is used up is an end.
        size = max(1, min(size, left) // 2)


def adjust_quota(tenant: int, name: str, began: int, number: int) -> None:
    """Take so many tokens of a quota, whatever its limit is; a negative number gives back what was taken."""
    _take_quota(tenant, name, datetime.datetime.fromtimestamp(began, datetime.UTC), number, None)


def prune() -> bool:
    """Delete a few rows of each kind that is old enough; return whether there may be more."""
    now = timezone.now()
    logs = now - datetime.timedelta(days=settings.GATEHOUSE_LOG_DAYS)
    usage = now - datetime.timedelta(days=settings.GATEHOUSE_USAGE_DAYS)
    old = [
        # Their ids begin with their time.
        LogEntry.objects.filter(log_id__lt=f"900{logs:%Y%m%d%H%M%S}"),
        UsageBucket.objects.filter(hour__lt=usage),
        QuotaCounter.objects.filter(started_at__lt=now - datetime.timedelta(days=2)),
        Session.objects.filter(expire_date__lt=now),
    ]
    full = False
    for rows in old:
        with transaction.atomic():
            # Two processes that prune at once take different rows.
            found = (
                rows.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)[:PRUNED_AT_ONCE]
            )
            keys = list(found)
            rows.model._default_manager.filter(pk__in=keys).delete()
        cleared(rows.model._meta.db_table, len(keys))
        full = full or len(keys) == PRUNED_AT_ONCE
    return full


def _take_quota(tenant: int, name: str, started_at: datetime.datetime, size: int, limit: int | None) -> int | None:
    within = "" if limit is None else " WHERE tokens_quotacounter.taken + excluded.taken <= %s"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tokens_quotacounter (tenant_id, name, started_at, taken) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (tenant_id, name, started_at)"
            " DO UPDATE SET taken = tokens_quotacounter.taken + excluded.taken"
            f"{within} RETURNING taken",
            [
                tenant,
                name,
                connection.ops.adapt_datetimefield_value(started_at),
                size,
                *([] if limit is None else [limit]),
            ],
        )
        # All of them: SQLite ends the statement, and with it the transaction, after the last row.
        rows = cursor.fetchall()
    return rows[0][0] if rows else None


def _clear_away(model: type[UsedAssertion] | type[RevokedToken]) -> None:
    """Delete a few rows that have expired. Each new row does so, which keeps the table as small as its traffic."""
    expired = model._default_manager.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True)[
        :CLEARED_AT_ONCE
    ]
    gone, _ = model._default_manager.filter(pk__in=list(expired)).delete()
    cleared(model._meta.db_table, gone)


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
