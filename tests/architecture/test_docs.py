"""docs/configuration.md against the code: nothing undocumented, nothing made up."""

import ast
import re
from pathlib import Path

from django.core.management import get_commands
from django.urls import get_resolver

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/configuration.md").read_text()
READERS = {"text", "flag", "whole_number", "choice", "words", "origin", "database"}
# Django's own, and what Python and shells use.
NOT_OURS = {"DJANGO_SETTINGS_MODULE"}


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", DOC, re.MULTILINE))


def read_by_code() -> set[str]:
    """Every variable that a typed reader or os.environ is asked for by name in config/."""
    names = set()
    for path in (ROOT / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr=reader), args=[ast.Constant(value=str(name)), *_]):
                    if reader in READERS or (reader in {"get", "setdefault"} and "environ" in ast.unparse(node.func)):
                        names.add(name)
                case ast.Subscript(value=environ, slice=ast.Constant(value=str(name))):
                    if ast.unparse(environ) == "os.environ":
                        names.add(name)
    return names - NOT_OURS


def read_by_scripts() -> set[str]:
    scripts = [path.read_text() for path in [*(ROOT / "bin").iterdir(), ROOT / "tests/conftest.py"] if path.is_file()]
    return set(re.findall(r"\bGATEHOUSE_[A-Z]+(?:_[A-Z]+)*\b", "\n".join(scripts)))


def test_every_variable_that_is_read_is_documented():
    assert (read_by_code() | read_by_scripts()) - documented() == set()


def test_every_documented_variable_is_read():
    assert documented() - read_by_code() - read_by_scripts() == set()


def test_the_code_is_really_searched():
    assert {"GATEHOUSE_DATA", "DATABASE_URL", "GATEHOUSE_WORKERS", "CACHE_URL"} <= read_by_code()


def test_every_refusal_is_documented():
    raised = re.findall(r"gatehouse\.[EW]\d{3}", (ROOT / "config/checks.py").read_text())

    assert set(raised) == set(re.findall(r"^\| `(gatehouse\.[EW]\d{3})`", DOC, re.MULTILINE))


def test_every_command_of_ours_is_in_a_document():
    documents = all_documents()
    apps = {"accounts", "apis", "applications", "tokens", "audit"}
    ours = {name for name, app in get_commands().items() if app in apps}

    assert ours and {name for name in ours if f"manage.py {name}" not in documents} == set()


def test_every_protocol_address_is_in_a_document():
    documents = all_documents()
    addresses = {f"/{pattern}" for pattern in protocol_addresses()}

    assert addresses and {address for address in addresses if address not in documents} == set()


def all_documents() -> str:
    return "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if path.exists())


def protocol_addresses() -> set[str]:
    resolver = get_resolver("config.protocol_urls")
    found, waiting = set(), [("", resolver)]
    while waiting:
        prefix, current = waiting.pop()
        for pattern in current.url_patterns:
            address = prefix + str(pattern.pattern).lstrip("^")
            if hasattr(pattern, "url_patterns"):
                waiting.append((address, pattern))
            else:
                found.add(address)
    return found
