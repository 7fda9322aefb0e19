"""Send requests as fast as they are answered, over connections that stay open, and count what comes back.

`wrk` does it where it is installed (Debian and Ubuntu: apt install wrk). Without it a plain Python client does, which
takes more processor time than the server that it measures: its numbers compare with each other, not with any other's.
"""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONNECTIONS = 50
FORM = "application/x-www-form-urlencoded"

# One body after the other from a file, a line each. Statuses beyond 399 are errors in wrk's own count.
SCRIPT = """
local bodies, place = {}, 0
for line in io.lines(os.getenv("BENCH_BODIES")) do bodies[#bodies + 1] = line end
local headers = {["Host"] = os.getenv("BENCH_HOST")}
local post = bodies[1] ~= "-"
if post then headers["Content-Type"] = "application/x-www-form-urlencoded" end
function init() place = math.floor(#bodies * math.random()) end
function request()
  place = place % #bodies + 1
  if post then return wrk.format("POST", nil, headers, bodies[place]) end
  return wrk.format("GET", nil, headers)
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nBENCH %d %d %d %f %f %f\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Slice:
    """What came back in some seconds. Latencies in milliseconds; errors are among the requests."""

    requests: int
    seconds: float
    errors: int
    p50: float
    p95: float
    p99: float
    generator: str

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return (self.requests - self.errors) / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "rate": self.rate}


def send(
    url: str,
    host: str,
    seconds: float,
    bodies: list[str] | None = None,
    connections: int = CONNECTIONS,
    cores: list[int] | None = None,
) -> Slice:
    """Return what a slice of so many seconds brought. bodies: form bodies to POST in turn; None for GET."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(bodies or ["-"]) + "\n")
        file.flush()
        if shutil.which("wrk"):
            return _wrk(url, host, seconds, file.name, connections, cores)
    return _python(url, host, seconds, bodies, connections)


def _wrk(url: str, host: str, seconds: float, bodies: str, connections: int, cores: list[int] | None) -> Slice:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        found = subprocess.run(
            [*command, "-s", script.name, url],
            env={**os.environ, "BENCH_BODIES": bodies, "BENCH_HOST": host},
            capture_output=True,
            text=True,
            timeout=seconds + 90,
            preexec_fn=(lambda: pin(cores)) if cores else None,
        )
    lines = [line for line in found.stdout.splitlines() if line.startswith("BENCH ")]
    if not lines:
        raise RuntimeError(f"wrk failed: {found.stdout[-500:]} {found.stderr[-500:]}")
    requests, took, errors, p50, p95, p99 = (float(number) for number in lines[-1].split()[1:])
    return Slice(int(requests), took / 1e6, int(errors), p50 / 1e3, p95 / 1e3, p99 / 1e3, "wrk")


def pin(cores: list[int]) -> None:
    """Keep this process on `cores`, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(cores))


def _python(url: str, host: str, seconds: float, bodies: list[str] | None, connections: int) -> Slice:
    address, _, path = url.removeprefix("http://").partition("/")
    taken: list[float] = []
    errors = [0]
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        headers = {"Host": host, **({"Content-Type": FORM} if bodies else {})}
        while time.perf_counter() < end:
            body = bodies[number % len(bodies)] if bodies else None
            number += connections
            began = time.perf_counter()
            try:
                connection.request("POST" if bodies else "GET", f"/{path}", body, headers)
                answer = connection.getresponse()
                answer.read()
                errors[0] += answer.status > 399
            except (OSError, http.client.HTTPException):
                errors[0] += 1
                connection.close()
            taken.append(time.perf_counter() - began)

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 40)
    took = time.perf_counter() - began
    ordered = sorted(taken) or [0.0]

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    return Slice(len(taken), took, errors[0], percentile(0.5), percentile(0.95), percentile(0.99), "Python")


def once(url: str, host: str, body: str) -> dict[str, Any]:
    """Return the JSON answer to one POST; raises RuntimeError for anything but 200."""
    address, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", f"/{path}", body, {"Host": host, "Content-Type": FORM})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
    return json.loads(content)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()
