"""The examples of the Test tab, run as they stand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Tenant
from apis.operations import add_scopes, create_api
from applications.operations import authorize_application
from audit.actors import Actor
from tests.conftest import App, make_app
from tests.reading import claims_of
from tokens.api_calls import curl, node, python
from tokens.setup import create_tenant
from tokens.snippets import Panel, TokenRequest, call_panels, token_panels

HOSTILE = """urn:it's "quoted" \\ $HOME ${x} #{y} {{ z }} %s `id` \\u0022"""
SCOPES = ["read:#{it's}${x}", "write:reports"]


@pytest.fixture
def live(transactional_db: None, live_server: Any, by: Actor) -> tuple[Tenant, App]:
    tenant = create_tenant("live", f"{live_server.url}/", by)
    api = create_api(tenant, by, name="Reports", identifier=HOSTILE)
    add_scopes(api, by, [(scope, "") for scope in [*SCOPES, "third"]])
    app = make_app(tenant, by, name="Caller", app_type="non_interactive")
    authorize_application(app.row, api, by, allow_all_scopes=True)
    return tenant, app


def panel(key: str, request: TokenRequest) -> Panel:
    return next(panel for panel in token_panels(request) if panel.key == key)


def command(key: str, code: str, folder: Path) -> list[str]:
    """Return how somebody would run the example; a language that is not here skips the test."""
    needs = {"curl": "curl", "python": "python3", "node": "node", "go": "go", "java": "javac"}[key]
    if not shutil.which(needs):
        pytest.skip(f"{needs} is not here.")
    file = folder / {"curl": "x.sh", "python": "x.py", "node": "x.mjs", "go": "x.go", "java": "Main.java"}[key]
    file.write_text(code)
    start = {"curl": ["bash"], "python": [sys.executable], "node": ["node"], "go": ["go", "run"], "java": ["java"]}
    return [*start[key], str(file)]


def output(arguments: list[str], **variables: str) -> str:
    ran = subprocess.run(
        arguments, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=True
    )
    return ran.stdout.strip()


RUN = [
    "curl",
    "python",
    pytest.param("node", marks=pytest.mark.node),
    pytest.param("go", marks=pytest.mark.go),
    "java",
]


@pytest.mark.parametrize("key", RUN)
@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_the_example_gets_the_token_it_asks_for(
    key: str, as_json: bool, live: tuple[Tenant, App], tmp_path: Path
) -> None:
    tenant, app = live
    request = TokenRequest(f"{tenant.issuer}oauth/token", app.client_id, HOSTILE, SCOPES, as_json)

    told = output(command(key, panel(key, request).code, tmp_path), CLIENT_SECRET=app.secret or "")

    token = json.loads(told)["access_token"] if told.startswith("{") else told
    claims = claims_of(token, tenant, HOSTILE)
    assert claims["scope"].split() == sorted(SCOPES)


@pytest.mark.parametrize("call", [curl, python, pytest.param(node, marks=pytest.mark.node)])
def test_the_call_sends_the_token_from_the_environment(call: Any, live: tuple[Tenant, App], tmp_path: Path) -> None:
    tenant, _ = live
    code = call(f"{tenant.issuer}.well-known/jwks.json")
    key = {"curl": "curl", "python": "python", "node": "node"}[call.__name__]

    assert '"keys"' in output(command(key, code, tmp_path), ACCESS_TOKEN="x")
    assert "ACCESS_TOKEN" in code and "Bearer" in code


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_every_language_asks_for_the_same(as_json: bool) -> None:
    request = TokenRequest(
        "https://auth.example/oauth/token", "client-1", "https://api.example/", ["a:b", "c:d"], as_json
    )
    panels = token_panels(request)

    assert [panel.label for panel in panels] == [
        "cURL", "Python", "Node.js", "Go", "Java", "C#", "PHP", "Ruby", "Rust",
    ]  # fmt: skip
    for one in panels:
        for part in (
            "https://auth.example/oauth/token",
            "client-1",
            "https://api.example/",
            "a:b c:d",
            "CLIENT_SECRET",
        ):
            assert part in one.code, one.label


def test_without_scopes_none_is_named() -> None:
    for one in token_panels(TokenRequest("https://auth.example/oauth/token", "c", "https://api.example/")):
        assert "scope" not in one.code, one.label


def test_the_call_is_written_in_the_same_languages() -> None:
    request = TokenRequest("https://auth.example/oauth/token", "c", "https://api.example/")

    assert [one.key for one in call_panels("https://api.example/")] == [one.key for one in token_panels(request)]
    assert all(
        "https://api.example/" in one.code and "ACCESS_TOKEN" in one.code for one in call_panels("https://api.example/")
    )
