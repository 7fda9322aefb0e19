"""What a serving process does besides answering: store usage, give back leases, clear away what has become old.

Nothing needs to be scheduled: every process does a little of it, in a thread of its own.
"""

import atexit
import logging
import os
import threading
import time

from django.db import Error, close_old_connections, connection

from accounts.versions import versions
from tokens import operations
from tokens.log import log_quota
from tokens.quotas import quotas
from tokens.usage import usage

log = logging.getLogger(__name__)

# Seconds.
INTERVAL = 2.0
PRUNED_EVERY = 60.0
LAST_TRIES = 5


class Housekeeping:
    """The thread of this process. It begins and ends once."""

    def __init__(self) -> None:
        self._process = 0
        self._stopping = threading.Event()
        self._prune_at = 0.0
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        """Begin in this process, which may be a fork of one that has counted already. Once is enough."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._stopping = threading.Event()
            # What the parent counted before the fork is the parent's to store.
            usage.clear()
            quotas.clear()
            atexit.register(self.end)
            threading.Thread(target=self._work, name="gatehouse-housekeeping", daemon=True).start()

    def end(self) -> None:
        """Store what is left, for the last time. Nothing happens in a process that never began, or has ended."""
        if self._process != os.getpid() or self._stopping.is_set():
            return
        self._stopping.set()
        for attempt in range(LAST_TRIES):
            if self.tidy(stopping=True):
                return
            connection.close()
            # Only the last moments of a restart are worth waiting for.
            time.sleep(0.1 * 2**attempt)
        log.error("The process ends without storing the usage of %s requests.", usage.pending)

    def tidy(self, stopping: bool = False) -> bool:
        """Do what there is to do now; return whether the database took it."""
        with self._one_at_a_time:
            try:
                stored = usage.flush()
                quotas.tidy(time.time(), stopping)
                while stored and quotas.warnings:
                    log_quota(quotas.warnings[0])
                    quotas.warnings.popleft()
                if stored and not stopping:
                    self._prune()
            except Error as error:
                if not versions.is_away:
                    log.warning("Housekeeping waits for the database. %s", error)
                stored = False
            return stored

    def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            more = operations.prune()
            # A batch that was full is followed by the next one at once.
            self._prune_at = time.monotonic() + (0 if more else PRUNED_EVERY)

    def _work(self) -> None:
        while not self._stopping.wait(INTERVAL):
            try:
                # No request begins or ends in this thread, which is when Django looks after its connections.
                close_old_connections()
                if not self.tidy():
                    connection.close()
            except Exception:
                # The thread is all there is to store counts: nothing may end it.
                log.exception("Housekeeping failed.")


housekeeping = Housekeeping()
