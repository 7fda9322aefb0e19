import datetime

import pytest
from django.test import Client

from accounts.invitations import setup_link
from accounts.models import Invitation, Membership, User
from accounts.operations import invite, revoke_invitation
from tests.conftest import HOST, browser_of

NEW = {"email": "Zoe@Example.com", "name": "Zoe Zimmer", "password": "a long enough sentence"}


@pytest.fixture
def link(tenant, by):
    _, token = invite(tenant, by, "editor", "zoe@example.com")
    return f"/invitation/{token}/"


def test_the_page_knows_whom_it_is_for(client, link):
    page = client.get(link).content.decode()

    assert "Join Main" in page
    assert 'value="zoe@example.com"' in page
    assert "10 characters" in page


def test_somebody_joins_and_is_signed_in(client, link):
    response = client.post(link, NEW)

    zoe = User.objects.get(email="zoe@example.com")
    assert response["Location"] == "/t/main/"
    assert (zoe.name, zoe.memberships.get().role, zoe.is_staff) == ("Zoe Zimmer", "editor", False)
    assert client.get("/t/main/members/").status_code == 200


def test_signing_in_so_gives_a_new_session(client, link):
    client.get("/account/sign-in/")
    session = client.session
    session["mine"] = "before"
    session.save()
    client.cookies["gatehouse"] = session.session_key

    client.post(link, NEW)

    assert client.session.session_key != session.session_key


def test_the_first_member_becomes_admin_and_operator(client, tenant):
    link = setup_link(tenant)

    assert "Set up Gatehouse" in client.get(link).content.decode()
    client.post(link, NEW)
    zoe = User.objects.get()
    assert (zoe.is_staff, zoe.is_superuser, zoe.memberships.get().role) == (True, True, "admin")
    assert setup_link(tenant) is None


def test_a_link_works_once(client, link):
    client.post(link, NEW)

    for browser in (client, browser_of(None)):
        again = browser.post(link, NEW | {"email": "other@example.com"})
        assert again.status_code == 410
        assert "no longer works" in again.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_too_old_or_revoked_says_what_to_do(client, tenant, by, method):
    old, token = invite(tenant, by, "viewer")
    Invitation.objects.filter(pk=old.pk).update(expires_at=old.created_at - datetime.timedelta(seconds=1))
    revoked, other = invite(tenant, by, "viewer")
    revoke_invitation(revoked, by)

    for dead in (token, other, "never-was", "%00", "x" * 9000):
        response = getattr(client, method)(f"/invitation/{dead}/", NEW)
        assert response.status_code == 410
        assert "Ask an admin" in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "12345678901"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "zoe@example.com"}, "password"),
        ({"password": ""}, "password"),
        ({"password": "nul \x00 in the middle"}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "a" * 300 + "@example.com"}, "email"),
        ({"name": "<b>Zoe</b>"}, "name"),
        ({"name": "x" * 151}, "name"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(client, link, wrong, field):
    response = client.post(link, NEW | wrong)

    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert NEW["password"] not in response.content.decode()
    assert Invitation.objects.open().exists()


def test_an_address_that_has_an_account_is_sent_to_sign_in(client, link, ada):
    response = client.post(link, NEW | {"email": "ADA@example.com"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "already exists" in response.context["form"].errors["email"][0]
    assert "/account/sign-in/?next=%2Finvitation%2F" in page
    assert not Membership.objects.filter(user=ada, role="editor").exists()


def test_a_member_of_another_tenant_joins_with_one_button(as_cal, cal, link):
    assert "Join as editor" in as_cal.get(link).content.decode()

    response = as_cal.post(link)

    assert response["Location"] == "/t/main/"
    assert cal.memberships.get(tenant__name="main").role == "editor"
    assert as_cal.post(link).status_code == 410


def test_a_member_does_not_use_up_a_link_of_their_own_tenant(as_bea, bea, link):
    assert "You are a member already" in as_bea.get(link).content.decode()

    assert as_bea.post(link).status_code == 422
    assert bea.memberships.get().role == "viewer"
    assert Invitation.objects.open().exists()


def test_a_form_from_elsewhere_is_refused(cal, link):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)

    assert outside.post(link, NEW).status_code == 403
    outside.force_login(cal, backend="accounts.backends.MemberBackend")
    assert outside.post(link).status_code == 403
    assert Invitation.objects.open().exists()


def test_no_log_holds_the_link_or_the_password(client, link, caplog):
    client.get(link)
    client.post(link, NEW)

    said = " ".join(str(record.msg) for record in caplog.records)
    assert "/invitation/(hidden)/" in said
    assert link.split("/")[2] not in said
    assert NEW["password"] not in said


def test_the_new_password_signs_in(client, link):
    client.post(link, NEW)

    response = browser_of(None).post("/account/sign-in/", {"login": "zoe@example.com", "password": NEW["password"]})

    assert response.status_code == 302


def test_a_link_that_makes_an_operator_is_not_for_an_account_that_is_open(as_cal, cal, tenant):
    link = setup_link(tenant)

    page = as_cal.get(link).content.decode()
    refused = as_cal.post(link)

    assert "Sign out first: this link makes an operator." in page and "Join as" not in page
    assert refused.status_code == 422 and "Sign out first" in refused.content.decode()
    assert Invitation.objects.open().exists() and not Membership.objects.filter(tenant=tenant).exists()
