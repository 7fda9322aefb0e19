"""The report, ratios first. It says nothing that is not in the results."""

import statistics
from collections.abc import Callable, Iterable
from typing import Any

WHAT_IT_MEANS = """\
How to read it: a server that signs each token cannot be faster than the bare signature on the same cores. So tokens a
second stand beside that rate, measured just before and just after each slice in the same run; the ratio of the two says
more than either, because it changes little from one machine to the next. "Static view" is `/healthz`, which passes the
same server's normal middleware and does nothing. The load generator works on the same cores as two workers, and beside
one worker on another core. Latencies are at 50 open connections, as the load generator sees them. CPU is the processor
time of the server's processes, user and system, for each good answer.
"""
HEADINGS = {
    "tokens": "Tokens",
    "peers": "Beside others",
    "scale": "Size",
    "console": "The console of a large tenant",
    "profile": "Where a token's time goes",
}


def page(results: dict[str, Any], quick: bool) -> str:
    """Return the whole report in Markdown."""
    parts = ["# Benchmarks\n", _introduction(quick), WHAT_IT_MEANS, _floors(results)]
    for section, draw in SECTIONS.items():
        if section in results:
            parts += [f"## {HEADINGS[section]}\n", draw(results[section]["found"])]
    parts += ["## The machine\n", _machines(results)]
    return "\n".join(parts)


def _introduction(quick: bool) -> str:
    if quick:
        return "Slices of 2 seconds: good to see that the benchmark works, too short to rely on.\n"
    return "Made by `bin/bench`; run it to get your own machine's.\n"


def _floors(results: dict[str, Any]) -> str:
    rows = [
        [what, f"{limit:{form}}", f"{found:{form}}", "yes" if holds(found, limit) else "**no**"]
        for what, found, limit, holds, form in _measured_floors(results)
        if found is not None
    ]
    return "## What it must reach\n\n" + _table(["", "floor", "measured", "reached"], rows)


def _at_least(found: float, limit: float) -> bool:
    return found >= limit


def _at_most(found: float, limit: float) -> bool:
    return found <= limit


Floor = tuple[str, float | None, float, Callable[[float, float], bool], str]


def _measured_floors(results: dict[str, Any]) -> Iterable[Floor]:
    tokens = results.get("tokens", {}).get("found", {}).get("rows", [])
    two = [row for row in tokens if row["workers"] == 2]
    for row in two:
        if row["alg"] == "RS256":
            what = f"RS256, two workers, {row['database']}: share of the bare signature's rate"
            yield what, row["ratio"], 0.60, _at_least, ".2f"
    for row in two:
        if row["alg"] in {"ES256", "EdDSA", "HS256"}:
            what = f"{row['alg']}, two workers, {row['database']}: share of the static view's rate"
            yield what, row["to_static"], 0.80, _at_least, ".2f"
    if two:
        yield "slowest p99 with two workers, ms", max(row["p99"] for row in two), 50, _at_most, ".0f"
        yield "errors", sum(row["errors"] for row in tokens), 0, _at_most, ".0f"
    both = [
        statistics.mean(rows) if (rows := [r["ratio"] for r in two if r["database"] == name]) else None
        for name in ("SQLite", "PostgreSQL")
    ]
    if both[0] and both[1]:
        yield "PostgreSQL beside SQLite, mean of the ratios", both[1] / both[0], 0.95, _at_least, ".2f"
    for row in results.get("peers", {}).get("found", {}).get("rows", []):
        if row["name"].startswith("oidc-provider"):
            yield f"RS256, two workers: times {row['name']}", row["gatehouse_is"], 1.2, _at_least, ".2f"
    scale = results.get("scale", {}).get("found", {})
    few, many = (_ratio_with(scale, few=few) for few in (True, False))
    if few and many:
        most = max(row["applications"] for row in scale["sizes"])
        yield f"rate with {most:,} applications beside that with 10", many / few, 0.90, _at_least, ".2f"
    for row in scale.get("bytes", []):
        grown = row["after"] - row["before"]
        yield (
            f"bytes in {row['database']} for each of {row['tokens']:,} tokens",
            grown / row["tokens"],
            0,
            _at_most,
            ".2f",
        )
    for database, pages in results.get("console", {}).get("found", {}).items():
        most_queries = max(page["queries"] for page in pages.values())
        yield f"most queries of a console page, {database}", most_queries, 12, _at_most, ".0f"
        yield (
            f"slowest p95 of a console page, {database}, ms",
            max(p["p95"] for p in pages.values()),
            150,
            _at_most,
            ".0f",
        )


def _ratio_with(scale: dict[str, Any], few: bool) -> float | None:
    """Return the median ratio where the same ten ask, among few applications or among many."""
    rows = [
        row["ratio"] for row in scale.get("sizes", []) if row["asking"] == 10 and (row["applications"] == 10) == few
    ]
    return statistics.median(rows) if rows else None


def _tokens(found: dict[str, Any]) -> str:
    head = ["", "workers", "database", "of the signature", "of a static view", "tokens/s", "signatures/s"]
    rows = [
        [
            row["alg"],
            row["workers"],
            row["database"],
            f"**{row['ratio']:.2f}**",
            f"{row['to_static']:.2f}",
            _number(row["rate"]),
            _number(row["raw"]),
            *_costs(row),
        ]
        for row in found["rows"]
    ]
    others = [
        [row["what"], row["workers"], row["database"], _number(row["rate"]), *_costs(row)] for row in found["others"]
    ]
    return (
        _table([*head, *COSTS], rows)
        + "\nOther answers of the same server:\n\n"
        + _table(["", "workers", "database", "answers/s", *COSTS], others)
    )


COSTS = ["p50 ms", "p95 ms", "p99 ms", "CPU µs", "errors"]


def _costs(row: dict[str, Any]) -> list[str]:
    cpu = _number(row["cpu_us"]) if row.get("cpu_us") else "–"
    return [*(f"{row[name]:.1f}" if row.get(name) is not None else "–" for name in ("p50", "p95", "p99")), cpu] + [
        str(row["errors"])
    ]


def _peers(found: dict[str, Any]) -> str:
    rows = [
        [
            row["name"],
            f"**{row['gatehouse_is']:.2f}**" if row["gatehouse_is"] else "–",
            f"{row['ratio']:.3f}" if row["ratio"] else "–",
            f"{row['rate']:,.1f}" if row["rate"] and row["rate"] < 100 else _number(row["rate"] or 0),
            *_costs(row),
        ]
        for row in found["rows"]
    ]
    text = (
        "Client credentials, two workers, SQLite; medians. oidc-provider and Gatehouse answer with RS256 JWTs. The\n"
        "toolkit answers with opaque tokens, served by Gatehouse's own server; hashing secrets is what it does unless\n"
        "told otherwise, and is measured at 4 connections.\n\n"
    )
    text += _table(["", "Gatehouse is, times", "of the signature", "tokens/s", *COSTS], rows)
    for name, reason in found["left_out"].items():
        text += f"\n{name} was left out: {reason}.\n"
    return text


def _scale(found: dict[str, Any]) -> str:
    groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in found["sizes"]:
        groups.setdefault((row["applications"], row["asking"]), []).append(row)
    rows = []
    for (applications, asking), slices in groups.items():
        middle = sorted(slices, key=lambda row: row["ratio"])[len(slices) // 2]
        costs = _costs(middle)
        rows.append([f"{applications:,}", f"{asking:,}", f"**{middle['ratio']:.2f}**", _number(middle["rate"]), *costs])
    stored = [
        [
            row["database"],
            f"{row['tokens']:,}",
            f"{row['before']:,}",
            f"{row['after']:,}",
            f"**{row['after'] - row['before']:,}**",
        ]
        for row in found["bytes"]
    ]
    return (
        "RS256, two workers, SQLite. Where all ask, each request is from another one, most of which the worker has\n"
        "not met before.\n\n"
        + _table(["applications", "of which ask", "of the signature", "tokens/s", *COSTS], rows)
        + "\nBytes of the database:\n\n"
        + _table(["", "tokens", "before", "after", "grown by"], stored)
    )


def _console(found: dict[str, Any]) -> str:
    databases = list(found)
    head = ["page", "queries"]
    for name in databases:
        head += [f"{name}: p50 ms", "p95 ms", "CPU ms"]
    rows = []
    for page, first in found[databases[0]].items():
        row = [page, max(found[name][page]["queries"] for name in databases)]
        for name in databases:
            one = found[name][page]
            row += [f"{one['p50']:.0f}", f"**{one['p95']:.0f}**", f"{one['cpu']:.0f}"]
        rows.append([*row, f"{first['bytes'] / 1000:.0f}"])
    return (
        "1,000 APIs, 10,000 applications, 10,000 log entries; one API with 1,000 scopes, which every application may\n"
        "call, and one application that may call every API. An admin's pages, through all middleware but without the\n"
        "network.\n\n" + _table([*head, "kB"], rows)
    )


def _profile(found: dict[str, Any]) -> str:
    text = (
        "Shares of the time inside the application, by Python's profiler, which makes Python code look dearer than it\n"
        "is beside the signature. The server itself (sockets, HTTP) is not in it. Microseconds are without the\n"
        "profiler.\n\n"
    )
    parts = list(dict.fromkeys(part for one in found.values() for part in one["parts"]))
    rows = [[part, *(f"{one['parts'].get(part, 0):.1f} %" for one in found.values())] for part in parts]
    rows.append(["**processor time, µs**", *(f"**{one['microseconds']:.0f}**" for one in found.values())])
    return text + _table(["part", *found], rows)


def _machines(results: dict[str, Any]) -> str:
    sections: dict[str, list[str]] = {}
    for section, result in results.items():
        machine = result["machine"]
        same = {name: value for name, value in machine.items() if name not in {"date", "load"}}
        sections.setdefault(repr(same), []).append(section)
    text = ""
    for names in sections.values():
        machine = results[names[0]]["machine"]
        rows = [[name, _plain(value)] for name, value in machine.items() if name not in {"date", "load"} and value]
        for name in names:
            one = results[name]
            rows.append(
                [
                    f"measured: {name}",
                    f"{one['machine']['date']}, load before {one['machine']['load']}, slices of {one['seconds']} s",
                ]
            )
        text += _table(["", ""], rows) + "\n"
    return text


def _plain(value: Any) -> str:
    return ", ".join(f"{name} {found}" for name, found in value.items()) if isinstance(value, dict) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _table(head: list[Any], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


SECTIONS = {"tokens": _tokens, "peers": _peers, "scale": _scale, "console": _console, "profile": _profile}
