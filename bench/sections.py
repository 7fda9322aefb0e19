"""What is measured, a function for each section of the report. Each returns plain values for JSON."""

import json
import statistics
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from bench import load, peers_run, signatures
from bench.gatehouse import House, house
from bench.plan import Plan, beside_the_signature, load_cores, measured, server_cores

WORKERS = (1, 2)
OTHER_GETS = {
    "JWKS": "/.well-known/jwks.json",
    "discovery": "/.well-known/openid-configuration",
}
STATIC_VIEW = "/healthz"


def tokens(plan: Plan) -> dict[str, Any]:
    """Tokens per second for each algorithm, number of workers and database, beside the signature and a static view."""
    rows: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for database in plan.databases:
        with house(database) as made:
            for workers in WORKERS:
                with made.serving(workers, server_cores(workers)) as server:
                    where = {"database": made.stored_in, "workers": workers}
                    for alg in signatures.ALGORITHMS:
                        found = beside_the_signature(plan, server, alg, workers, made.bodies(alg))
                        # Its neighbour in time, because a shared machine changes its speed.
                        static = measured(server, STATIC_VIEW, workers, plan.seconds)
                        rows.append(
                            {**where, "alg": alg, **found, "static": static["rate"]}
                            | {"to_static": found["rate"] / static["rate"], "static_p99": static["p99"]}
                        )
                        plan.say(f"  {made.stored_in}, {workers} workers, {alg}: {found['rate']:.0f}/s")
                    if workers == WORKERS[-1]:
                        others += _others(plan, made, server, where)
    return {"rows": rows, "others": others}


def _others(plan: Plan, made: House, server: Any, where: dict[str, Any]) -> list[dict[str, Any]]:
    workers = where["workers"]
    rows = []
    for name, path in OTHER_GETS.items():
        rows.append({**where, "what": name, **measured(server, path, workers, plan.seconds)})
    body = made.bodies("RS256")[0]
    token = load.once(server.url("/oauth/token"), server.host, body)["access_token"]
    parameters = {name: values[0] for name, values in parse_qs(body).items()}
    question = urlencode(
        {"client_id": parameters["client_id"], "client_secret": parameters["client_secret"], "token": token}
    )
    try:
        answer = load.once(server.url("/oauth/introspect"), server.host, question)
    except RuntimeError:
        return rows
    if not answer.get("active"):
        raise RuntimeError("The token that was just issued is not active.")
    found = measured(server, "/oauth/introspect", workers, plan.seconds, [question])
    return [*rows, {**where, "what": "introspection", **found}]


def peers(plan: Plan) -> dict[str, Any]:
    """Gatehouse and its peers with RS256 and two workers, taking turns."""
    workers = WORKERS[-1]
    rounds: dict[str, list[dict[str, Any]]] = {}
    with house(None) as made, peers_run.prepared(plan) as others:
        for _ in range(plan.rounds):
            with made.serving(workers, server_cores(workers)) as server:
                found = beside_the_signature(plan, server, "RS256", workers, made.bodies("RS256"))
                rounds.setdefault("Gatehouse", []).append(found)
            for name, peer in others.items():
                rounds.setdefault(name, []).append(peer(plan, workers))
                plan.say(f"  {name}: {rounds[name][-1]['rate']:.1f}/s")
    rows = [{"name": name, **_middle(found), "slices": found} for name, found in rounds.items()]
    own = rows[0]["rate"]
    return {
        "rows": [{**row, "gatehouse_is": own / row["rate"] if row["rate"] else None} for row in rows],
        "left_out": peers_run.left_out(),
    }


def _middle(slices: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("rate", "raw", "ratio", "p50", "p95", "p99", "cpu_us")
    found = {
        name: statistics.median(values) if (values := [one[name] for one in slices if one.get(name)]) else None
        for name in names
    }
    return {**found, "errors": sum(one["errors"] for one in slices)}


def scale(plan: Plan) -> dict[str, Any]:
    """The token path with 10 and with 100,000 applications, and what tokens leave in the database."""
    workers = WORKERS[-1]
    many = 10_000 if plan.quick else 100_000
    found: dict[str, Any] = {"sizes": [], "bytes": []}
    with house(None, 10) as few, house(None, many) as crowd:
        for _ in range(plan.rounds):
            for made, number in ((few, 10), (crowd, many)):
                with made.serving(workers, server_cores(workers)) as server:
                    bodies = made.bodies("RS256")
                    row = beside_the_signature(plan, server, "RS256", workers, bodies[:10])
                    found["sizes"].append({"applications": number, "asking": 10, **row})
                    plan.say(f"  {number} applications, 10 of them asking: {row['rate']:.0f}/s, {row['ratio']:.2f}")
                    if number == many:
                        # Every request from another application, none of which the server has met.
                        row = beside_the_signature(plan, server, "RS256", workers, bodies)
                        found["sizes"].append({"applications": number, "asking": number, **row})
    for database in plan.databases:
        with house(database) as made, made.serving(workers, server_cores(workers)) as server:
            found["bytes"].append(_bytes(plan, made, server, workers))
    return found


def _bytes(plan: Plan, made: House, server: Any, workers: int) -> dict[str, Any]:
    bodies = made.bodies("ES256")
    url = server.url("/oauth/token")
    load.send(url, server.host, 3, bodies, cores=load_cores(workers))
    # What the first tokens of an hour leave behind is stored every two seconds.
    time.sleep(5)
    before, issued, began = made.bytes(), 0, time.monotonic()
    while issued < plan.tokens and time.monotonic() - began < 240:
        found = load.send(url, server.host, 5, bodies, cores=load_cores(workers))
        issued += found.requests - found.errors
    time.sleep(5)
    plan.say(f"  {made.stored_in}: {made.bytes() - before} bytes for {issued} tokens")
    return {"database": made.stored_in, "tokens": issued, "before": before, "after": made.bytes()}


def console(plan: Plan) -> dict[str, Any]:
    """Console pages of a large tenant."""
    found: dict[str, Any] = {}
    for database in plan.databases:
        with house(database) as made:
            found[made.stored_in] = json.loads(made.run("bench.console", str(plan.pages), timeout=900))
            slowest = max(found[made.stored_in].items(), key=lambda page: page[1]["p95"])
            plan.say(f"  {made.stored_in}: slowest is {slowest[0]}, {slowest[1]['p95']:.0f} ms")
    return found


def profile(plan: Plan) -> dict[str, Any]:
    """Where a token's time goes, for the dearest signature and for the cheapest."""
    times = "300" if plan.quick else "3000"
    with house(None) as made:
        return {
            alg: json.loads(made.run("bench.profiling", str(made.folder / f"{alg}.txt"), times, timeout=300))
            for alg in ("RS256", "HS256")
        }


SECTIONS = {"tokens": tokens, "peers": peers, "scale": scale, "console": console, "profile": profile}
