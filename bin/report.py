"""Say what a run of bin/test did: `report.py FOLDER [--all]`.

FOLDER holds pytest's JUnit files and two lists, `failed` (checks) and `left-out` (with the reason). The last line is
the sum over all runs, "N passed, N failed" with ", N skipped" where tests were; the exit code is 1 if anything failed.
With --all, what was left out and what was skipped counts as failed.
"""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree


def outcomes(report: Path) -> tuple[Counter[str], list[str]]:
    """Return how many tests passed, failed and were skipped, and a line for each reason to skip."""
    counted: Counter[str] = Counter()
    skips: Counter[str] = Counter()
    tests: dict[tuple[str | None, str | None], str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        key = (case.get("classname"), case.get("name"))
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            # A test that fails and then breaks while it is taken down is written twice, and is one failure.
            tests[key] = "failed"
        elif skipped is not None and skipped.get("type") != "pytest.xfail":
            tests.setdefault(key, "skipped")
            skips[f"{case.get('classname')}: {skipped.get('message')}"] += 1
        else:
            tests.setdefault(key, "passed")
    counted.update(tests.values())
    return counted, [f"{reason} ({times})" for reason, times in skips.items()]


def main(folder: Path, everything: bool) -> int:
    """Print the report and return the exit code."""
    total: Counter[str] = Counter()
    print("\n== What ran")
    skips = []
    for report in sorted(folder.glob("*.xml"), reverse=True):
        counted, reasons = outcomes(report)
        total += counted
        skips += reasons
        sums = ", ".join(f"{counted[word]} {word}" for word in ("passed", "failed", "skipped"))
        print(f"pytest on {report.stem}: {sums}")
    broken = (folder / "failed").read_text(encoding="utf-8").splitlines()
    left_out = (folder / "left-out").read_text(encoding="utf-8").splitlines()
    total["failed"] += len(broken)
    if not total["passed"]:
        broken.append("no test ran")
        total["failed"] += 1
    for title, lines in (("Failed beside the tests", broken), ("Left out", left_out), ("Skipped", skips)):
        if lines:
            print(f"\n== {title}")
            print("\n".join(lines))
    if everything:
        total["failed"] += len(left_out) + total.pop("skipped", 0)
    summary = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        summary += f", {total['skipped']} skipped"
    print(f"\n{summary}", flush=True)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "--all" in sys.argv[2:]))
