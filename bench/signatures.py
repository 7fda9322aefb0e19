"""The rate of the bare signature: what no server that signs can exceed on these cores."""

import json
import multiprocessing
import os
import time
from functools import cache
from typing import Any

from tokens import keys
from tokens.access_tokens import Signer

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "HS256")
# As long as the header and claims of an access token.
MESSAGE = b"e" * 620


@cache
def _private_jwk(alg: str) -> str:
    return keys.generate(alg)[0]


def _sign(alg: str, private_jwk: str) -> Any:
    """Return the function that signs bytes, made as the server makes it: from a JWK, by the same library."""
    signer = Signer.for_secret("s" * 64) if alg == "HS256" else Signer.from_jwk(private_jwk, alg)
    return signer._sign


def _loop(alg: str, private_jwk: str, core: int, seconds: float, start: Any, found: Any) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    sign = _sign(alg, private_jwk)
    for _ in range(20):
        sign(MESSAGE)
    start.wait(30)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(10):
            sign(MESSAGE)
        count += 10
    found.put(count / (time.perf_counter() - began))


def rate(alg: str, cores: list[int], seconds: float) -> float:
    """Return signatures per second of one process on each of `cores` together."""
    context = multiprocessing.get_context("fork")
    start, found = context.Barrier(len(cores)), context.Queue()
    private_jwk = "" if alg == "HS256" else _private_jwk(alg)
    processes = [
        context.Process(target=_loop, args=(alg, private_jwk, core, seconds, start, found), daemon=True)
        for core in cores
    ]
    for process in processes:
        process.start()
    try:
        return sum(found.get(timeout=seconds + 60) for _ in processes)
    finally:
        for process in processes:
            process.join(5)
            if process.is_alive():
                process.kill()


if __name__ == "__main__":
    print(json.dumps({alg: round(rate(alg, [0], 1.0)) for alg in ALGORITHMS}))
