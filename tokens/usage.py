"""What this process has counted since it last stored it: outcomes of requests, and when each credential was last used.

Counting is adding to a number in memory; `flush` adds the numbers to those of the other processes in the database.
"""

import datetime
import logging
import threading
from typing import Any, NamedTuple

from django.db import Error

from accounts.versions import versions
from tokens import operations
from tokens.facts import Authentication

log = logging.getLogger(__name__)

# While the database is away, so many different buckets and credentials are kept; what is new after that is not counted.
MOST = 50_000
# A credential's last use is written again when it is this many seconds newer.
PRECISION = 60
HOUR = 3600
# So many rows are written in one transaction, for which others wait.
CHUNK = 1000

# Each bucket's count and the moment of the last one.
Counts = dict[tuple[int, str, str, str, int], list[float]]


class Bucket(NamedTuple):
    """Where a count belongs. hour: in hours since 1970 UTC.

    Every process stores them in the order of their values, so that no two wait for each other crosswise.
    """

    tenant: int
    client_id: str
    api_id: str
    outcome: str
    hour: int

    @property
    def began(self) -> datetime.datetime:
        return moment(self.hour * HOUR)


class Usage:
    """The counts of one process. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a new process would."""
        self._buckets: Counts = {}
        self._secrets: dict[int, float] = {}
        self._keys: dict[str, float] = {}
        # What has been stored of them, to leave out what is hardly newer.
        self._stored: dict[Any, float] = {}
        self._full = False

    def count(self, tenant: int, client_id: str, api_id: str, outcome: str, now: float) -> None:
        """Count one request. outcome: "issued", or the rule that refused it. now: seconds since 1970."""
        bucket = (tenant, client_id, api_id, outcome, int(now // HOUR))
        with self._lock:
            counted = self._buckets.get(bucket)
            if counted is not None:
                counted[0] += 1
                counted[1] = now
            elif len(self._buckets) < MOST:
                self._buckets[bucket] = [1, now]
            elif not self._full:
                self._full = True
                log.error("Usage is not counted in full: the database has been away for too long.")

    def used(self, authentication: Authentication, now: float) -> None:
        """Note that the credential of a proven authentication was used."""
        # One assignment each, so that no lock is needed.
        if authentication.secret_id is not None and len(self._secrets) < MOST:
            self._secrets[authentication.secret_id] = now
        elif authentication.key_id is not None and len(self._keys) < MOST:
            self._keys[authentication.key_id] = now

    @property
    def pending(self) -> int:
        """Return how many requests have been counted and not stored."""
        with self._lock:
            return int(sum(count for count, _ in self._buckets.values()))

    def flush(self) -> bool:
        """Store what was counted; return whether that worked. What did not is kept for the next time."""
        with self._flushing:
            with self._lock:
                buckets, self._buckets, self._full = self._buckets, {}, False
                secrets, self._secrets = self._secrets, {}
                keys, self._keys = self._keys, {}
            waiting = sorted(buckets.items())
            try:
                while waiting:
                    chunk = waiting[:CHUNK]
                    operations.add_usage([(Bucket(*key), int(count), moment(last)) for key, (count, last) in chunk])
                    waiting = waiting[CHUNK:]
                self._store_uses(secrets, keys)
            except Error as error:
                # While the database is away that has been said, once, by whoever watches it.
                if not versions.is_away:
                    log.warning("Usage could not be stored and is kept. %s", error)
                self._put_back(dict(waiting), secrets, keys)
                return False
            return True

    def _store_uses(self, secrets: dict[int, float], keys: dict[str, float]) -> None:
        newer = {id: last for id, last in secrets.items() if last - self._stored.get(id, 0) >= PRECISION}
        newer_keys = {id: last for id, last in keys.items() if last - self._stored.get(id, 0) >= PRECISION}
        if newer or newer_keys:
            operations.note_uses(_moments(newer), _moments(newer_keys), datetime.timedelta(seconds=PRECISION))
            if len(self._stored) > MOST:
                self._stored.clear()
            self._stored.update(newer)
            self._stored.update(newer_keys)

    def _put_back(self, buckets: Counts, secrets: dict[int, float], keys: dict[str, float]) -> None:
        with self._lock:
            for bucket, (count, last) in self._buckets.items():
                kept = buckets.setdefault(bucket, [0, last])
                kept[0] += count
                kept[1] = max(kept[1], last)
            self._buckets = buckets
            self._secrets = {**secrets, **self._secrets}
            self._keys = {**keys, **self._keys}


def moment(seconds: float) -> datetime.datetime:
    """Return seconds since 1970 as a moment, UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _moments(seconds: dict) -> dict:
    return {id: moment(last) for id, last in seconds.items()}


usage = Usage()
