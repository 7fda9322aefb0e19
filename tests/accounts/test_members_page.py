import re

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Invitation, Membership, User
from accounts.operations import create_member, invite, update_member
from audit.models import Event
from tests.conftest import HOST, PASSWORD, browser_of

PAGE = "/t/main/members/"


def membership_of(user):
    return Membership.objects.get(user=user)


def test_everybody_sees_who_is_here(as_bea, ada, eve):
    page = as_bea.get(PAGE).content.decode()

    assert all(words in page for words in ("ada@example.com", "eve@example.com", "bea@example.com", "Editor"))
    assert "Invite member" not in page


def test_only_the_tenants_own_people_are_listed(as_ada, cal):
    assert "cal@example.com" not in as_ada.get(PAGE).content.decode()


def test_an_invitation_is_a_link_shown_once(as_ada):
    response = as_ada.post(f"{PAGE}invite/", {"role": "viewer", "email": "zoe@example.com"})

    link, page = response.context["link"], response.content.decode()
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    assert re.fullmatch(rf"http://{HOST}/invitation/[\w-]{{43}}/", link)
    assert link in page
    token = link.split("/")[-2]
    assert all(token not in as_ada.get(address).content.decode() for address in (PAGE, "/t/main/activity/"))
    assert all(token not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(token not in str(event.details) for event in Event.objects.all())
    assert browser_of(None).get(link).status_code == 200


def test_reloading_the_answer_makes_no_second_invitation(as_ada):
    form = {"role": "viewer", "once": as_ada.get(f"{PAGE}invite/").context["once"]}
    as_ada.post(f"{PAGE}invite/", form)

    assert as_ada.post(f"{PAGE}invite/", form)["Location"] == PAGE
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"role": "owner"}, {"role": ""}, {"email": "nobody"}, {"email": "\x00@a.example"}])
def test_what_cannot_be_invited_is_refused(as_ada, wrong):
    assert as_ada.post(f"{PAGE}invite/", {"role": "viewer"} | wrong).status_code == 422
    assert not Invitation.objects.exists()


def test_an_open_invitation_can_be_revoked(as_ada, tenant, by):
    made, token = invite(tenant, by, "editor", "zoe@example.com")

    assert "zoe@example.com" in as_ada.get(PAGE).content.decode()
    assert as_ada.get(f"{PAGE}invitations/{made.pk}/revoke/").status_code == 405
    as_ada.post(f"{PAGE}invitations/{made.pk}/revoke/")
    assert browser_of(None).get(f"/invitation/{token}/").status_code == 410


def test_a_role_is_changed(as_ada, bea):
    address = f"{PAGE}{membership_of(bea).pk}/role/"

    assert as_ada.get(address).status_code == 200
    assert as_ada.post(address, {"role": "editor"})["Location"] == PAGE
    assert membership_of(bea).role == "editor"


@pytest.mark.parametrize("role", ["owner", "", "\x00"])
def test_no_other_role_is_taken(as_ada, bea, role):
    assert as_ada.post(f"{PAGE}{membership_of(bea).pk}/role/", {"role": role}).status_code == 422
    assert membership_of(bea).role == "viewer"


def test_the_last_admin_stays_admin_and_stays(as_ada, ada, eve):
    address = f"{PAGE}{membership_of(ada).pk}/"

    for response in (as_ada.post(f"{address}role/", {"role": "viewer"}), as_ada.post(f"{address}remove/")):
        assert response.status_code == 422
        assert "at least one admin" in response.content.decode()
    assert membership_of(ada).role == "admin"


def test_a_removed_member_is_out_at_once_and_keeps_the_account(as_ada, as_bea, bea):
    address = f"{PAGE}{membership_of(bea).pk}/remove/"

    assert "leaves Main" in as_ada.get(address).content.decode()
    assert as_bea.get(PAGE).status_code == 200
    as_ada.post(address)
    assert as_bea.get(PAGE).status_code == 404
    assert User.objects.filter(email="bea@example.com").exists()


def test_an_admin_who_leaves_comes_to_what_is_left(as_ada, ada, tenant, by):
    create_member(tenant, by, "second@example.com", PASSWORD, "admin")

    response = as_ada.post(f"{PAGE}{membership_of(ada).pk}/remove/", follow=True)

    assert "not a member of a tenant" in response.content.decode()


def acts_on(membership, invitation):
    return ["invite/", f"{membership.pk}/role/", f"{membership.pk}/remove/", f"invitations/{invitation.pk}/revoke/"]


@pytest.mark.parametrize("who", ["as_eve", "as_bea"])
def test_only_admins_change_anything(request, who, ada, bea, tenant, by):
    browser, made = request.getfixturevalue(who), invite(tenant, by, "admin")[0]

    for act in acts_on(membership_of(bea), made):
        assert browser.post(f"{PAGE}{act}", {"role": "admin"}).status_code == 403
        assert browser.get(f"{PAGE}{act}").status_code in {403, 405}
    assert membership_of(bea).role == "viewer"
    assert Invitation.objects.count() == 1


def test_nobody_raises_their_own_role(as_eve, eve, ada):
    assert as_eve.post(f"{PAGE}{membership_of(eve).pk}/role/", {"role": "admin"}).status_code == 403
    assert membership_of(eve).role == "editor"


def test_another_tenants_people_and_invitations_are_not_there(as_cal, cal, ada, tenant, by):
    made = invite(tenant, by, "viewer")[0]

    for act in acts_on(membership_of(ada), made)[1:]:
        assert as_cal.post(f"/t/other/members/{act}", {"role": "viewer"}).status_code == 404
    assert as_cal.get(PAGE).status_code == 404
    assert (membership_of(ada).role, Invitation.objects.count()) == ("admin", 1)


@pytest.mark.parametrize("number", ["0", "9" * 30, "9" * 5000])
def test_a_number_that_is_nobody_is_not_found(as_ada, number):
    assert as_ada.get(f"{PAGE}{number}/role/").status_code == 404
    assert as_ada.post(f"{PAGE}invitations/{number}/revoke/").status_code == 404


def test_a_form_from_elsewhere_is_refused(ada, bea, tenant, by):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    outside.force_login(ada, backend="accounts.backends.MemberBackend")
    made = invite(tenant, by, "viewer")[0]

    for act in acts_on(membership_of(bea), made):
        assert outside.post(f"{PAGE}{act}", {"role": "admin"}).status_code == 403
    assert membership_of(bea).role == "viewer"


def test_names_are_shown_as_words(as_ada, bea):
    User.objects.filter(pk=bea.pk).update(name="\"'&{{7*7}}")

    page = as_ada.get(PAGE).content.decode()

    assert "&quot;&#x27;&amp;{{7*7}}" in page
    assert "\"'&{{" not in page


@pytest.mark.parametrize("people", [3, 30])
def test_the_number_of_queries_does_not_grow(as_ada, tenant, by, people, django_assert_max_num_queries):
    for number in range(people):
        create_member(tenant, by, f"member{number}@example.com", PASSWORD, "viewer")
        invite(tenant, by, "viewer")

    with django_assert_max_num_queries(12):
        as_ada.get(PAGE)


def switched_off(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def test_an_admin_who_is_switched_off_does_not_count(as_ada, ada, tenant, by):
    second = create_member(tenant, by, "second@example.com", PASSWORD, "admin")
    switched_off(second)

    answer = as_ada.post(f"{PAGE}{membership_of(ada).pk}/role/", {"role": "viewer"})

    assert (answer.status_code, membership_of(ada).role) == (422, "admin")
    assert as_ada.post(f"{PAGE}{membership_of(second).pk}/remove/").status_code == 302


def test_a_tenants_last_working_admin_is_not_switched_off(ada, cal, tenant, by):
    second = create_member(tenant, by, "second@example.com", PASSWORD, "admin")
    assert not update_member(second, by, is_active=False).is_active

    for last in (ada, cal):
        with pytest.raises(ValidationError, match="is the only admin of"):
            update_member(last, by, is_active=False)
        last.refresh_from_db()
        assert last.is_active
