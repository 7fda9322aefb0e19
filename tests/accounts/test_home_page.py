import pytest
from django.test import Client

from accounts.models import Membership
from accounts.operations import remove_member
from tests.conftest import HOST


def test_nobody_gets_in_without_signing_in(client, tenant):
    assert client.get("/")["Location"] == "/account/sign-in/?next=/"


def test_a_member_comes_to_the_apis_of_the_first_tenant(as_ada, ada, other_tenant):
    Membership.objects.create(tenant=other_tenant, user=ada, role="viewer")

    assert as_ada.get("/")["Location"] == "/t/main/apis/"


def test_a_member_comes_back_to_the_tenant_they_were_in(as_ada, ada, other_tenant):
    Membership.objects.create(tenant=other_tenant, user=ada, role="viewer")
    as_ada.get("/t/other/members/")

    assert as_ada.get("/")["Location"] == "/t/other/apis/"


@pytest.mark.parametrize("cookie", ["other", "nobody", "../../admin", "//evil.example"])
def test_a_cookie_leads_nowhere_a_member_may_not_go(as_ada, other_tenant, cookie):
    as_ada.cookies["last-tenant"] = cookie

    assert as_ada.get("/")["Location"] == "/t/main/apis/"


def test_a_member_of_no_tenant_is_told_what_to_do(as_bea, bea, ada, by):
    remove_member(bea.memberships.get(), by)

    response = as_bea.get("/")

    assert response.status_code == 200
    assert "not a member of a tenant" in response.content.decode()


def test_the_address_of_a_tenant_opens_its_apis(as_bea, other_tenant):
    assert as_bea.get("/t/main/")["Location"] == "/t/main/apis/"
    assert as_bea.get("/t/other/").status_code == 404


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_is_kept_for_a_year_and_drawn_by_the_server(as_bea, theme):
    response = as_bea.post("/theme/", {"theme": theme, "next": "/t/main/members/"})

    cookie = response.cookies["theme"]
    assert response["Location"] == "/t/main/members/"
    assert (cookie["max-age"], cookie["samesite"], cookie["httponly"]) == (31536000, "Lax", True)
    assert f'data-theme="{theme}"' in as_bea.get("/t/main/members/").content.decode()


@pytest.mark.parametrize("theme", ["", "pink", '"><script>', "\x00"])
def test_any_other_theme_is_the_systems(as_bea, theme):
    as_bea.post("/theme/", {"theme": "dark"})

    as_bea.post("/theme/", {"theme": theme})

    assert "data-theme=" not in as_bea.get("/t/main/members/").content.decode()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        " //evil.example",
        "",
        "\x00",
    ],
)
def test_the_way_back_never_leaves_the_console(as_bea, target):
    assert as_bea.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_a_theme_is_only_set_by_our_own_form(bea):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)

    assert outside.post("/theme/", {"theme": "dark"}).status_code == 403
    assert outside.get("/theme/").status_code == 405
