"""A real Chromium against a real server. Any message on the console, any request that leaves the machine and any
answer that a test did not expect makes it fail."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import BrowserContext, Page, Response
from pytest_django.live_server_helper import LiveServer

from accounts.models import Role, Tenant, User
from accounts.operations import create_member
from audit.actors import Actor
from tests.browser.house import House, build
from tests.conftest import PASSWORD, browser_of

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("GATEHOUSE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
           --disable-component-update --disable-sync --disable-dev-shm-usage""".split()
# Nothing resolves but this machine, so a page that asks for anything else fails instead of getting it.
FLAGS.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1")
AXE = (HERE.parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 8_000  # milliseconds that a page may take on a busy machine
# What moves or fades is brought to its end; what spins for ever cannot be.
AT_REST = "document.getAnimations().forEach((one) => { try { one.finish() } catch { one.cancel() } })"
VIEWPORT = {"width": 1280, "height": 900}
PLAIN_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
NO_SCRIPTS = pytest.mark.browser_context_args(java_script_enabled=False)
FAILED_TO_LOAD = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"There is no Chromium at {CHROMIUM}.")
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Colours that fade in would be measured half way.
    return browser_context_args | {"viewport": VIEWPORT, "reduced_motion": "reduce"}


@pytest.fixture(autouse=True)
def _fresh_counters(request: pytest.FixtureRequest) -> Iterator[None]:
    """Limits count in the cache, which no test's transaction undoes."""
    yield
    if "live_server" in request.fixturenames:
        cache.clear()


class Watch:
    """What pages did that they should not. `allowed` holds the statuses that a test provokes on purpose."""

    def __init__(self) -> None:
        self.allowed = {422}  # a form that comes back is a normal answer
        self.complaints: list[str] = []

    def over(self, page: Page) -> Page:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._request(request.url))
        page.on("crash", lambda _: self.complaints.append(f"{page.url} crashed"))
        page.on("response", self._response)
        return page

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not FAILED_TO_LOAD.match(message.text):
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def _request(self, url: str) -> None:
        if not url.startswith(("http://localhost:", "data:", "blob:")):
            self.complaints.append(f"a request left the machine: {url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.complaints.append(f"{response.status} for {response.request.method} {response.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert not watch.complaints, "\n".join(watch.complaints)


@pytest.fixture
def page(page: Page, watch: Watch) -> Page:
    """A page that fails the test on script errors, console and CSP messages, foreign requests and odd answers."""
    page.set_default_timeout(PATIENCE)
    return watch.over(page)


@pytest.fixture
def axe(page: Page) -> Callable[..., list[str]]:
    """What axe has against the page as it is now. rules: axe's `runOnly`, all of RULES if None."""
    run = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"

    def violations(rules: dict[str, Any] | None = None) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE + "; undefined")
        page.evaluate(AT_REST)
        found = page.evaluate(run, rules or {"type": "tag", "values": RULES})["violations"]
        return [_described(violation) for violation in found]

    return violations


def _described(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    why = " ".join(nodes[0].get("failureSummary", "").split())[:240]
    more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
    return f"{violation['id']}: {' '.join(map(str, nodes[0]['target']))}{more}: {why}"


def sign_in(context: BrowserContext, user: User, address: str) -> None:
    """Give the browser the session that somebody has who signed in."""
    session = browser_of(user).cookies[project.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": project.SESSION_COOKIE_NAME, "value": session.value, "url": address}])


@pytest.fixture
def live_ada(live_tenant: Tenant, by: Actor) -> User:
    return create_member(live_tenant, by, "ada@example.com", PASSWORD, Role.ADMIN, operator=True)


@pytest.fixture
def live_eve(live_tenant: Tenant, by: Actor) -> User:
    return create_member(live_tenant, by, "eve@example.com", PASSWORD, Role.EDITOR)


@pytest.fixture
def signed_in(page: Page, live_server: Any, live_ada: User) -> Page:
    """A page of Ada's, who runs the tenant."""
    sign_in(page.context, live_ada, live_server.url)
    return page


@pytest.fixture(autouse=True)
def _django_db_marker(request: pytest.FixtureRequest) -> None:
    """pytest-django's own would empty the database after each test; a house stands for a whole module."""
    if request.node.get_closest_marker("django_db") and "house" not in request.fixturenames:
        request.getfixturevalue("_django_db_helper")


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """A seeded house behind a server of its own, for tests that look at much: mark them `django_db`."""
    with django_db_blocker.unblock():
        server = LiveServer("localhost")
        with override_settings(
            GATEHOUSE_CONSOLE_URL=f"{server.url}/",
            ROOT_URLCONF="tests.browser.urls",
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            STORAGES={**project.STORAGES, "staticfiles": {"BACKEND": PLAIN_STATIC}},
        ):
            try:
                yield build(server.url)
            finally:
                server.stop()
                call_command("flush", interactive=False, verbosity=0)
                cache.clear()
