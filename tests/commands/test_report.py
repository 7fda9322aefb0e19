"""The end of bin/test: what people and the gate read."""

import subprocess
import sys
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "bin" / "report.py"
GOOD = '<testcase classname="tests.a" name="works"/>'
SKIPPED = '<testcase classname="tests.a" name="waits"><skipped type="pytest.skip" message="no Node"/></testcase>'
FAILS = '<testcase classname="tests.a" name="fails"><failure message="no"/></testcase>'
BREAKS = '<testcase classname="tests.a" name="fails"><error message="teardown"/></testcase>'
EXPECTED = '<testcase classname="tests.a" name="known"><skipped type="pytest.xfail" message="later"/></testcase>'


@pytest.fixture
def report(tmp_path):
    """Run the report over these runs of pytest; returns its lines and its exit code."""

    def report(*options, failed="", left_out="", **runs):
        (tmp_path / "failed").write_text(failed)
        (tmp_path / "left-out").write_text(left_out)
        for name, cases in runs.items():
            (tmp_path / f"{name}.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
        done = subprocess.run(
            [sys.executable, REPORT, tmp_path, *options], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stderr == ""
        return done.stdout.splitlines(), done.returncode

    return report


def test_the_last_line_is_the_sum_of_all_runs(report):
    lines, code = report(SQLite=GOOD + EXPECTED, PostgreSQL=GOOD)

    assert (lines[-1], code) == ("3 passed, 0 failed", 0)


def test_a_test_that_fails_and_then_breaks_is_one_failure(report):
    lines, code = report(SQLite=GOOD + FAILS + BREAKS)

    assert (lines[-1], code) == ("1 passed, 1 failed", 1)


def test_a_failed_check_counts_and_is_named(report):
    lines, code = report(SQLite=GOOD, failed="mypy\n")

    assert "mypy" in lines
    assert (lines[-1], code) == ("1 passed, 1 failed", 1)


def test_what_was_left_out_is_said_with_its_reason(report):
    lines, code = report(SQLite=GOOD + SKIPPED, left_out="browser tests: no Chromium found\n")

    assert "browser tests: no Chromium found" in lines
    assert "tests.a: no Node (1)" in lines
    assert (lines[-1], code) == ("1 passed, 0 failed, 1 skipped", 0)


def test_with_all_what_was_left_out_or_skipped_is_a_failure(report):
    lines, code = report("--all", SQLite=GOOD + SKIPPED, left_out="browser tests: no Chromium found\n")

    assert (lines[-1], code) == ("1 passed, 2 failed", 1)


def test_a_run_without_a_single_test_is_a_failure(report):
    lines, code = report()

    assert (lines[-1], code) == ("0 passed, 1 failed", 1)
