"""The cast. Ada runs the tenant, Eve edits, Bea may only look, Cal is a stranger. The calendar API has two scopes;
billing_app is a machine that may read it; web_app and spa_app belong to people's browsers."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as settings_of_project
from django.test import Client

from accounts.models import Role, Tenant, User
from accounts.operations import create_member
from apis.models import API
from apis.operations import add_scopes, create_api
from applications.models import Application, ClientGrant
from applications.operations import authorize_application, create_application
from audit import clearing
from audit.actors import Actor
from tokens.log import throttle
from tokens.quotas import quotas
from tokens.setup import create_tenant
from tokens.usage import usage
from tokens.wrong_credentials import limiter

HOST = "localhost:8000"
PASSWORD = "correct horse battery"

# Playwright keeps an event loop in the test's thread, which Django would otherwise refuse to query beside.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """The live server warns when nothing has been collected; the folder may be empty."""
    settings_of_project.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _fast_and_plain(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files come straight from their folder: nothing has been collected.
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """What a process remembers begins empty with each test, as the database does."""
    for memory in (throttle, usage, quotas, limiter):
        memory.clear()
    clearing.forget()


@pytest.fixture
def by() -> Actor:
    """Somebody for operations to be done by."""
    return Actor(id="auth0|test", name="test@example.com", ip="192.0.2.1", user_agent="tests")


@pytest.fixture
def issuer() -> str:
    return f"http://{HOST}/"


@pytest.fixture
def tenant(db: None, issuer: str, by: Actor) -> Tenant:
    return create_tenant("main", issuer, by, friendly_name="Main")


@pytest.fixture
def other_tenant(db: None, by: Actor) -> Tenant:
    """A second house, on a host of its own."""
    return create_tenant("other", "https://other.example/", by, friendly_name="Other")


@pytest.fixture
def ada(tenant: Tenant, by: Actor) -> User:
    return create_member(tenant, by, "ada@example.com", PASSWORD, Role.ADMIN)


@pytest.fixture
def eve(tenant: Tenant, by: Actor) -> User:
    return create_member(tenant, by, "eve@example.com", PASSWORD, Role.EDITOR)


@pytest.fixture
def bea(tenant: Tenant, by: Actor) -> User:
    return create_member(tenant, by, "bea@example.com", PASSWORD, Role.VIEWER)


@pytest.fixture
def cal(other_tenant: Tenant, by: Actor) -> User:
    """An admin, but of the other tenant."""
    return create_member(other_tenant, by, "cal@example.com", PASSWORD, Role.ADMIN)


def browser_of(user: User | None) -> Client:
    client = Client(HTTP_HOST=HOST)
    if user is not None:
        client.force_login(user, backend="accounts.backends.MemberBackend")
    return client


@pytest.fixture
def client() -> Client:
    """Somebody who has not signed in, at the console's address."""
    return browser_of(None)


@pytest.fixture
def as_ada(ada: User) -> Client:
    return browser_of(ada)


@pytest.fixture
def as_eve(eve: User) -> Client:
    return browser_of(eve)


@pytest.fixture
def as_bea(bea: User) -> Client:
    return browser_of(bea)


@pytest.fixture
def as_cal(cal: User) -> Client:
    return browser_of(cal)


@pytest.fixture
def calendar_api(tenant: Tenant, by: Actor) -> API:
    api = create_api(tenant, by, name="Calendar API", identifier="https://calendar.example/")
    add_scopes(
        api, by, [("read:appointments", "Read your appointments"), ("write:appointments", "Change your appointments")]
    )
    return api


@dataclass
class App:
    """An application with the secret that was shown once."""

    row: Application
    secret: str | None

    @property
    def client_id(self) -> str:
        return self.row.client_id


def make_app(tenant: Tenant, by: Actor, **fields: Any) -> App:
    return App(*create_application(tenant, by, **fields))


@pytest.fixture
def billing_app(tenant: Tenant, by: Actor) -> App:
    return make_app(tenant, by, name="Billing", app_type="non_interactive")


@pytest.fixture
def web_app(tenant: Tenant, by: Actor) -> App:
    return make_app(tenant, by, name="Booking site", app_type="regular_web")


@pytest.fixture
def spa_app(tenant: Tenant, by: Actor) -> App:
    return make_app(tenant, by, name="Booking widget", app_type="spa")


@pytest.fixture
def billing_grant(billing_app: App, calendar_api: API, by: Actor) -> ClientGrant:
    """Billing may read the calendar, and nothing more."""
    return authorize_application(billing_app.row, calendar_api, by, scopes=["read:appointments"])


@pytest.fixture
def ask(client: Client, calendar_api: API, billing_app: App) -> Any:
    """Ask for a token as Billing; keyword arguments change or (None) leave out a parameter."""

    def ask(host: str = HOST, headers: dict[str, str] | None = None, **changes: str | None) -> Any:
        parameters = {
            "grant_type": "client_credentials",
            "client_id": billing_app.client_id,
            "client_secret": billing_app.secret,
            "audience": calendar_api.identifier,
        } | changes
        body = {name: value for name, value in parameters.items() if value is not None}
        return client.post(
            "/oauth/token",
            urlencode(body),
            content_type="application/x-www-form-urlencoded",
            headers={"host": host, **(headers or {})},
        )

    return ask


@pytest.fixture
def live_tenant(live_server: Any, settings: Any, by: Actor) -> Tenant:
    """A tenant whose issuer is a real server on this machine; the console answers there too."""
    settings.GATEHOUSE_CONSOLE_URL = f"{live_server.url}/"
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    return create_tenant("main", f"{live_server.url}/", by, friendly_name="Main")


@pytest.fixture
def node_modules() -> Any:
    """The folder with npm packages that bin/test prepares; a test that needs it is skipped without Node."""
    folder = settings_of_project.BASE_DIR / "var" / "test-node" / "node_modules"
    if not os.environ.get("GATEHOUSE_NODE") or not folder.is_dir():
        pytest.skip("Node with jose is not here (bin/test prepares it).")
    return folder
