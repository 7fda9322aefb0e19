"""Run a token request from the Test tab: the same decision, signing and log as for `/oauth/token`, in process."""

import json
import time
from dataclasses import dataclass

from django.core.cache import cache

from accounts.models import Tenant
from audit.actors import Actor
from tokens import memory
from tokens.client_authentication import POST
from tokens.client_credentials import Outcome, check_secret, respond
from tokens.decision import ADMINISTRATOR
from tokens.facts import Authentication, Request
from tokens.log import log_outcome
from tokens.models import LogEntry

# Each member may run this many tests in each minute of the clock.
RUNS, WINDOW = 30, 60


@dataclass(frozen=True)
class Run:
    """One test: what came of it, what the answer would look like on the wire, and its entry in the log."""

    outcome: Outcome
    entry: LogEntry
    at: float
    milliseconds: int

    @property
    def issued(self) -> bool:
        return self.outcome.decision.allowed

    @property
    def status(self) -> int:
        return self.outcome.decision.refusal.status if self.outcome.decision.refusal else 200

    def body(self) -> dict[str, object]:
        """Return the answer's JSON members, as the token endpoint sends them."""
        if self.issued:
            return self.outcome.body()
        refusal = self.outcome.decision.refusal
        uri = {"error_uri": refusal.uri} if refusal and refusal.uri else {}
        return dict(self.outcome.error().body(**uri, log_id=self.entry.log_id))

    @property
    def size(self) -> int:
        """Return how many bytes the answer's body has."""
        return len(json.dumps(self.body()))


def run(
    tenant: Tenant, by: Actor, client_id: str, audience: str, scopes: tuple[str, ...] | None, secret: str = ""
) -> Run:
    """Return what the token endpoint would answer, recorded in the log as a test.

    secret: checked like a caller's when given; without one the client counts as authenticated, and the decision says
    who vouched for it. It is neither stored nor logged.
    """
    known = memory.now(tenant)
    at = time.time()
    began = time.perf_counter()
    if secret:
        authentication = check_secret(known.client(client_id), secret, POST, at)
    else:
        authentication = Authentication(ADMINISTRATOR, True, f"Skipped: run by {by.name}.")
    outcome = respond(known, Request(client_id, audience, scopes, authentication), at)
    milliseconds = round((time.perf_counter() - began) * 1000)
    entry = log_outcome(tenant, outcome, by.ip, by.user_agent, is_test=True)
    return Run(outcome, entry, at, milliseconds)


def seconds_to_wait(by: Actor) -> int:
    """Count one more run of this member; return 0, or in how many seconds the next one is allowed."""
    now = time.time()
    key = f"test-runs:{by.id}:{int(now // WINDOW)}"
    cache.add(key, 0, WINDOW * 2)
    try:
        count = cache.incr(key)
    except ValueError:
        # Evicted in between: a cache may forget at any time, and then the counting starts again.
        return 0
    return 0 if count <= RUNS else WINDOW - int(now % WINDOW)
