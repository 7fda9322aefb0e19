"""How long everything takes, and on which cores."""

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench import load, signatures
from bench.machine import cores
from bench.servers import Server


@dataclass(frozen=True)
class Plan:
    """seconds: of one slice; raw: of one measurement of the bare signature; rounds: how often peers take turns;
    databases: the address of PostgreSQL after None, which is SQLite."""

    seconds: float
    raw: float
    rounds: int
    tokens: int
    pages: int
    databases: list[str | None] = field(default_factory=lambda: [None])
    quick: bool = False
    deadline: float = field(default_factory=lambda: time.monotonic() + 3600)

    def say(self, words: str) -> None:
        """Tell how far it is; stop when it has taken too long altogether."""
        if time.monotonic() > self.deadline:
            raise TimeoutError("The benchmark took longer than it may.")
        print(words, file=sys.stderr, flush=True)


def server_cores(workers: int) -> list[int]:
    """Return the cores a server of so many workers is kept on; its bare signatures are counted on the same ones."""
    return cores()[:workers] or [0]


def load_cores(workers: int) -> list[int]:
    """Return where the load comes from: another core beside one worker, the same cores beside more."""
    every = cores()
    return every[1:2] if workers == 1 and len(every) > 1 else every[:workers] or every


def measured(
    server: Server,
    path: str,
    workers: int,
    seconds: float,
    bodies: list[str] | None = None,
    connections: int = load.CONNECTIONS,
) -> dict[str, Any]:
    """Return what one slice brought, with the microseconds of processor time for each answer."""
    before = server.cpu()
    found = load.send(server.url(path), server.host, seconds, bodies, connections, load_cores(workers))
    good = found.requests - found.errors
    return {**found.as_json(), "cpu_us": (server.cpu() - before) / good * 1e6 if good else None}


def beside_the_signature(
    plan: Plan, server: Server, alg: str, workers: int, bodies: list[str], path: str = "/oauth/token"
) -> dict[str, Any]:
    """Return a slice of tokens with the bare signature's rate just before and just after it, on the same cores."""
    load.send(server.url(path), server.host, 1, bodies, cores=load_cores(workers))
    before = signatures.rate(alg, server_cores(workers), plan.raw)
    found = measured(server, path, workers, plan.seconds, bodies)
    after = signatures.rate(alg, server_cores(workers), plan.raw)
    raw = statistics.mean([before, after])
    return {**found, "raw_before": before, "raw_after": after, "raw": raw, "ratio": found["rate"] / raw}
