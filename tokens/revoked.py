"""Which tokens were revoked one by one, as a process keeps it: read once, then only what has been added."""

import datetime
import threading
import time
from collections.abc import Hashable

from django.db import connection

from accounts.versions import House
from tokens.models import RevokedToken

# Each weighs some two hundred bytes. Of more than that, those that expire first are asked of the database.
MOST = 100_000


class Revoked:
    """One tenant's revoked tokens."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._version = -1
        self._last = 0
        self._until: dict[Hashable, float] = {}
        self._left_out_until = 0.0
        self._reading = threading.Lock()

    def follow(self, house: House) -> "Revoked":
        """Return itself when it knows all that was revoked until `house` was read. One query, and none mostly."""
        if self._version < house.revocations:
            with self._reading:
                if self._version < house.revocations:
                    self._read_on(house.pk)
                    self._version = house.revocations
        return self

    def holds(self, house: House, jti: str) -> bool:
        """Return whether the token of this `jti` was revoked."""
        if jti in self._until:
            return True
        return self._left_out_until > time.time() and RevokedToken.objects.filter(tenant_id=house.pk, jti=jti).exists()

    def _read_on(self, tenant: int) -> None:
        now = datetime.datetime.now(datetime.UTC)
        rows = RevokedToken.objects.filter(tenant_id=tenant, pk__gt=self._last, expires_at__gt=now)
        last = self._last
        for pk, jti, expires_at in rows.order_by("-expires_at").values_list("pk", "jti", "expires_at").iterator():
            last = max(last, pk)
            until = expires_at.timestamp()
            if len(self._until) >= self._most:
                self._forget_expired(now.timestamp())
            if len(self._until) < self._most:
                self._until[jti] = until
            else:
                self._left_out_until = max(self._left_out_until, until)
        self._last = last

    def _forget_expired(self, now: float) -> None:
        # Not at every row of a list that is full of live ones.
        if self._left_out_until <= now:
            # A whole new one: others are looking into the old one at this moment.
            self._until = {jti: until for jti, until in self._until.items() if until > now}


_of: dict[int, Revoked] = {}


def of(house: House) -> Revoked:
    """Return what was revoked in a tenant until `house` was read.

    Inside a transaction it is read anew: what is found there may never come to pass.
    """
    if connection.in_atomic_block:
        return Revoked().follow(house)
    return _of.setdefault(house.pk, Revoked()).follow(house)


def forget() -> None:
    """Begin empty, as a new process does."""
    _of.clear()
