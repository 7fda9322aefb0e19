"""Every page and state: axe finds nothing and nothing sticks out sideways, light and dark, wide and narrow."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apis.quick_starts import QUICK_STARTS as STARTS
from audit.models import Event
from tests.browser.conftest import Watch, sign_in
from tests.browser.house import House, membership
from tests.conftest import PASSWORD
from tokens.models import KeyState, LogEntry

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

# Of axe's rules only these look at colours; to all others the dark page is the light one.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
THEMES = {"light": None, "dark": COLOURS}
WIDTHS = (1280, 390, 320)
HEIGHT = 900
# Where to put pictures for a person to look at; nowhere unless somebody asks.
SHOTS = os.environ.get("GATEHOUSE_SHOTS", "")
OVERFLOW = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= innerWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth);
  const start = (e) => e.outerHTML.replaceAll("\\n", "").replaceAll("  ", "").slice(0, 120);
  return [`${page.scrollWidth} px wide`, ...wide.slice(-5).map(start)];
}"""

Address = Callable[[House], str]


@dataclass(frozen=True)
class Place:
    """A page in one of its states: its address, who looks (None: nobody), and what is done there first."""

    name: str
    path: Address
    act: Callable[[Page], Any] | None = None
    status: int = 200
    who: str | None = "ada"
    lands: str = ""  # where a redirect leads, if there is one
    excused: frozenset[str] = frozenset()  # rules of axe that somebody else's markup breaks


def on(name: str, *arguments: str, **more: Any) -> Address:
    """Return the address of an object's page. Arguments name an API or application of the house, or are themselves."""

    def path(house: House) -> str:
        found = []
        for argument in arguments:
            if argument in house.apis:
                found.append(house.apis[argument].pk)
            elif argument in house.apps:
                found.append(house.apps[argument].client_id)
            else:
                found.append(argument)
        tenant = getattr(house, more.get("tenant", "main"))
        return house.at(name, *found, tenant=tenant, query=more.get("query", ""))

    return path


def press(*names: str, **fields: str) -> Callable[[Page], None]:
    """Return an act: fill in fields by their names, then press the buttons of `names`, one after another."""

    def act(page: Page) -> None:
        for field, value in fields.items():
            page.locator(f"main [name={field}]:not([type=hidden])").first.fill(value)
        for name in names:
            page.get_by_role("button", name=name, exact=True).first.click()

    return act


def open_menus(page: Page) -> None:
    page.locator("main [popovertarget]").first.click()


def select_unauthorized(page: Page) -> None:
    page.get_by_label("Application", exact=True).select_option(label="Statistics (not authorized yet)")
    page.get_by_role("button", name="Run test").click()
    expect(page.get_by_role("heading", name="Request denied")).to_be_visible()


def run_test(page: Page) -> None:
    page.get_by_role("button", name="Run test").click()
    expect(page.get_by_role("heading", name="Token issued")).to_be_visible()


def run_denied(page: Page) -> None:
    page.get_by_role("button", name="Run test").click()
    expect(page.get_by_role("heading", name="Request denied")).to_be_visible()


APPOINTMENTS, HS256, SYSTEM = "Appointments API", "Reception screen (legacy)", "Auth0 Management API"
CONFIRM = "/account/confirm/"
WEB, REMINDER, LAB, INVOICES = "Booking website", "Reminder service", "Laboratory gateway", "Nightly invoices"


def scope_page(name: str) -> Address:
    def path(house: House) -> str:
        api = house.apis[APPOINTMENTS]
        return house.at(name, api.pk, api.scopes.get(value="read:appointments").pk)

    return path


def secret_page(name: str, application: str) -> Address:
    def path(house: House) -> str:
        row = house.apps[application]
        return house.at(name, row.client_id, row.secrets.live().first().pk)

    return path


def key_page(house: House) -> str:
    row = house.apps[LAB]
    return house.at("applications:key_delete", row.client_id, row.credentials.first().pk)


def revoke_page(house: House) -> str:
    return house.at("tokens:key_revoke", house.main.signing_keys.filter(state=KeyState.PREVIOUS).first().kid)


def log_page(**fields: Any) -> Address:
    return lambda house: house.at("tokens:log", LogEntry.objects.filter(tenant=house.main, **fields).first().log_id)


def event_page(kind: str) -> Address:
    return lambda house: house.at("accounts:activity_event", Event.objects.of("main").filter(type=kind).last().pk)


def tried(api: str, application: str, query: str = "") -> Address:
    return lambda house: on("tokens:test", api, query=f"?application={house.apps[application].client_id}{query}")(house)


APIS = [
    Place("apis", on("apis:list")),
    Place("apis, menu open", on("apis:list"), open_menus),
    Place("apis, none", on("apis:list", tenant="empty")),
    Place("apis, many", on("apis:list", tenant="crowded")),
    Place("apis, none fits", on("apis:list", query="?q=nothing-is-called-this")),
    Place("apis, sorted", on("apis:list", query="?sort=-scopes&alg=RS256")),
    Place("apis, for a viewer", on("apis:list"), who="bea"),
    Place("new api", on("tokens:api_create")),
    Place("new api, with errors", on("tokens:api_create"), press("Create API")),
    Place(
        "new api, look-alike",
        on("tokens:api_create"),
        press("Create API", name="Appointments", identifier="https://appointments.example"),
    ),
    Place("settings", on("apis:settings", APPOINTMENTS)),
    Place(
        "settings, with errors", on("apis:settings", APPOINTMENTS), press("Save changes", name="", token_lifetime="0")
    ),
    Place("settings, HS256", on("apis:settings", HS256)),
    Place("settings, system", on("apis:settings", SYSTEM)),
    Place("settings, long names", on("apis:settings", "crowded api", tenant="crowded")),
    Place("settings, for a viewer", on("apis:settings", APPOINTMENTS), who="bea"),
    Place("signing secret, confirm", on("apis:signing_secret", HS256), lands=CONFIRM),
    Place("signing secret", on("apis:signing_secret", HS256), press("Continue", password=PASSWORD), lands=CONFIRM),
    Place(
        "signing secret, shown",
        on("apis:signing_secret", HS256),
        press("Continue", "Reveal secret", password=PASSWORD),
        lands=CONFIRM,
    ),
    Place("delete api", on("apis:delete", APPOINTMENTS)),
    Place("delete api, with errors", on("apis:delete", APPOINTMENTS), press("Delete Appointments API")),
    Place("scopes", on("apis:scopes", APPOINTMENTS)),
    Place("scopes, with errors", on("apis:scopes", APPOINTMENTS), press("Add scope", value="two words")),
    Place("scopes, none", on("apis:scopes", "Archive")),
    Place("scopes, none fits", on("apis:scopes", APPOINTMENTS, query="?q=nothing")),
    Place("scopes, many", on("apis:scopes", "crowded api", tenant="crowded")),
    Place("scopes, system", on("apis:scopes", SYSTEM)),
    Place("scopes, for a viewer", on("apis:scopes", APPOINTMENTS), who="bea"),
    Place("scope", scope_page("apis:scope_edit")),
    Place("delete scope", scope_page("apis:scope_delete")),
    Place("delete scope, with errors", scope_page("apis:scope_delete"), press("Delete read:appointments")),
]
QUICK_STARTS = [
    *(Place(f"quick start, {one.key}", on("apis:quick_start", APPOINTMENTS, query=f"?fw={one.key}")) for one in STARTS),
    Place("quick start, any language", on("apis:quick_start", APPOINTMENTS, query="?fw=any")),
    Place("quick start, HS256", on("apis:quick_start", HS256)),
    Place("quick start, system", on("apis:quick_start", SYSTEM)),
    Place("quick start, long names", on("apis:quick_start", "crowded api", tenant="crowded")),
]
MACHINES = [
    Place("machines", on("applications:machine_to_machine", APPOINTMENTS)),
    Place(
        "machines, one open",
        lambda house: on(
            "applications:machine_to_machine", APPOINTMENTS, query=f"?open={house.apps[REMINDER].client_id}"
        )(house),
    ),
    Place("machines, authorized", on("applications:machine_to_machine", APPOINTMENTS, query="?show=authorized")),
    Place("machines, none fits", on("applications:machine_to_machine", APPOINTMENTS, query="?q=nothing")),
    Place(
        "machines, none",
        lambda house: house.at("applications:machine_to_machine", house.empty.apis.get().pk, tenant=house.empty),
    ),
    Place("machines, many", on("applications:machine_to_machine", "crowded api", tenant="crowded")),
    Place("machines, closed api", on("applications:machine_to_machine", "Archive")),
    Place("machines, system, for an editor", on("applications:machine_to_machine", SYSTEM), who="eve"),
    Place("machines, for a viewer", on("applications:machine_to_machine", APPOINTMENTS), who="bea"),
    Place("authorization", on("applications:authorization", APPOINTMENTS, REMINDER)),
    Place(
        "authorization, long names", on("applications:authorization", "crowded api", "crowded app", tenant="crowded")
    ),
    Place("authorization, none", on("applications:authorization", APPOINTMENTS, LAB)),
]
TESTS = [
    Place("test", on("tokens:test", APPOINTMENTS)),
    Place("test, issued", tried(APPOINTMENTS, REMINDER), run_test),
    Place("test, issued, HS256", on("tokens:test", HS256), run_test),
    Place("test, issued, RFC 9068", on("tokens:test", "Billing API"), run_test),
    Place("test, denied", on("tokens:test", APPOINTMENTS), select_unauthorized),
    Place("test, scope not granted", tried(APPOINTMENTS, REMINDER, "&scope=cancel:appointments"), run_denied),
    Place("test, scope unknown", tried(APPOINTMENTS, REMINDER, "&scope=read:appointment"), run_denied),
    Place(
        "test, audience unknown", tried(APPOINTMENTS, REMINDER, "&audience=https://appointments.example"), run_denied
    ),
    Place("test, closed api", tried("Archive", REMINDER), run_denied),
    Place("test, single-page application", tried(APPOINTMENTS, "Doctor's calendar"), run_denied),
    Place("test, long names", on("tokens:test", "crowded api", tenant="crowded"), run_test),
    Place("test, system", on("tokens:test", SYSTEM)),
    Place("test, nobody to ask", lambda house: house.at("tokens:test", house.empty.apis.get().pk, tenant=house.empty)),
    Place("test, for a viewer", on("tokens:test", APPOINTMENTS), who="bea"),
]
APPLICATIONS = [
    Place("applications", on("applications:list")),
    Place("applications, none", on("applications:list", tenant="empty")),
    Place("applications, many", on("applications:list", tenant="crowded")),
    Place("applications, none fits", on("applications:list", query="?q=nothing-is-called-this")),
    Place("applications, sorted", on("applications:list", query="?type=non_interactive&sort=-apis")),
    Place("new application", on("applications:create")),
    Place("new application, with errors", on("applications:create"), press("Create application")),
    Place("new application, secret shown", on("applications:create"), press("Create application", name="Fresh")),
    Place("application", on("applications:settings", WEB)),
    Place(
        "application, with errors", on("applications:settings", WEB), press("Save changes", name="", redirect_uris="x")
    ),
    Place("application, single-page", on("applications:settings", "Doctor's calendar")),
    Place("application, long names", on("applications:settings", "crowded app", tenant="crowded")),
    Place("application, for a viewer", on("applications:settings", WEB), who="bea"),
    Place("delete application", on("applications:delete", WEB)),
    Place("delete application, with errors", on("applications:delete", WEB), press("Delete Booking website")),
    Place("credentials", on("applications:credentials", WEB)),
    Place("credentials, keys", on("applications:credentials", LAB)),
    Place("credentials, public", on("applications:credentials", "Doctor's calendar")),
    Place("credentials, for a viewer", on("applications:credentials", WEB), who="bea"),
    Place("roll secret", secret_page("applications:secret_roll", REMINDER)),
    Place("roll secret, two live", secret_page("applications:secret_roll", INVOICES)),
    Place("roll secret, shown", secret_page("applications:secret_roll", REMINDER), press("Roll secret")),
    Place("revoke secret", secret_page("applications:secret_revoke", LAB)),
    Place("add key", on("applications:key_add", WEB)),
    Place("add key, with errors", on("applications:key_add", WEB), press("Add public key", text="not a key")),
    Place("delete key", key_page),
    Place("apis of an application", on("applications:apis", WEB)),
    Place(
        "apis of an application, none",
        on("applications:apis", "Statistics (not authorized yet)", query="?show=authorized"),
    ),
    Place("apis of an application, public", on("applications:apis", "Doctor's calendar")),
    Place("apis of an application, for an editor", on("applications:apis", WEB), who="eve"),
    Place("apis of an application, many", on("applications:apis", "crowded app", tenant="crowded")),
]
SECURITY = [
    Place("keys", on("tokens:keys")),
    Place("keys, for a viewer", on("tokens:keys"), who="bea"),
    Place("rotate keys", on("tokens:key_rotate")),
    Place("rotate keys, emergency", on("tokens:key_rotate", query="?emergency=1")),
    Place("rotate keys, with errors", on("tokens:key_rotate", query="?emergency=1"), press("Rotate anyway")),
    Place("revoke key", revoke_page),
    Place("revoke key, with errors", revoke_page, press("Revoke key")),
    Place("logs", on("tokens:logs")),
    Place("logs, none", on("tokens:logs", tenant="empty")),
    Place("logs, none fits", on("tokens:logs", query="?q=nothing")),
    Place("log, denied", log_page(rule="scope.not_granted")),
    Place("log, issued", log_page(type=LogEntry.SUCCESS)),
    Place("log, audience unknown", log_page(rule="audience.unknown")),
    Place("activity", on("accounts:activity")),
    Place("activity, none fits", on("accounts:activity", query="?q=nothing")),
    Place("activity, one open", on("accounts:activity"), lambda page: page.locator("summary").first.click()),
    Place("activity, long names", on("accounts:activity", tenant="crowded")),
    Place("event", event_page("api.updated")),
    Place("event, chain checked", lambda house: event_page("signing_key.rotated")(house) + "?check=1"),
]
PEOPLE = [
    Place("members", on("accounts:members")),
    Place("members, for a viewer", on("accounts:members"), who="bea"),
    Place("invite", on("accounts:member_invite")),
    Place("invite, with errors", on("accounts:member_invite"), press("Make invitation", email="nonsense")),
    Place("invite, link shown", on("accounts:member_invite"), press("Make invitation")),
    Place("role", lambda house: house.at("accounts:member_role", membership(house, house.eve).pk)),
    Place("remove", lambda house: house.at("accounts:member_remove", membership(house, house.eve).pk)),
    Place("tenant settings", on("accounts:tenant_settings")),
    Place("tenant settings, with errors", on("accounts:tenant_settings"), press("Save changes", support_email="x")),
    Place("tenant settings, for a viewer", on("accounts:tenant_settings"), who="bea"),
    Place("sign in", lambda house: "/account/sign-in/", who=None),
    Place(
        "sign in, wrong",
        lambda house: "/account/sign-in/",
        press("Sign in", login="a@b.example", password="x"),
        who=None,
    ),
    Place("sign out", lambda house: "/account/sign-out/"),
    Place("change password", lambda house: "/account/password/"),
    Place(
        "change password, with errors", lambda house: "/account/password/", press("Change password", oldpassword="x")
    ),
    Place("invitation", lambda house: f"/invitation/{house.open}/", who=None),
    Place("invitation, with errors", lambda house: f"/invitation/{house.open}/", press("Create account"), who=None),
    Place("invitation, while signed in", lambda house: f"/invitation/{house.open}/"),
    Place("invitation, expired", lambda house: f"/invitation/{house.gone}/", status=410, who=None),
]
ERRORS = [
    Place("403", on("tokens:api_create"), status=403, who="bea"),
    Place("403, admin", lambda house: "/admin/", status=403, who="bea", lands="/admin/login/"),
    Place("404", lambda house: "/nothing-here/", status=404, who=None),
    Place("500", lambda house: "/broken/", status=500),
]
# Django heads the columns of rows inside a form without words where they hold a link or a cross.
INLINE_ROWS = frozenset({"empty-table-header"})
ADMIN = [
    Place("admin", lambda house: "/admin/"),
    Place("admin, apis", lambda house: "/admin/apis/api/"),
    Place("admin, api", lambda house: f"/admin/apis/api/{house.apis[APPOINTMENTS].pk}/change/", excused=INLINE_ROWS),
    Place("admin, tenants", lambda house: "/admin/accounts/tenant/"),
    Place("admin, tenant", lambda house: f"/admin/accounts/tenant/{house.main.pk}/change/", excused=INLINE_ROWS),
]
PLACES = [*APIS, *QUICK_STARTS, *MACHINES, *TESTS, *APPLICATIONS, *SECURITY, *PEOPLE, *ERRORS, *ADMIN]


@pytest.fixture(scope="module")
def context(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """One for all pages, so that styles, scripts and fonts are fetched once."""
    context = browser.new_context(**browser_context_args)
    yield context
    context.close()


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    yield page
    page.close()


@pytest.fixture
def visit(house: House, page: Page, watch: Watch) -> Callable[[Place], None]:
    def visit(place: Place) -> None:
        page.context.clear_cookies()
        if place.who:
            sign_in(page.context, getattr(house, place.who), house.url)
        watch.allowed |= {place.status}
        address = house.url + place.path(house)
        answer = page.goto(address)
        assert answer is not None and answer.status == place.status
        assert page.url.partition("?")[0] == house.url + (place.lands or place.path(house).partition("?")[0])
        if place.act:
            place.act(page)
        page.wait_for_load_state("load")

    return visit


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_every_page_is_accessible_and_fits(
    visit: Callable[[Place], None], page: Page, axe: Callable[..., list[str]], place: Place
) -> None:
    visit(place)
    found = {}
    for theme, rules in THEMES.items():
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            if SHOTS and width != 320:
                page.screenshot(path=Path(SHOTS) / f"{place.name}-{theme}-{width}.png", full_page=True)
            wrong = page.evaluate(OVERFLOW)
            if (theme, width) != ("dark", 320):  # no colour changes between 390 px and 320 px
                wrong += [line for line in axe(rules) if line.partition(":")[0] not in place.excused]
            if wrong:
                found[theme, width] = wrong
    if found:
        pytest.fail("\n".join(f"{where}: {line}" for where, lines in found.items() for line in lines), pytrace=False)
