"""The rules of the house that a machine can hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = ["config", "tokens", "applications", "apis", "accounts", "audit"]
SOURCES = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.relative_to(ROOT).parts
]
NAMELESS = {
    *("util", "utils", "helper", "helpers", "common", "misc", "shared", "lib", "base"),
    *("manager", "managers", "service", "services", "data", "info", "obj", "stuff", "tools"),
}
LONGEST = 400
WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create"}
# Files that write without being operations, and why.
WRITERS = {
    # Saving itself, and the manager that Django makes users with.
    "accounts/models.py",
    "applications/models.py",
    # The frame of every operation: the one step of the tenant's version.
    "accounts/changes.py",
    # The same secrets under another key: no change that anybody can see.
    "tokens/reencryption.py",
}


def name(path):
    return path.relative_to(ROOT).as_posix()


def calls(path):
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def writes(call):
    """Tell whether a call looks like one that writes rows, as `digest.update(text)` and `cache.delete(key)` do not."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in WRITES:
        return False
    if ast.unparse(call.func.value).startswith(("self", "super().__")) and call.func.attr != "save":
        return False
    match call.func.attr:
        case "update" | "create":
            return bool(call.keywords) and not call.args
        case "delete":
            return not call.args
    return True


def test_imports_point_down():
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_operations_write(path):
    allowed = path.name == "operations.py" or name(path) in WRITERS
    found = [f"line {call.lineno}: {ast.unparse(call)[:80]}" for call in calls(path) if writes(call)]

    assert allowed or not found, "Write in an operation, so that it leaves an event."


def test_the_search_for_writes_finds_some():
    found = {name(path) for path in SOURCES if any(writes(call) for call in calls(path))}

    assert found >= {*WRITERS, "apis/operations.py", "accounts/operations.py"}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_named_for_what_is_in_it_and_can_be_read_in_one_go(path):
    assert not {path.stem, path.parent.name} & NAMELESS, "Find the noun that is missing."
    assert len(path.read_text().splitlines()) <= LONGEST, "Find the noun you have not named, and give it a file."


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_apps_do_not_signal_each_other(path):
    source = path.read_text()

    assert not re.search(r"@receiver|\bSignal\(", source), "Call the operation instead."


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_import_hides_in_a_function(path):
    """Outside the start-up code, which has to wait for Django."""
    if name(path) in {"config/serve.py", "config/web_server.py", "manage.py"}:
        return
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    ours = [
        ast.unparse(node)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in APPS
    ]

    assert not ours
