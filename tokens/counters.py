"""The counters behind quotas, which all processes share: rows of the database, or Valkey or Redis with CACHE_URL."""

from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection

from accounts.versions import Unavailable, versions
from tokens import operations


class Window(NamedTuple):
    """One quota in one hour or day. of: "client" or "api". began, ends: seconds since 1970 UTC."""

    tenant: int
    of: str
    id: str
    bucket: str
    began: int
    ends: int

    @property
    def name(self) -> str:
        return f"{self.of}:{self.id}:{self.bucket}"


def lease(window: Window, size: int, limit: int | None) -> tuple[int, int]:
    """Return how many tokens were granted, at most `size`, and what all processes have taken now.

    limit: what that never exceeds; None for as much as asked for. Less is granted when little is left.
    """
    if settings.GATEHOUSE_COUNTERS_IN_CACHE:
        return _lease_from_cache(window, size, limit)
    if versions.is_away:
        raise Unavailable("The database does not answer.")
    try:
        return operations.lease_quota(window.tenant, window.name, window.began, size, limit)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # Nothing tells a connection that is kept open that the database was started again, until it is used.
        connection.close()
        return operations.lease_quota(window.tenant, window.name, window.began, size, limit)


def add(window: Window, number: int) -> None:
    """Take `number` tokens more than was asked for, or give back so many with a negative number."""
    if number and settings.GATEHOUSE_COUNTERS_IN_CACHE:
        cache.add(_key(window), 0, _kept(window))
        cache.incr(_key(window), number)
    elif number:
        operations.adjust_quota(window.tenant, window.name, window.began, number)


def _lease_from_cache(window: Window, size: int, limit: int | None) -> tuple[int, int]:
    key = _key(window)
    cache.add(key, 0, _kept(window))
    taken = cache.incr(key, size)
    excess = 0 if limit is None else min(size, max(0, taken - limit))
    if excess:
        # Between the two, others may find less than there is, but never more.
        taken = cache.decr(key, excess)
    return size - excess, taken


def _key(window: Window) -> str:
    return f"quota:{window.tenant}:{window.name}:{window.began}"


def _kept(window: Window) -> int:
    # A clock may be off by minutes; a window must not begin anew because of that.
    return window.ends - window.began + 3600
