"""The newest configuration of each tenant that this process knows of, and how long ago it looked.

Every operation moves its tenant's `config_version`. A serving process reads all of them with one query every
`INTERVAL` (`watch`), so that each process follows each change within `BOUND`. Seconds throughout.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, OperationalError, close_old_connections, connection

from accounts.models import Tenant

log = logging.getLogger(__name__)

INTERVAL, BOUND = 0.2, 0.25
FIELDS = ("pk", "name", "domain", "issuer", "default_audience", "config_version", "revocations_version")


class Unavailable(OperationalError):
    """The database does not answer, and what is in memory cannot or may not stand in for it."""


@dataclass(frozen=True, slots=True)
class House:
    """A tenant as a request needs it. `version` moves with everything that a decision looks at, `revocations` with the
    list of tokens that were revoked one by one."""

    pk: int
    name: str
    domain: str
    issuer: str
    default_audience: str
    version: int
    revocations: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All tenants as one query found them. `at` is when it began, by the monotonic clock."""

    at: float
    by_domain: dict[str, House]
    by_pk: dict[int, House]


NOTHING = Reading(float("-inf"), {}, {})


class Versions:
    """The last reading. It is replaced as a whole, so that nobody sees half of one."""

    def __init__(self) -> None:
        self._reading = NOTHING
        self._changed_at = float("-inf")
        self._watched_by = 0
        self._away = False
        self._asking = threading.Lock()

    def at(self, domain: str) -> House | None:
        """Return the tenant of this host, or None. Raises Unavailable."""
        return self._fresh().by_domain.get(domain)

    def of(self, pk: int) -> House | None:
        """Return the tenant with this key, or None. Raises Unavailable."""
        return self._fresh().by_pk.get(pk)

    def last_known(self, domain: str) -> House | None:
        """Return the tenant of this host as it last was, however long ago: for what is public and changes rarely."""
        try:
            return self.at(domain)
        except Unavailable:
            return self._reading.by_domain.get(domain)

    def forget(self) -> None:
        """Look again before the next answer: something changed in this very process."""
        self._changed_at = time.monotonic()

    def settle(self) -> None:
        """Return when every process has seen what this one has just stored: who is then told of it can rely on it."""
        if self.is_watched and not connection.in_atomic_block:
            time.sleep(BOUND)

    @property
    def age(self) -> float:
        """Return how many seconds ago the database last answered."""
        return time.monotonic() - self._reading.at

    @property
    def is_away(self) -> bool:
        """Tell whether the database is known not to answer. The watcher finds out when it does again."""
        return self._away and self.is_watched

    @property
    def trusted_for(self) -> float:
        """Return for how many seconds more tokens are issued from memory if the database does not answer; 0: none."""
        if self._reading.at <= self._changed_at or not self.is_watched:
            return 0
        return max(0, settings.GATEHOUSE_MAX_STALENESS - self.age)

    def watch(self, then: Callable[[Iterable[House]], None] = lambda houses: None) -> None:
        """Keep looking, in a thread of this process, for as long as it lives. Once is enough.

        then: told of all tenants after each look, in that thread; it has to be quick.
        """
        if self._watched_by != os.getpid():
            self._watched_by = os.getpid()
            threading.Thread(target=self._watch, args=[then], name="gatehouse-versions", daemon=True).start()

    @property
    def is_watched(self) -> bool:
        return self._watched_by == os.getpid()

    def _watch(self, then: Callable[[Iterable[House]], None]) -> None:
        while True:
            try:
                then(self._read().by_pk.values())
                if self._away:
                    log.warning("The database answers again.")
                self._away = False
            except Error as error:
                self._lost(error)
            except Exception:
                # Every request would ask the database itself without this thread: nothing may end it.
                log.exception("Looking for changes failed.")
            time.sleep(INTERVAL)

    def _fresh(self) -> Reading:
        """Return a reading within the bound. Outside a watched process, every question asks the database."""
        if not self.is_watched or connection.in_atomic_block:
            try:
                return self._read()
            except Error as error:
                raise Unavailable(str(error)) from error
        if not self._is_fresh and not self._away:
            # One asks for all: those who wait for it find the answer, or that there is none.
            with self._asking:
                if not self._is_fresh and not self._away:
                    return self._ask()
        if self._is_fresh or self.trusted_for > 0:
            return self._reading
        raise Unavailable("The database does not answer.")

    @property
    def _is_fresh(self) -> bool:
        return self._reading.at > self._changed_at and self.age <= BOUND

    def _ask(self) -> Reading:
        close_old_connections()
        try:
            return self._read()
        except Error as error:
            self._lost(error)
            if self.trusted_for > 0:
                return self._reading
            raise Unavailable("The database does not answer.") from None

    def _lost(self, error: Error) -> None:
        if not self._away:
            seconds = settings.GATEHOUSE_MAX_STALENESS
            log.error("The database does not answer; tokens are issued from memory for %s s. %s", seconds, error)
        self._away = True
        connection.close()

    def _read(self) -> Reading:
        began = time.monotonic()
        houses = [House(*row) for row in Tenant.objects.values_list(*FIELDS)]
        reading = Reading(began, {house.domain: house for house in houses}, {house.pk: house for house in houses})
        # A slower reader that began earlier must not put back what a faster one has replaced; and what a transaction
        # sees of itself may never come to pass.
        if began >= self._reading.at and not connection.in_atomic_block:
            self._reading = reading
        return reading


versions = Versions()
