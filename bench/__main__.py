"""Measure, write the numbers down, and make the report of them. `bin/bench --help` says how to call it."""

import argparse
import contextlib
import json
import signal
import sys
from typing import Any

from bench import report, servers
from bench.machine import ROOT, facts
from bench.plan import Plan
from bench.sections import SECTIONS

RESULTS = ROOT / "var" / "bench"


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 when everything that was asked for was measured."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    RESULTS.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = RESULTS / ("quick.json" if options.quick else "latest.json")
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    failed = []
    with contextlib.ExitStack() as stack:
        plan = _plan(options.quick)
        address = None if options.sqlite_only else stack.enter_context(servers.postgresql())
        if address:
            plan.databases.append(address)
        for section in options.sections or SECTIONS:
            plan.say(f"== {section}")
            machine = facts()
            try:
                results[section] = {"machine": machine, "seconds": plan.seconds, "found": SECTIONS[section](plan)}
            except (RuntimeError, OSError, TimeoutError) as problem:
                failed.append(section)
                print(f"bin/bench: {section} failed: {problem}", file=sys.stderr)
            # Whatever comes after may fail; what was measured stays.
            kept.write_text(json.dumps(results, indent=1) + "\n")
    page = RESULTS / "quick.md" if options.quick else ROOT / "docs" / "benchmarks.md"
    page.write_text(report.page(results, options.quick))
    print(f"{page.relative_to(ROOT)} and {kept.relative_to(ROOT)} are written.")
    return 1 if failed else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", allow_abbrev=False)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all without any")
    parser.add_argument("--quick", action="store_true", help="slices of 2 seconds, into var/bench/ only")
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    return options


def _plan(quick: bool) -> Plan:
    if quick:
        return Plan(seconds=2, raw=0.5, rounds=1, tokens=5_000, pages=5, quick=True)
    return Plan(seconds=8, raw=2, rounds=3, tokens=100_000, pages=40)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
