import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from apis.models import API
from apis.operations import add_scopes, create_api, delete_scope
from applications import undo
from applications.models import ClientGrant
from applications.operations import authorize_application, deauthorize_application, update_client_grant
from audit.actors import Actor
from tests.conftest import App, make_app


def page_of(api: API, app: App | None = None) -> str:
    page = f"/t/{api.tenant.name}/apis/{api.pk}/machine-to-machine/"
    return f"{page}{app.client_id}/" if app else page


def grant_of(app: App, api: API) -> ClientGrant | None:
    return ClientGrant.objects.filter(application=app.row, api=api).first()


def saved(grant: ClientGrant) -> ClientGrant:
    return ClientGrant.objects.get(pk=grant.pk)


# The list


def test_only_applications_that_may_use_client_credentials_are_listed(
    as_bea: Client, calendar_api: API, billing_app: App, web_app: App, spa_app: App
) -> None:
    html = as_bea.get(page_of(calendar_api)).content.decode()

    assert ">Billing</a>" in html and ">Booking site</a>" in html
    assert "Booking widget" not in html and "cannot keep a secret" in html


def test_rows_say_what_an_application_may_do(
    as_bea: Client, calendar_api: API, billing_grant: ClientGrant, web_app: App, tenant: Tenant, by: Actor
) -> None:
    authorize_application(web_app.row, calendar_api, by)
    authorize_application(
        make_app(tenant, by, name="All", app_type="non_interactive").row, calendar_api, by, allow_all_scopes=True
    )
    make_app(tenant, by, name="None", app_type="non_interactive")
    html = as_bea.get(page_of(calendar_api)).content.decode()

    for words in ["1 of 2", "Authorized, no scopes yet", "All 2, also future ones", "Not authorized"]:
        assert words in html


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Billing", "Booking site"]),
        ({"show": "authorized"}, ["Billing"]),
        ({"show": "not-authorized"}, ["Booking site"]),
        ({"show": "nonsense\x00"}, ["Billing", "Booking site"]),
        ({"q": "SITE"}, ["Booking site"]),
        ({"q": "bill\x00", "show": "not-authorized"}, []),
        ({"q": "<b>"}, []),
        ({"page": "9" * 40, "open": "\x00"}, ["Billing", "Booking site"]),
    ],
)
def test_the_list_filters(
    as_bea: Client, calendar_api: API, billing_grant: ClientGrant, web_app: App, query: dict[str, str], names: list[str]
) -> None:
    response = as_bea.get(page_of(calendar_api), query)

    assert response.status_code == 200
    assert [application.name for application in response.context["page"]] == names
    html = response.content.decode()
    assert "Authorized 1" in html and "Not authorized 1" in html and "<b>" not in html


def test_it_is_found_by_its_client_id(as_bea: Client, calendar_api: API, billing_app: App, web_app: App) -> None:
    response = as_bea.get(page_of(calendar_api), {"q": billing_app.client_id[:10]})

    assert [application.name for application in response.context["page"]] == ["Billing"]


@pytest.mark.parametrize("number", [3, 30])
def test_the_number_of_queries_does_not_grow(
    as_ada: Client, tenant: Tenant, by: Actor, number: int, django_assert_max_num_queries: Any
) -> None:
    api = create_api(tenant, by, name="Big", identifier="urn:big")
    add_scopes(api, by, [(f"s{index}", "") for index in range(number)])
    for index in range(number):
        application = make_app(tenant, by, name=f"App {index}", app_type="non_interactive").row
        authorize_application(application, api, by, scopes=["s0", "s1"])

    with django_assert_max_num_queries(12):
        as_ada.get(page_of(api))
    # A row that is open needs the API's scopes and its own besides.
    with django_assert_max_num_queries(14):
        as_ada.get(page_of(api), {"open": application.client_id})


# Authorizing and taking it back


def test_switching_on_authorizes_with_no_scopes_and_opens_the_row(
    as_eve: Client, calendar_api: API, billing_app: App
) -> None:
    response = as_eve.post(page_of(calendar_api, billing_app), {"action": "authorize", "q": "Bill", "page": "2"})

    grant = grant_of(billing_app, calendar_api)
    assert grant is not None and grant.scope_values() == [] and not grant.allow_all_scopes
    assert response["Location"] == (
        f"{page_of(calendar_api)}?q=Bill&page=2&open={billing_app.client_id}#{billing_app.client_id}"
    )
    assert 'value="read:appointments"' in as_eve.get(response["Location"]).content.decode()


def test_switching_on_twice_is_told(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App
) -> None:
    response = as_eve.post(page_of(calendar_api, billing_app), {"action": "authorize"}, follow=True)

    assert "This application is authorized for that API already." in response.content.decode()
    assert saved(billing_grant).scope_values() == ["read:appointments"]


def test_switching_off_can_be_undone(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, by: Actor
) -> None:
    until = timezone.now() + datetime.timedelta(days=3)
    update_client_grant(billing_grant, by, expires_at=until)

    off = as_eve.post(page_of(calendar_api, billing_app), {"action": "deauthorize"}, follow=True)
    taken = grant_of(billing_app, calendar_api)
    on = as_eve.post(page_of(calendar_api, billing_app), {"action": "undo"}, follow=True)

    assert "Billing is not authorized any more" in off.content.decode() and taken is None
    grant = grant_of(billing_app, calendar_api)
    assert grant is not None and grant.scope_values() == ["read:appointments"] and grant.expires_at == until
    assert "Billing is authorized again, as before." in on.content.decode()
    assert "Billing is not authorized any more" not in on.content.decode()


def test_undo_leaves_out_scopes_that_are_gone(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, by: Actor
) -> None:
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])
    as_eve.post(page_of(calendar_api, billing_app), {"action": "deauthorize"})
    delete_scope(calendar_api.scopes.get(value="read:appointments"), by)

    as_eve.post(page_of(calendar_api, billing_app), {"action": "undo"})

    grant = grant_of(billing_app, calendar_api)
    assert grant is not None and grant.scope_values() == ["write:appointments"]


def test_undo_works_for_the_same_application_and_for_ten_minutes(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, web_app: App
) -> None:
    nothing = as_eve.post(page_of(calendar_api, billing_app), {"action": "undo"}, follow=True)
    as_eve.post(page_of(calendar_api, billing_app), {"action": "deauthorize"})
    other = as_eve.post(page_of(calendar_api, web_app), {"action": "undo"}, follow=True)
    authorize_application(billing_app.row, calendar_api, Actor("", "", "", ""))
    as_eve.post(page_of(calendar_api, billing_app), {"action": "deauthorize"})
    session = as_eve.session
    session[undo.KEY] |= {"at": session[undo.KEY]["at"] - undo.SECONDS}
    session.save()
    late = as_eve.post(page_of(calendar_api, billing_app), {"action": "undo"}, follow=True)

    for response in (nothing, other, late):
        assert "There is nothing to undo any more." in response.content.decode()
    assert grant_of(billing_app, calendar_api) is None and grant_of(web_app, calendar_api) is None


def test_switching_off_what_is_off_changes_nothing(as_eve: Client, calendar_api: API, billing_app: App) -> None:
    assert as_eve.post(page_of(calendar_api, billing_app), {"action": "deauthorize"}).status_code == 302


# Choosing scopes


def test_scopes_are_chosen(as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App) -> None:
    response = as_eve.post(
        page_of(calendar_api, billing_app),
        {"action": "save", "scopes": ["write:appointments"], "reach": "these", "revision": "1"},
    )

    assert response["Location"] == page_of(calendar_api)
    assert saved(billing_grant).scope_values() == ["write:appointments"]


def test_none_is_a_choice(as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App) -> None:
    as_eve.post(page_of(calendar_api, billing_app), {"action": "save", "reach": "these", "revision": "1"})

    assert saved(billing_grant).scope_values() == []


def test_always_all_and_an_expiry(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App
) -> None:
    as_eve.post(
        page_of(calendar_api, billing_app),
        {"action": "save", "reach": "all", "revision": "1", "expires_at": "2099-12-31T23:59"},
    )

    grant = saved(billing_grant)
    assert grant.allow_all_scopes
    assert grant.expires_at == datetime.datetime(2099, 12, 31, 23, 59, tzinfo=datetime.UTC)
    assert 'value="2099-12-31T23:59"' in as_eve.get(page_of(calendar_api, billing_app)).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": ["no:such"]}, "scopes"),
        ({"scopes": ["read:appointments\x00"]}, "scopes"),
        ({"reach": ""}, "reach"),
        ({"reach": "some"}, "reach"),
        ({"expires_at": "2001-01-01T00:00"}, "expires_at"),
        ({"expires_at": "soon\x00"}, "expires_at"),
        ({"revision": "x"}, "revision"),
        ({"revision": ""}, "revision"),
    ],
)
def test_a_broken_rule_is_told_at_the_field(
    as_eve: Client,
    calendar_api: API,
    billing_grant: ClientGrant,
    billing_app: App,
    changes: dict[str, Any],
    field: str,
) -> None:
    data = {"action": "save", "scopes": ["write:appointments"], "reach": "these", "revision": "1"} | changes

    response = as_eve.post(page_of(calendar_api, billing_app), data)

    assert response.status_code == 422 and field in response.context["form"].errors
    assert saved(billing_grant).scope_values() == ["read:appointments"]


def test_an_expiry_that_has_passed_may_stay(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, by: Actor
) -> None:
    past = timezone.now() - datetime.timedelta(hours=1)
    update_client_grant(billing_grant, by, expires_at=past)
    html = as_eve.get(page_of(calendar_api)).content.decode()

    response = as_eve.post(
        page_of(calendar_api, billing_app),
        {"action": "save", "reach": "these", "revision": "2", "expires_at": f"{past:%Y-%m-%dT%H:%M}"},
    )

    assert "Expired" in html
    assert response.status_code == 302 and saved(billing_grant).expires_at == past


def test_a_stale_edit_says_what_was_saved_and_saving_again_wins(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, by: Actor
) -> None:
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])
    mine = {"action": "save", "scopes": [], "reach": "these", "revision": "1"}

    stale = as_eve.post(page_of(calendar_api, billing_app), mine)
    again = as_eve.post(page_of(calendar_api, billing_app), mine | {"revision": "2"})

    html = stale.content.decode()
    assert stale.status_code == 422 and "Saved by somebody else: read:appointments, write:appointments." in html
    assert 'name="revision" value="2"' in html
    assert again.status_code == 302 and saved(billing_grant).scope_values() == []


def test_saving_after_somebody_took_it_away(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, by: Actor
) -> None:
    deauthorize_application(billing_grant, by)

    response = as_eve.post(
        page_of(calendar_api, billing_app), {"action": "save", "reach": "all", "revision": "1"}, follow=True
    )

    assert "Billing is not authorized any more. Nothing was saved." in response.content.decode()
    assert grant_of(billing_app, calendar_api) is None


def test_the_panel_alone_for_htmx_and_a_page_without(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App
) -> None:
    panel = as_eve.get(page_of(calendar_api, billing_app), headers={"hx-request": "true"})
    page = as_eve.get(page_of(calendar_api, billing_app))

    for response in (panel, page):
        assert billing_grant.pk in response.content.decode() and response["Vary"].count("HX-Request") == 1
    assert "<html" not in panel.content.decode() and "<html" in page.content.decode()


# Who may


def test_a_viewer_looks_only(as_bea: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App) -> None:
    html = as_bea.get(page_of(calendar_api), {"open": billing_app.client_id}).content.decode()

    assert html.count('role="switch"') == html.count(" disabled></button>") == 1
    assert '<fieldset class="bare" disabled>' in html and ">Save</button>" not in html
    for action in ("authorize", "deauthorize", "undo", "save"):
        assert as_bea.post(page_of(calendar_api, billing_app), {"action": action, "reach": "all"}).status_code == 403
    assert saved(billing_grant).revision == 1


def test_strangers_and_other_tenants_things_are_not_found(
    as_cal: Client, as_eve: Client, calendar_api: API, billing_app: App, other_tenant: Tenant, by: Actor
) -> None:
    their_app = make_app(other_tenant, by, name="Theirs", app_type="non_interactive")
    theirs = f"/t/other/apis/{calendar_api.pk}/machine-to-machine/"

    for address in (
        page_of(calendar_api),
        page_of(calendar_api, billing_app),
        theirs,
        f"{theirs}{their_app.client_id}/",
    ):
        assert as_cal.get(address).status_code == 404
        assert as_cal.post(address, {"action": "authorize"}).status_code == 404
    assert as_eve.post(page_of(calendar_api, their_app), {"action": "authorize"}).status_code == 404
    assert not ClientGrant.objects.exists()


def test_an_application_that_keeps_no_secret_cannot_be_authorized_here(
    as_eve: Client, calendar_api: API, spa_app: App
) -> None:
    assert as_eve.post(page_of(calendar_api, spa_app), {"action": "authorize"}).status_code == 404


@pytest.mark.parametrize("client_id", ["0" * 32, "%00", "x" * 10000, "'\"&"])
def test_an_id_that_cannot_be_is_not_found(as_eve: Client, calendar_api: API, client_id: str) -> None:
    assert as_eve.get(f"{page_of(calendar_api)}{client_id}/").status_code in {400, 404}
    assert as_eve.post(f"{page_of(calendar_api)}{client_id}/", {"action": "authorize"}).status_code in {400, 404}


@pytest.mark.parametrize("action", ["", "delete", "\x00", "save "])
def test_an_unknown_action_is_refused(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, billing_app: App, action: str
) -> None:
    assert as_eve.post(page_of(calendar_api, billing_app), {"action": action}).status_code == 404


def test_hostile_text_is_escaped(as_eve: Client, tenant: Tenant, calendar_api: API, by: Actor) -> None:
    app = make_app(tenant, by, name="\"'&{{ 7*7 }}", app_type="non_interactive")
    add_scopes(calendar_api, by, [("a'b&<i>", '"quoted" <i>')])
    authorize_application(app.row, calendar_api, by)
    html = as_eve.get(page_of(calendar_api), {"open": app.client_id}).content.decode()

    assert ">&quot;&#x27;&amp;{{ 7*7 }}</a>" in html
    assert "a&#x27;b&amp;&lt;i&gt;" in html and "<i>" not in html
