"""A token or secret stands in the one page that shows it, and nowhere else that a browser keeps things."""

import io
import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from playwright.sync_api import Page, Response, expect

from accounts.models import Tenant
from apis.models import API
from apis.operations import create_api
from applications.operations import authorize_application
from audit.actors import Actor
from tests.browser.conftest import NO_SCRIPTS
from tests.conftest import make_app

pytestmark = pytest.mark.browser
twice = pytest.mark.parametrize(
    "scripts", [True, pytest.param(False, marks=NO_SCRIPTS)], ids=["scripts on", "scripts off"]
)
KEPT = """() => JSON.stringify([
  Object.entries(localStorage), Object.entries(sessionStorage), history.state, document.cookie, name, location.href,
  performance.getEntries().map((entry) => entry.name)
])"""


@pytest.fixture
def orders(live_tenant: Tenant, by: Actor) -> API:
    api = create_api(live_tenant, by, name="Orders API", identifier="https://orders.example/")
    authorize_application(make_app(live_tenant, by, name="Shipping", app_type="non_interactive").row, api, by)
    return api


def assert_nowhere_else(page: Page, answer: Response, secret: str, tenant: Tenant, others: list[str]) -> None:
    """`secret` is in the page that is shown, which no cache keeps, and in nothing that outlives it."""
    assert "no-store" in answer.headers["cache-control"]
    assert secret in page.content()
    assert secret not in page.evaluate(KEPT)
    assert secret not in json.dumps(page.context.cookies())
    for address in others:
        page.goto(address)
        assert secret not in page.content(), address
    assert secret not in page.evaluate(KEPT)
    page.go_back()
    assert secret not in page.content()
    assert secret not in json.dumps([session.get_decoded() for session in Session.objects.all()])
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert tenant.name in dump.getvalue() and secret not in dump.getvalue()


@twice
def test_a_token_is_in_its_one_page_only(signed_in: Page, live_tenant: Tenant, orders: API, scripts: bool) -> None:
    page, base = signed_in, f"{live_tenant.issuer}t/main/"
    test = f"{base}apis/{orders.pk}/test/"
    page.goto(test)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Run test").click()
    expect(page.get_by_role("heading", name="Token issued")).to_be_visible()
    token = page.locator("p.jwt").inner_text()
    here, log = page.url, page.get_by_role("link", name="Open in Logs").get_attribute("href")
    others = [test, here, f"{live_tenant.issuer.rstrip('/')}{log}", f"{base}logs/", f"{base}activity/", f"{base}apis/"]
    assert_nowhere_else(page, answered.value, token, live_tenant, others)


@twice
def test_a_client_secret_is_in_its_one_page_only(signed_in: Page, live_tenant: Tenant, scripts: bool) -> None:
    page, base = signed_in, f"{live_tenant.issuer}t/main/"
    page.goto(f"{base}applications/new/")
    page.get_by_label("Name", exact=True).fill("Shipping")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Create application").click()
    secret = page.locator(".shown-once .locked .mono").inner_text()
    application = live_tenant.applications.get()
    own = f"{base}applications/{application.client_id}"
    others = [f"{own}/settings/", f"{own}/credentials/", f"{own}/apis/", f"{base}applications/", f"{base}activity/"]
    assert_nowhere_else(page, answered.value, secret, live_tenant, others)
    assert live_tenant.applications.count() == 1


def test_reloading_the_page_of_a_secret_makes_no_second_one(signed_in: Page, live_tenant: Tenant) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/applications/new/")
    page.get_by_label("Name", exact=True).fill("Shipping")
    page.get_by_role("button", name="Create application").click()
    secret = page.locator(".shown-once .locked .mono").inner_text()
    page.reload()
    assert secret not in page.content()
    assert live_tenant.applications.count() == 1


def test_leaving_without_the_secret_asks_first(signed_in: Page, live_tenant: Tenant) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/applications/new/")
    page.get_by_label("Name", exact=True).fill("Shipping")
    page.get_by_role("button", name="Create application").click()
    expect(page.locator(".shown-once")).to_be_visible()
    asked: list[Any] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("main").click(position={"x": 5, "y": 5})
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Logs").click()
    page.wait_for_url("**/logs/")
    assert asked == ["beforeunload"]
