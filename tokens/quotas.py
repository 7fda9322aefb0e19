"""Token quotas that all workers share, without a question to the database for each token.

A worker takes a small part of what is left of a quota in advance, a lease, and issues from it. Leases come from one
counter per quota and window, which never goes beyond an enforced quota; what a worker does not use it gives back.
Windows are the hours and days of the clock, UTC.
"""

import logging
import math
import threading
import time
from collections import deque
from dataclasses import dataclass

from django.db import Error
from redis.exceptions import RedisError

from tokens import counters
from tokens.counters import Window
from tokens.facts import Client, Limits, ProtectedAPI, Quota

log = logging.getLogger(__name__)

SECONDS = {"per_hour": 3600, "per_day": 86400}
# A lease is this part of what is left, at least one token, and at most so many that losing it is no matter.
SHARE, LARGEST = 50, 1000
# For how long a counter that is used up, or does not answer, is not asked again.
PAUSE = 1.0
WARN_AT = (60, 80, 100)

_HEADERS = {"client": "Auth0-Client-Quota-Limit", "api": "Gatehouse-API-Quota-Limit"}


@dataclass(frozen=True)
class Consumed:
    """A quota of which so much has been taken. of: "client" or "api"; id: the client id or the API's id."""

    tenant: int
    of: str
    id: str
    bucket: str
    limit: int
    taken: int
    percent: int


class Account:
    """What this process holds of one quota in one window."""

    def __init__(self, window: Window, warnings: deque[Consumed]) -> None:
        self.window = window
        self.lock = threading.Lock()
        self.limit = 0
        self.enforced = True
        # The lease; what the counter said last; tokens issued while it did not answer, which it does not know of yet.
        self.available = self.taken = self.owed = 0
        self.used = self._away = False
        self._asleep_until = 0.0
        self._warnings = warnings
        self._warned: set[int] = set()

    def settle(self, limit: int, enforced: bool) -> None:
        """Go by these terms from now on. They change when somebody saves others."""
        if (limit, enforced) != (self.limit, self.enforced):
            with self.lock:
                self.limit, self.enforced = limit, enforced
                self._asleep_until = 0.0
                if self.taken > limit and enforced:
                    # Held under the terms of before.
                    self._return()

    def take(self) -> bool:
        """Take one token; return False when an enforced quota is used up."""
        with self.lock:
            self.used = True
            if self.available <= 0:
                self._lease()
            if self.available <= 0:
                return False
            self.available -= 1
            return True

    def put_back(self) -> None:
        """Take back one that was taken for a request that another quota refused."""
        with self.lock:
            self.available += 1

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.taken - self.owed + self.available)

    @property
    def is_exceeded(self) -> bool:
        return self.taken + self.owed - self.available > self.limit

    def tidy(self, stopping: bool) -> None:
        """Give back what was not used since the last time, or everything when the process stops."""
        with self.lock:
            idle, self.used = not self.used, False
            if self.owed or ((idle or stopping) and self.available > 0):
                self._return()

    def _return(self) -> None:
        try:
            counters.add(self.window, self.owed - self.available)
        except (Error, RedisError) as error:
            log.warning("A quota's counter does not answer. %s", error)
            return
        self.taken += self.owed - self.available
        self.available = self.owed = 0
        self._away = False

    def _lease(self) -> None:
        if time.monotonic() < self._asleep_until:
            if self._away:
                self._on_credit()
            return
        share = max(1, min((self.limit - self.taken) // SHARE, LARGEST))
        try:
            if self.owed:
                counters.add(self.window, self.owed)
                self.owed = 0
            granted, self.taken = counters.lease(self.window, share, self.limit if self.enforced else None)
        except (Error, RedisError) as error:
            log.warning("A quota's counter does not answer; tokens are issued and counted later. %s", error)
            self._asleep_until, self._away = time.monotonic() + PAUSE, True
            self._on_credit()
            return
        self.available += granted
        self._away = False
        if not granted:
            self._asleep_until = time.monotonic() + PAUSE
        self._warn(granted)

    def _on_credit(self) -> None:
        """Issue now and tell the counter later: a database that is away for a moment stops nothing that worked."""
        if not self.enforced or self.taken + self.owed < self.limit:
            self.owed += 1
            self.available += 1

    def _warn(self, granted: int) -> None:
        for percent in WARN_AT:
            mark = math.ceil(self.limit * percent / 100)
            # The counter passes the mark once, so one worker of all says so.
            if self.taken - granted < mark <= self.taken and percent not in self._warned:
                self._warned.add(percent)
                of, id, bucket = self.window.of, self.window.id, self.window.bucket
                tenant = self.window.tenant
                self._warnings.append(Consumed(tenant, of, id, bucket, self.limit, self.taken, percent))


class Quotas:
    """The accounts of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a new process would."""
        self._accounts: dict[Window, Account] = {}
        # What an admin should read; the process writes it down with the next flush.
        self.warnings: deque[Consumed] = deque(maxlen=1000)

    def take(self, tenant: int, client: Client, api: ProtectedAPI, now: float) -> tuple[Quota, ...]:
        """Return what is left of the quotas of both after taking one token from each; from none if one is used up."""
        accounts = [
            *self._of(tenant, "client", client.client_id, client.quota, now),
            *self._of(tenant, "api", api.id, api.quota, now),
        ]
        got = [account.take() for account in accounts]
        if not all(got):
            for account, had in zip(accounts, got, strict=True):
                if had:
                    account.put_back()
        return tuple(_facts(account, had, now) for account, had in zip(accounts, got, strict=True))

    def tidy(self, now: float, stopping: bool = False) -> None:
        """Give back idle leases, and forget windows that are over."""
        with self._lock:
            accounts = list(self._accounts.values())
            self._accounts = {window: account for window, account in self._accounts.items() if window.ends > now}
        for account in accounts:
            if account.window.ends > now:
                account.tidy(stopping)

    def _of(self, tenant: int, of: str, id: str, limits: Limits | None, now: float) -> list[Account]:
        found = []
        if limits is not None:
            for bucket, limit in (("per_hour", limits.per_hour), ("per_day", limits.per_day)):
                if limit is not None:
                    began = int(now) - int(now) % SECONDS[bucket]
                    account = self._account(Window(tenant, of, id, bucket, began, began + SECONDS[bucket]))
                    account.settle(limit, limits.enforce)
                    found.append(account)
        return found

    def _account(self, window: Window) -> Account:
        account = self._accounts.get(window)
        if account is None:
            with self._lock:
                account = self._accounts.setdefault(window, Account(window, self.warnings))
        return account


def headers_of(left: tuple[Quota, ...]) -> dict[str, str]:
    """Return the headers that say what is left, in Auth0's form; with one used up, also when to come back.

    Retry-After: RFC 9110 §10.2.3.
    """
    headers = {
        name: ",".join(
            f"b={quota.bucket};q={quota.limit};r={quota.remaining};t={quota.resets_in}"
            for quota in left
            if quota.of == of
        )
        for of, name in _HEADERS.items()
        if any(quota.of == of for quota in left)
    }
    used_up = [quota for quota in left if quota.exceeded and quota.enforced]
    if used_up:
        last = max(used_up, key=lambda quota: quota.resets_in)
        headers |= {
            "Retry-After": str(last.resets_in),
            "X-RateLimit-Limit": str(last.limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + last.resets_in),
        }
    return headers


def _facts(account: Account, had: bool, now: float) -> Quota:
    return Quota(
        of=account.window.of,
        bucket=account.window.bucket,
        limit=account.limit,
        remaining=account.remaining if had else 0,
        resets_in=max(1, math.ceil(account.window.ends - now)),
        exceeded=not had or account.is_exceeded,
        enforced=account.enforced,
    )


quotas = Quotas()
