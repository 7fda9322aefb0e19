"""Follow every link of the console, and hold each page and each form on it to the same rules. No browser needed."""

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from accounts.models import Role, User
from accounts.operations import create_member
from apis.operations import add_scopes, create_api
from apis.quick_starts import QUICK_STARTS
from applications.operations import authorize_application, create_application
from tests.browser.house import BY, House
from tests.browser.reading import Form, Reading
from tests.conftest import PASSWORD
from tokens import urls as tokens_urls

pytestmark = pytest.mark.django_db

MOST_PAGES = 150
MOST_COMPRESSED = 15_000
MOST_OF_A_KIND = 4  # pages of one view
MOST_QUERIES = 12
MOST_BYTES = 60_000
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
# What a viewer may post: their own theme, session and password.
OWN = {"accounts:theme", "account_logout", "account_change_password", "account_reauthenticate"}


@dataclass
class Seen:
    """A page that the crawl came to."""

    path: str
    view: str
    response: HttpResponse
    reading: Reading
    queries: int


def client_of(house: House, user: User | None, **options: Any) -> Client:
    client = Client(HTTP_HOST=urlsplit(house.url).netloc, **options)
    if user:
        client.force_login(user, backend="accounts.backends.MemberBackend")
    return client


def view_of(path: str) -> str:
    return resolve(urlsplit(path).path).view_name


def crawl(client: Client, first: list[str]) -> Iterator[Seen]:
    """Yield the pages that links lead to from `first`, a few of each view."""
    waiting, known, kinds = list(first), set(first), Counter()
    while waiting:
        # The rarest kind first, so that the limit cuts off repetitions only.
        path = min(waiting, key=lambda path: kinds[view_of(path)])
        waiting.remove(path)
        view = view_of(path)
        if kinds[view] >= MOST_OF_A_KIND or sum(kinds.values()) >= MOST_PAGES:
            continue
        kinds[view] += 1
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        seen = Seen(path, view, response, Reading(response.content.decode() if is_page else ""), len(queries))
        yield seen
        found = [response["Location"]] if response.status_code in {301, 302} else seen.reading.links
        for link in found:
            parts = urlsplit(urljoin(f"http://here{path}", link))
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            elsewhere = parts.path.startswith(("/t/empty/", "/t/crowded/", "/static/"))
            if parts.netloc == "here" and address not in known and not elsewhere:
                known.add(address)
                waiting.append(address)


@pytest.fixture(scope="module")
def pages(house: House) -> list[Seen]:
    # What a view raises is answered with 500 and found as a dead link, with its address.
    ada = client_of(house, house.ada, raise_request_exception=False)
    secret = house.at("apis:settings", house.apis["Reception screen (legacy)"].pk)
    credentials = [
        house.at("applications:credentials", house.apps[name].client_id)
        for name in ("Laboratory gateway", "Booking website")
    ]
    return list(crawl(ada, [house.at("apis:list"), secret, *credentials, "/account/password/", "/admin/"]))


@pytest.fixture(scope="module")
def console(pages: list[Seen]) -> list[Seen]:
    """The pages of a tenant, each of which belongs to its members."""
    return [page for page in pages if page.path.startswith("/t/")]


@pytest.fixture(scope="module")
def forms(console: list[Seen]) -> list[tuple[str, Form]]:
    """Each POST form, once, with the address it goes to."""
    found = {}
    for page in console:
        for form in page.reading.forms:
            if form.method == "post":
                address = form.action or page.path
                found.setdefault((address, tuple(sorted(form.fields))), (address, form))
    assert len({view_of(address) for address, _ in found.values()}) > 12
    return list(found.values())


def test_the_crawl_comes_to_every_view_that_has_a_page(pages: list[Seen]) -> None:
    seen = {page.view for page in pages}
    expected = {f"tokens:{pattern.name}" for pattern in tokens_urls.urlpatterns} | {
        "apis:list", "apis:quick_start", "apis:settings", "apis:scopes", "apis:scope_edit", "apis:scope_delete",
        "apis:delete", "apis:signing_secret", "applications:list", "applications:create", "applications:settings",
        "applications:credentials", "applications:apis", "applications:delete", "applications:machine_to_machine",
        "applications:secret_roll", "applications:secret_revoke", "applications:key_add", "applications:key_delete",
        "accounts:members", "accounts:member_invite", "accounts:member_role", "accounts:member_remove",
        "accounts:activity", "accounts:activity_event", "accounts:tenant_settings", "account_change_password",
        "admin:index",
    }  # fmt: skip
    assert expected - seen == set()


def test_no_link_is_dead(pages: list[Seen]) -> None:
    assert [(page.path, page.response.status_code) for page in pages if page.response.status_code >= 400] == []


def test_every_page_forbids_what_it_does_not_need(pages: list[Seen]) -> None:
    for page in pages:
        headers = page.response.headers
        policy = {part.strip() for part in headers["Content-Security-Policy"].split(";")}
        assert policy == STRICT, page.path
        assert headers["X-Frame-Options"] == "DENY", page.path
        assert headers["X-Content-Type-Options"] == "nosniff", page.path
        assert headers["Referrer-Policy"] == "same-origin", page.path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", page.path
        assert "camera=()" in headers["Permissions-Policy"], page.path


def test_no_cache_keeps_a_page(pages: list[Seen]) -> None:
    for page in pages:
        if page.response.status_code == 302:
            continue
        caching = page.response.headers.get("Cache-Control", "")
        assert "no-store" in caching and "private" in caching, f"{page.path}: {caching}"


def test_nothing_on_a_page_is_inline(pages: list[Seen]) -> None:
    for page in pages:
        for tag, name, value in page.reading.attributes:
            where = f"{page.path}: <{tag} {name}={value!r}>"
            assert not name.startswith("on") and name != "style" and not name.startswith("hx-on"), where
            assert not (name in {"src", "href", "action"} and value.startswith(("http:", "javascript:", "//"))), where


def test_every_form_that_posts_carries_a_csrf_token(pages: list[Seen]) -> None:
    posting = [(page.path, form) for page in pages for form in page.reading.forms if form.method == "post"]
    assert len(posting) > 100
    assert [path for path, form in posting if not form.fields.get("csrfmiddlewaretoken")] == []


def test_every_form_is_refused_without_its_csrf_token(house: House, forms: list[tuple[str, Form]]) -> None:
    ada = client_of(house, house.ada, enforce_csrf_checks=True)
    for address, form in forms:
        body = {name: value for name, value in form.fields.items() if name != "csrfmiddlewaretoken"}
        assert ada.post(address, body).status_code == 403, address


def test_a_viewer_can_post_no_form_of_an_admin(house: House, forms: list[tuple[str, Form]]) -> None:
    bea = client_of(house, house.bea)
    for address, form in forms:
        if view_of(address) not in OWN:
            assert bea.post(address, form.fields).status_code == 403, address


def test_a_viewer_reads_pages_or_is_told_why_not(house: House, console: list[Seen]) -> None:
    bea = client_of(house, house.bea)
    statuses = Counter(bea.get(page.path).status_code for page in console)
    assert set(statuses) <= {200, 302, 403} and statuses[200] > 30 and statuses[403] > 5


def test_to_a_stranger_no_page_exists(house: House, console: list[Seen], forms: list[tuple[str, Form]]) -> None:
    cal = client_of(house, create_member(house.empty, BY, "cal@example.com", PASSWORD, Role.ADMIN))
    main = f"/t/{house.main.name}/"
    for path in {page.path for page in console if page.path.startswith(main)}:
        assert cal.get(path).status_code == 404, path
    for address, form in forms:
        if address.startswith(main):
            assert cal.post(address, form.fields).status_code == 404, address


def test_signed_out_every_page_leads_to_the_sign_in(house: House, console: list[Seen]) -> None:
    nobody = client_of(house, None)
    for page in console:
        response = nobody.get(page.path)
        assert response.status_code == 302, page.path
        assert response["Location"].startswith(reverse("account_login")), page.path


def test_pages_stay_light(console: list[Seen]) -> None:
    heavy = [
        (page.path, len(page.response.content), page.queries)
        for page in console
        if len(page.response.content) > MOST_BYTES or page.queries > MOST_QUERIES
    ]
    assert heavy == []


def test_pages_stay_light_when_there_is_much(house: House) -> None:
    ada = client_of(house, house.ada)
    api, application = house.apis["crowded api"], house.apps["crowded app"]
    heavy = {}
    for name, arguments in (
        ("apis:list", ()),
        ("apis:scopes", (api.pk,)),
        ("applications:list", ()),
        ("applications:apis", (application.client_id,)),
        ("applications:machine_to_machine", (api.pk,)),
        ("tokens:logs", ()),
        ("accounts:activity", ()),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = ada.get(house.at(name, *arguments, tenant=house.crowded))
        assert response.status_code == 200
        # Rows are alike, so what travels is small; a proxy compresses it.
        size = len(gzip.compress(response.content))
        if len(queries) > MOST_QUERIES or size > MOST_COMPRESSED:
            heavy[name] = (len(queries), size)
    assert heavy == {}


HOSTILE = """Evil" onfocus="boom()" x='y' &quot; ` ${7*7} {{7*7}} {% now "Y" %} \\"""


def test_hostile_names_are_only_ever_text(house: House) -> None:
    main = house.main
    api = create_api(main, BY, name=HOSTILE, identifier=HOSTILE, allow_offline_access=True)
    add_scopes(api, BY, [("read:evil", HOSTILE)])
    application, _ = create_application(main, BY, name=HOSTILE, description=HOSTILE[:140], app_type="non_interactive")
    denied, _ = create_application(main, BY, name=f"{HOSTILE} too", app_type="non_interactive")
    authorize_application(application, api, BY, scopes=["read:evil"])
    ada = client_of(house, house.ada)
    own = [house.at(f"apis:{name}", api.pk) for name in ("quick_start", "settings", "scopes", "delete")]
    own += [house.at("apis:quick_start", api.pk, query=f"?fw={one.key}") for one in QUICK_STARTS]
    own += [house.at("apis:scope_delete", api.pk, api.scopes.get().pk), house.at("tokens:test", api.pk)]
    own += [house.at("applications:machine_to_machine", api.pk, query=f"?open={application.client_id}")]
    own += [
        house.at(f"applications:{name}", application.client_id)
        for name in ("settings", "credentials", "apis", "delete")
    ]
    own += [
        house.at(name) for name in ("apis:list", "applications:list", "accounts:activity", "accounts:tenant_settings")
    ]
    answers = {path: ada.get(path) for path in own}
    test = house.at("tokens:test", api.pk)
    for client_id in (application.client_id, denied.client_id):
        body = {"application": client_id, "audience": HOSTILE, "scope": "read:evil"}
        answers[f"{test} as {client_id}"] = ada.post(test, body)
    answers["logs"] = ada.get(house.at("tokens:logs"))
    for entry in main.log_entries.filter(audience=HOSTILE):
        answers[f"log {entry.log_id}"] = ada.get(house.at("tokens:log", entry.log_id))
    answers["refused"] = ada.post(house.at("tokens:api_create"), {"name": HOSTILE, "identifier": HOSTILE})
    answers["found"] = ada.get(house.at("apis:list"), {"q": HOSTILE})
    assert len(answers) > 25
    for path, response in answers.items():
        html = response.content.decode()
        reading = Reading(html)
        assert response.status_code in {200, 422}, path
        assert HOSTILE not in html and HOSTILE.replace('"', "&quot;") not in html, path
        assert not {name for _, name, _ in reading.attributes} & {"onfocus", "x"}, path
        assert "${7*7}" in html and "$49" not in html and "{49}" not in html, path
        assert "{{7*7}}" in html, path
