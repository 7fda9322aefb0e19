from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from apis.models import API
from apis.operations import add_scopes, create_api
from applications.models import ClientGrant
from audit.actors import Actor

PAGE = "/t/main/apis/"


def make_apis(tenant: Tenant, by: Actor, number: int) -> None:
    for index in range(number):
        api = create_api(tenant, by, name=f"API {index:03}", identifier=f"https://api-{index}.example/")
        add_scopes(api, by, [("read:all", ""), ("write:all", "")])


def names(html: str) -> list[str]:
    return [part.split("<")[0] for part in html.split('class="row-link"')[1:] for part in [part.split(">", 1)[1]]]


def test_a_viewer_sees_the_list_and_no_way_to_create(as_bea: Client, calendar_api: API) -> None:
    html = as_bea.get(PAGE).content.decode()

    assert names(html) == ["Auth0 Management API", "Calendar API"]
    assert "Create API" not in html and "Delete…" not in html


def test_an_editor_can_create_and_delete_but_not_the_system_api(as_eve: Client, calendar_api: API) -> None:
    html = as_eve.get(PAGE).content.decode()

    assert "/t/main/apis/new/" in html
    assert html.count("Delete…") == 1


def test_a_stranger_learns_nothing(as_cal: Client, client: Client, calendar_api: API) -> None:
    assert as_cal.get(PAGE).status_code == 404
    assert as_cal.get(f"{PAGE}{calendar_api.pk}/").status_code == 404
    assert client.get(PAGE).status_code == 302


def test_another_tenants_apis_are_not_listed(as_cal: Client, calendar_api: API) -> None:
    html = as_cal.get("/t/other/apis/").content.decode()

    assert "Auth0 Management API" in html and "Calendar API" not in html


def test_the_row_counts_scopes_and_authorized_applications(as_bea: Client, billing_grant: ClientGrant) -> None:
    html = as_bea.get(PAGE, {"q": "calendar"}).content.decode()

    assert "2 scopes · 1 app · 0 tokens in 24 h<" in html


def test_a_new_tenant_is_told_how_to_start(as_eve: Client, as_bea: Client) -> None:
    assert "Protect your first API" in as_eve.get(PAGE).content.decode()
    assert "Protect your first API" not in as_bea.get(PAGE).content.decode()


def test_the_system_api_says_that_it_is_one(as_bea: Client) -> None:
    assert '<span class="badge">System</span>' in as_bea.get(PAGE).content.decode()


def test_a_shared_secret_is_said_in_words(as_bea: Client, tenant: Tenant, by: Actor) -> None:
    create_api(tenant, by, name="Legacy", identifier="urn:legacy", signing_alg="HS256")

    assert "HS256<span" in as_bea.get(PAGE).content.decode()
    assert ", shared secret" in as_bea.get(PAGE).content.decode()


@pytest.mark.parametrize("q", ["calendar", "CALENDAR", "calendar.example", "calendar\x00"])
def test_the_filter_finds_by_name_and_identifier(as_bea: Client, calendar_api: API, q: str) -> None:
    assert names(as_bea.get(PAGE, {"q": q}).content.decode()) == ["Calendar API"]


def test_the_filter_by_algorithm(as_bea: Client, calendar_api: API, tenant: Tenant, by: Actor) -> None:
    create_api(tenant, by, name="Legacy", identifier="urn:legacy", signing_alg="HS256")

    assert names(as_bea.get(PAGE, {"alg": "HS256"}).content.decode()) == ["Legacy"]
    assert len(names(as_bea.get(PAGE, {"alg": "nonsense"}).content.decode())) == 3


@pytest.mark.parametrize("q", ["ordr", "<script>alert(1)</script>", "%", "\x00" * 5 + "zz", "x" * 10000])
def test_no_result_offers_to_clear_the_filter(as_bea: Client, calendar_api: API, q: str) -> None:
    response = as_bea.get(PAGE, {"q": q})

    assert response.status_code == 200
    assert "No API matches" in response.content.decode() and "Clear filter" in response.content.decode()
    assert "<script>alert" not in response.content.decode()


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("-name", "Calendar API"),
        ("scopes", "Calendar API"),
        ("-scopes", "Auth0 Management API"),
        ("apps", None),
        ("-apps", "Calendar API"),
        ("nonsense\x00", "Auth0 Management API"),
    ],
)
def test_sorting(as_bea: Client, billing_grant: ClientGrant, sort: str, first: str | None) -> None:
    found = names(as_bea.get(PAGE, {"sort": sort}).content.decode())

    assert found[0] == (first or "Auth0 Management API")


def test_fifty_to_a_page(as_bea: Client, tenant: Tenant, by: Actor) -> None:
    for index in range(55):
        create_api(tenant, by, name=f"API {index:03}", identifier=f"urn:{index}")

    assert len(names(as_bea.get(PAGE).content.decode())) == 50
    assert len(names(as_bea.get(PAGE, {"page": "2"}).content.decode())) == 6
    assert len(names(as_bea.get(PAGE, {"page": "999999999999999999999"}).content.decode())) == 6
    assert len(names(as_bea.get(PAGE, {"page": "x\x00"}).content.decode())) == 50


@pytest.mark.parametrize("number", [3, 30])
def test_the_number_of_queries_does_not_grow(
    as_ada: Client, tenant: Tenant, by: Actor, number: int, django_assert_max_num_queries: Any
) -> None:
    make_apis(tenant, by, number)

    with django_assert_max_num_queries(10):
        assert len(names(as_ada.get(PAGE).content.decode())) == number + 1


def test_opening_an_api_leads_to_its_quick_start(as_bea: Client, calendar_api: API) -> None:
    response = as_bea.get(f"{PAGE}{calendar_api.pk}/")

    assert response.status_code == 302 and response["Location"] == f"{PAGE}{calendar_api.pk}/quick-start/"


@pytest.mark.parametrize("api_id", ["0" * 24, "%00", "a%00b", "x" * 10000, "..", "%F0%9F%98%80"])
def test_an_id_that_cannot_be_is_not_found(as_bea: Client, calendar_api: API, api_id: str) -> None:
    assert as_bea.get(f"{PAGE}{api_id}/").status_code in {400, 404}


def test_hostile_text_is_escaped(as_bea: Client, tenant: Tenant, by: Actor) -> None:
    create_api(tenant, by, name="\"' onfocus=alert(1) & {{ 7*7 }}", identifier="javascript:alert('1')\"&")
    html = as_bea.get(PAGE).content.decode()

    assert "&quot;&#x27; onfocus=alert(1) &amp; {{ 7*7 }}" in html
    assert 'data-copy="javascript:alert(&#x27;1&#x27;)&quot;&amp;"' in html
    assert "\"' onfocus" not in html
