import pytest
from django.test import Client

from applications.models import ClientGrant
from applications.operations import authorize_application, update_application
from tests.conftest import HOST


@pytest.fixture
def page(at, billing_app):
    return at(billing_app, "apis/")


def rows_of(response):
    return {row["api"].name: row["grant"] for row in response.context["rows"]}


def test_every_api_stands_there_with_what_it_gives(as_bea, page, billing_grant):
    response = as_bea.get(page)

    rows = rows_of(response)
    assert list(rows) == ["Auth0 Management API", "Calendar API"]
    assert (rows["Auth0 Management API"], rows["Calendar API"].scopes_granted) == (None, 1)
    assert "1 of 2" in response.content.decode()


def test_a_row_leads_to_the_machine_to_machine_tab_at_this_application(as_bea, page, calendar_api, billing_app):
    tab, opened = f"/t/main/apis/{calendar_api.pk}/machine-to-machine/", billing_app.client_id

    assert f'href="{tab}?q={opened}&amp;open={opened}#{opened}"' in as_bea.get(page).content.decode()
    rows = as_bea.get(tab, {"q": opened, "open": opened}).context["page"]
    assert [(row.client_id, row.is_open) for row in rows] == [(opened, True)]


def test_the_switch_authorizes_without_scopes_and_ends_it_again(as_eve, page, calendar_api, billing_app):
    on = as_eve.post(page, {"api": calendar_api.pk, "authorize": "on"})

    assert on["Location"] == page
    assert ClientGrant.objects.get().scope_values() == []
    as_eve.post(page, {"api": calendar_api.pk, "authorize": "off"})
    assert not ClientGrant.objects.exists()


def test_switching_twice_does_no_harm(as_eve, page, calendar_api, billing_grant):
    as_eve.post(page, {"api": calendar_api.pk, "authorize": "on"})

    assert ClientGrant.objects.get().scope_values() == ["read:appointments"]
    for _ in range(2):
        assert as_eve.post(page, {"api": calendar_api.pk, "authorize": "off"}).status_code == 302


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"show": "authorized"}, ["Calendar API"]),
        ({"show": "not-authorized"}, ["Auth0 Management API"]),
        ({"q": "calendar.example"}, ["Calendar API"]),
        ({"q": "nobody"}, []),
        ({"q": "\x00", "show": "\x00", "page": "x"}, ["Auth0 Management API", "Calendar API"]),
    ],
)
def test_filters(as_bea, page, billing_grant, query, names):
    assert list(rows_of(as_bea.get(page, query))) == names


def test_the_filter_is_kept_after_switching(as_eve, page, calendar_api, billing_app):
    address = f"{page}?q=calendar&show=not-authorized"

    assert as_eve.post(address, {"api": calendar_api.pk, "authorize": "on"})["Location"] == address


@pytest.mark.parametrize("kind", ["spa_app", "web_app"])
def test_without_client_credentials_the_page_says_why(as_eve, at, calendar_api, by, request, kind):
    app = request.getfixturevalue(kind)
    if kind == "web_app":
        update_application(app.row, by, grant_types=["authorization_code"])

    page = as_eve.get(at(app, "apis/")).content.decode()

    assert "switch-button" not in page
    assert ("Client credentials are off" in page) == (kind == "web_app")
    refused = as_eve.post(at(app, "apis/"), {"api": calendar_api.pk, "authorize": "on"})
    assert refused.status_code == 422
    assert not ClientGrant.objects.exists()


def test_a_viewer_cannot_switch(as_bea, page, calendar_api, billing_grant):
    assert "disabled></button>" in as_bea.get(page).content.decode()
    assert as_bea.post(page, {"api": calendar_api.pk, "authorize": "off"}).status_code == 403
    assert ClientGrant.objects.exists()


@pytest.mark.parametrize("api", ["", "nobody", "\x00", "x" * 10_000])
def test_an_api_that_is_none_is_not_found(as_eve, page, api):
    assert as_eve.post(page, {"api": api, "authorize": "on"}).status_code == 404


def test_another_tenants_api_is_not_found(as_eve, page, other_tenant):
    strange = other_tenant.apis.get().pk

    assert as_eve.post(page, {"api": strange, "authorize": "on"}).status_code == 404


def test_a_form_from_elsewhere_is_refused(eve, page, calendar_api):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    outside.force_login(eve, backend="accounts.backends.MemberBackend")

    assert outside.post(page, {"api": calendar_api.pk, "authorize": "on"}).status_code == 403
    assert not ClientGrant.objects.exists()


@pytest.mark.parametrize("apis", [3, 30])
def test_the_number_of_queries_does_not_grow(
    as_bea, page, billing_app, by, apis, make_apis, django_assert_max_num_queries
):
    for api in make_apis(apis):
        authorize_application(billing_app.row, api, by, scopes=["read:all"])

    with django_assert_max_num_queries(12):
        as_bea.get(page)
