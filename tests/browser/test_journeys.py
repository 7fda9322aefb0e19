"""What people come to do, from the first click to the last, each with scripts and without."""

import re
from typing import Any

import jwt
import pytest
import requests
from playwright.sync_api import Page, expect

from accounts import invitations
from accounts.models import Tenant, User
from apis.models import API
from apis.operations import add_scopes, create_api
from applications.operations import authorize_application
from audit.actors import Actor
from tests.browser.conftest import NO_SCRIPTS, Watch, sign_in
from tests.conftest import PASSWORD, App, make_app

pytestmark = pytest.mark.browser
twice = pytest.mark.parametrize(
    "scripts", [True, pytest.param(False, marks=NO_SCRIPTS)], ids=["scripts on", "scripts off"]
)


@pytest.fixture
def orders(live_tenant: Tenant, by: Actor) -> API:
    api = create_api(live_tenant, by, name="Orders API", identifier="https://orders.example/")
    add_scopes(api, by, [("read:orders", "Read orders"), ("write:orders", "Change orders")])
    return api


@pytest.fixture
def shipping(live_tenant: Tenant, orders: API, by: Actor) -> App:
    """A machine that may do everything with orders."""
    app = make_app(live_tenant, by, name="Shipping", app_type="non_interactive")
    authorize_application(app.row, orders, by, scopes=["read:orders", "write:orders"])
    return app


@pytest.fixture
def stranger(live_tenant: Tenant, by: Actor) -> App:
    """A machine that nobody has authorized."""
    return make_app(live_tenant, by, name="Newcomer", app_type="non_interactive")


CONTROLS = "button:not([type=button]), input:not([type=hidden]), select, textarea"


def choose(page: Page, *links: str) -> None:
    """Follow links by their names, one after another."""
    for name in links:
        page.get_by_role("link", name=name, exact=True).first.click()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def tab(page: Page, name: str) -> None:
    page.locator(".tabs").get_by_role("link", name=re.compile(f"^{name}")).click()


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name).first).to_be_visible()


def message(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text).first).to_be_visible()


def secret_on(page: Page) -> str:
    return page.locator(".shown-once .locked .mono").inner_text()


def token_on(page: Page) -> str:
    """Return the token that a test shows, and see that its three parts are all of it."""
    token = page.locator("p.jwt").inner_text()
    assert token.count(".") == 2
    return token


def verify(token: str, issuer: str, audience: str) -> dict[str, Any]:
    """Return the claims as an API gets them that knows nothing but the issuer and its own identifier."""
    found = requests.get(f"{issuer}.well-known/openid-configuration", timeout=10).json()
    assert found["issuer"] == issuer
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, audience=audience)


def ask(tenant: Tenant, app: App, audience: str, secret: str | None = None) -> requests.Response:
    """Ask the token endpoint for a token, as the application would."""
    body = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": secret or app.secret,
        "audience": audience,
    }
    return requests.post(f"{tenant.issuer}oauth/token", data=body, timeout=10)


@twice
def test_from_an_empty_house_to_a_verified_token(page: Page, live_tenant: Tenant, scripts: bool) -> None:
    page.goto(live_tenant.issuer.rstrip("/") + invitations.setup_link(live_tenant))
    heading(page, "Set up Gatehouse")
    page.get_by_label("E-mail address").fill("rita@example.com")
    page.get_by_label("Name").fill("Rita Morel")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Create account")
    message(page, "Welcome to Main")

    heading(page, "Protect your first API")
    choose(page, "Create API")
    page.get_by_label("Name", exact=True).fill("Orders API")
    page.get_by_label("Identifier", exact=True).fill("https://orders.example/")
    page.get_by_label("Create a test application and authorize it").uncheck()
    press(page, "Create API")
    message(page, "Orders API is ready.")

    tab(page, "Scopes")
    page.get_by_label("Scope", exact=True).fill("read:orders")
    page.get_by_label("Description").fill("Read orders")
    press(page, "Add scope")
    message(page, "read:orders is added.")
    page.get_by_text("Add several at once").click()
    page.get_by_role("textbox", name="Scopes", exact=True).fill(
        "write:orders Change orders\ncancel:orders Cancel orders"
    )
    press(page, "Add these scopes")
    message(page, "2 scopes are added.")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Applications").click()
    choose(page, "Create application")
    page.get_by_label("Name", exact=True).fill("Shipping")
    press(page, "Create application")
    heading(page, "Shipping is ready")
    assert len(secret_on(page)) >= 43
    choose(page, "I have stored it")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="APIs").click()
    choose(page, "Orders API")
    tab(page, "Machine to Machine")
    page.get_by_role("switch", name="Shipping: authorized").click()
    message(page, "Shipping is authorized. Choose its scopes.")
    page.get_by_label("read:orders").check()
    page.get_by_label("cancel:orders").check()
    press(page, "Save")
    message(page, "Shipping gets these scopes")

    tab(page, "Test")
    press(page, "Run test")
    heading(page, "Token issued")
    claims = verify(token_on(page), live_tenant.issuer, "https://orders.example/")
    assert sorted(claims["scope"].split()) == ["cancel:orders", "read:orders"]
    assert claims["gty"] == "client-credentials"


@twice
def test_a_denial_says_why_and_is_mended_with_one_button(
    signed_in: Page, live_tenant: Tenant, orders: API, stranger: App, scripts: bool
) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/apis/{orders.pk}/test/")
    page.get_by_label("Application", exact=True).select_option(label="Newcomer")
    page.get_by_label("read:orders").check()
    press(page, "Run test")
    heading(page, "Request denied")
    expect(page.get_by_text("Newcomer is not authorized to call Orders API.").first).to_be_visible()
    trace = page.locator("#result .trace").first
    expect(trace).to_contain_text("Denied here")
    expect(trace).to_contain_text("Not reached")
    expect(trace).to_contain_text("api.grant.required")

    press(page, "Authorize and run again")
    heading(page, "Token issued")
    expect(page.get_by_text("Newcomer is now authorized for Orders API with read:orders.")).to_be_visible()
    assert verify(token_on(page), live_tenant.issuer, orders.identifier)["scope"] == "read:orders"


@twice
def test_deleting_a_scope_names_who_loses_it_and_takes_it_away(
    signed_in: Page, live_tenant: Tenant, orders: API, shipping: App, scripts: bool
) -> None:
    page = signed_in
    assert ask(live_tenant, shipping, orders.identifier).json()["scope"] == "read:orders write:orders"
    page.goto(f"{live_tenant.issuer}t/main/apis/{orders.pk}/scopes/")
    press(page, "Actions for write:orders")
    choose(page, "Delete…")
    expect(page.get_by_role("main")).to_contain_text("1 application lose it")
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Shipping")).to_be_visible()
    press(page, "Delete write:orders")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deleted")
    page.get_by_label("Type write:orders to confirm").fill("write:orders")
    press(page, "Delete write:orders")
    message(page, "write:orders is deleted.")
    assert ask(live_tenant, shipping, orders.identifier).json()["scope"] == "read:orders"


@twice
def test_a_secret_is_rolled_without_an_outage(
    signed_in: Page, live_tenant: Tenant, orders: API, shipping: App, scripts: bool
) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/applications/{shipping.client_id}/credentials/")
    old = f"the secret ending in {shipping.secret[-4:]}"
    choose(page, f"Roll… {old}")
    page.get_by_label("In 1 hour").check()
    press(page, "Roll secret")
    new = secret_on(page)
    assert new != shipping.secret
    assert ask(live_tenant, shipping, orders.identifier).status_code == 200
    assert ask(live_tenant, shipping, orders.identifier, new).status_code == 200

    choose(page, "I have stored it")
    choose(page, f"Revoke… {old}")
    press(page, "Revoke secret")
    message(page, "no longer works")
    refused = ask(live_tenant, shipping, orders.identifier)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert ask(live_tenant, shipping, orders.identifier, new).status_code == 200


@twice
def test_the_second_of_two_editors_is_told_and_loses_nothing(
    signed_in: Page, live_tenant: Tenant, orders: API, live_eve: User, new_context: Any, watch: Watch, scripts: bool
) -> None:
    address = f"{live_tenant.issuer}t/main/apis/{orders.pk}/settings/"
    ada, eve = signed_in, another(new_context, watch, live_eve, live_tenant)
    for page in (ada, eve):
        page.goto(address)
    eve.get_by_label("Name", exact=True).fill("Orders, renamed by Eve")
    press(eve, "Save changes")
    message(eve, "Saved.")

    ada.get_by_label("Token expiration", exact=True).fill("14400")
    press(ada, "Save changes")
    summary = ada.locator(".error-summary")
    expect(summary).to_contain_text("Somebody else")
    expect(summary).to_contain_text("Orders, renamed by Eve")
    expect(ada.get_by_label("Token expiration", exact=True)).to_have_value("14400")
    orders.refresh_from_db()
    assert (orders.name, orders.token_lifetime) == ("Orders, renamed by Eve", 86400)

    press(ada, "Save changes")
    message(ada, "Saved.")
    orders.refresh_from_db()
    assert (orders.name, orders.token_lifetime) == ("Orders API", 14400)


@twice
def test_a_viewer_looks_and_cannot_touch(
    signed_in: Page, live_tenant: Tenant, orders: API, shipping: App, new_context: Any, watch: Watch, scripts: bool
) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/members/")
    choose(page, "Invite member")
    page.get_by_label("Viewer").check()
    press(page, "Make invitation")
    link = secret_on(page)

    viewer = another(new_context, watch, None, live_tenant)
    viewer.goto(link)
    viewer.get_by_label("E-mail address").fill("vic@example.com")
    viewer.get_by_label("Password").fill(PASSWORD)
    press(viewer, "Create account")
    message(viewer, "Welcome to Main")
    expect(viewer.get_by_role("link", name="Orders API")).to_be_visible()
    expect(viewer.get_by_role("link", name="Create API")).to_have_count(0)
    base = f"{live_tenant.issuer}t/main/"
    for path in (f"apis/{orders.pk}/settings/", f"apis/{orders.pk}/scopes/", f"apis/{orders.pk}/machine-to-machine/",
                 f"apis/{orders.pk}/test/", f"applications/{shipping.client_id}/settings/",
                 f"applications/{shipping.client_id}/credentials/", "keys/", "members/", "settings/"):  # fmt: skip
        viewer.goto(base + path)
        for control in viewer.locator("main form[method=post]").locator(CONTROLS).all():
            expect(control).to_be_disabled()
        expect(viewer.locator("main .danger-zone")).to_have_count(0)

    watch.allowed |= {403}
    csrf = viewer.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    for path, body in (
        (f"apis/{orders.pk}/settings/", {"name": "Mine now", "revision": "1"}),
        (f"apis/{orders.pk}/scopes/", {"value": "take:all", "description": ""}),
        (f"apis/{orders.pk}/test/", {"application": shipping.client_id}),
        (f"applications/{shipping.client_id}/credentials/secrets/add/", {}),
    ):
        forged = viewer.request.post(
            base + path, form={**body, "csrfmiddlewaretoken": csrf}, headers={"Origin": base[:-8]}
        )
        assert forged.status == 403, path
    orders.refresh_from_db()
    assert orders.name == "Orders API" and orders.scopes.count() == 2
    assert shipping.row.secrets.count() == 1


@twice
def test_keys_are_rotated_under_running_verifiers(
    signed_in: Page, live_tenant: Tenant, orders: API, shipping: App, scripts: bool
) -> None:
    page = signed_in
    jwks = f"{live_tenant.issuer}.well-known/jwks.json"
    client = jwt.PyJWKClient(jwks, cache_keys=True, lifespan=300)
    # A verifier that fetched the keys before the rotation and does not fetch them again.
    kept = jwt.PyJWKSet.from_dict(requests.get(jwks, timeout=10).json())

    def verified(token: str) -> str:
        kid = jwt.get_unverified_header(token)["kid"]
        for key in (client.get_signing_key_from_jwt(token), kept[kid]):
            jwt.decode(token, key, algorithms=["RS256"], issuer=live_tenant.issuer, audience=orders.identifier)
        return kid

    before = ask(live_tenant, shipping, orders.identifier).json()["access_token"]
    old = verified(before)
    page.goto(f"{live_tenant.issuer}t/main/keys/")
    choose(page, "Rotate anyway…")
    page.get_by_label("Type rotate to confirm").fill("rotate")
    press(page, "Rotate anyway")
    message(page, "Rotated.")
    after = ask(live_tenant, shipping, orders.identifier).json()["access_token"]
    assert verified(after) != old
    assert verified(before) == old


@twice
def test_the_theme_is_kept(signed_in: Page, live_tenant: Tenant, scripts: bool) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/logs/")
    light = colour_of_text(page)
    press(page, "Theme")
    with page.expect_response("**/theme/"):
        press(page, "Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url == f"{live_tenant.issuer}t/main/logs/"
    page.reload()
    assert colour_of_text(page) != light
    page.goto(f"{live_tenant.issuer}t/main/apis/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@twice
def test_signing_out_closes_the_door(
    page: Page, live_tenant: Tenant, live_ada: User, orders: API, scripts: bool
) -> None:
    page.goto(f"{live_tenant.issuer}t/main/apis/")
    page.get_by_label("E-mail address").fill(live_ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("link", name="Orders API")).to_be_visible()
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    press(page, "Your account")
    press(page, "Sign out")
    heading(page, "Sign in")

    page.go_back()
    expect(page.get_by_text("Orders API")).to_have_count(0)
    heading(page, "Sign in")
    replayed = requests.get(f"{live_tenant.issuer}t/main/apis/", cookies=cookies, allow_redirects=False, timeout=10)
    assert replayed.status_code == 302 and replayed.headers["Location"].startswith("/account/sign-in/")


@twice
def test_an_api_is_created_by_keyboard_alone(signed_in: Page, live_tenant: Tenant, orders: API, scripts: bool) -> None:
    page = signed_in
    page.goto(f"{live_tenant.issuer}t/main/apis/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    assert_focus_is_seen(page)
    page.keyboard.press("Enter")
    tab_to(page, "Create API")
    page.keyboard.press("Enter")

    heading(page, "Create API")
    tab_to(page, "Name")
    tab_to(page, "Create API")
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the summary's first link leads to the first wrong field
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Typed API")
    tab_to(page, "Identifier")
    page.keyboard.type("https://typed.example/")
    page.keyboard.press("Enter")
    message(page, "Typed API is ready.")
    assert live_tenant.apis.filter(identifier="https://typed.example/").exists()


def another(new_context: Any, watch: Watch, user: User | None, tenant: Tenant) -> Page:
    """Return a page in a browser of somebody else's, watched like the first."""
    context = new_context()
    if user:
        sign_in(context, user, tenant.issuer)
    return watch.over(context.new_page())


def colour_of_text(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).color")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on the control of that name; each stop on the way must show its focus."""
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "(e => (e.labels?.length && e.type !== 'submit' ? e.labels[0].firstChild : e).textContent.trim())"
            "(document.activeElement)"
        )
        assert_focus_is_seen(page)
        if here == name:
            return
        stops.append(here)
    raise AssertionError(f"Tab never came to {name}, only to {stops}.")


def assert_focus_is_seen(page: Page) -> None:
    """The focused control is in the window, and its focus ring (or that of what frames it) is drawn."""
    seen = page.evaluate(
        """() => {
          const ring = (e) => {
            const s = getComputedStyle(e);
            return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== "none";
          };
          const e = document.activeElement, box = e.getBoundingClientRect();
          const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
          const frames = [e, e.parentElement, e.closest("label, .affix, .search-field, tr")].filter(Boolean);
          return [inside && frames.some(ring), e.outerHTML.slice(0, 160)];
        }"""
    )
    assert seen[0], seen[1]
