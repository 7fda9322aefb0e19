import time
from types import SimpleNamespace

import pytest
from allauth.core.internal import ratelimit
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from tests.conftest import HOST, PASSWORD, browser_of

PAGE = "/account/sign-in/"
TRIES = 8


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet(db):
    cache.clear()


def sign_in(browser, password=PASSWORD, email="ada@example.com", **more):
    return browser.post(PAGE, {"login": email, "password": password, **more})


def test_a_member_signs_in_with_e_mail_and_password(client, ada):
    assert sign_in(client)["Location"] == "/"
    assert client.get("/t/main/members/").status_code == 200


def test_capitals_and_spaces_around_the_address_do_not_matter(client, ada):
    assert sign_in(client, email=" ADA@Example.com ").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "no such thing"), ("nobody@example.com", PASSWORD), ("ada@example.com", PASSWORD + " ")],
)
def test_what_is_wrong_is_not_told_apart(client, ada, email, password):
    response = sign_in(client, password, email)

    assert response.status_code == 422
    assert response.context["form"].non_field_errors() == ["The e-mail address or the password is wrong."]
    assert password.strip() not in response.content.decode()


@pytest.mark.parametrize("email", ["", "nobody", "a\x00@example.com", "x" * 5000 + "@a.example", "ada@a.example\r\nx"])
def test_what_is_no_address_is_refused(client, ada, email):
    assert sign_in(client, email=email).status_code == 422


def test_an_account_that_is_switched_off_looks_like_none(client, ada):
    User.objects.update(is_active=False)

    response = sign_in(client)

    assert response.status_code == 422
    assert response.context["form"].non_field_errors() == ["The e-mail address or the password is wrong."]


def test_an_end_user_of_a_tenant_does_not_get_in(client, tenant):
    User.objects.create_user("user@example.com", PASSWORD, tenant=tenant)

    assert sign_in(client, email="user@example.com").status_code == 422


def test_signing_in_gives_a_new_session_that_ends_in_time(client, ada, settings):
    client.get(PAGE)
    session = client.session
    session["mine"] = "before"
    session.save()
    client.cookies["gatehouse"] = session.session_key

    response = sign_in(client)

    assert client.session.session_key != session.session_key
    assert response.cookies["gatehouse"]["max-age"] == settings.SESSION_COOKIE_AGE == 12 * 3600
    assert response.cookies["gatehouse"]["httponly"]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"],
)
def test_the_way_back_never_leaves_the_console(client, ada, target):
    assert sign_in(client, next=target)["Location"] == "/"
    assert client.post(f"/account/sign-out/?next={target}", {"next": target})["Location"] == PAGE


def test_the_way_back_is_kept(client, ada):
    page = client.get(f"{PAGE}?next=/t/main/activity/").content.decode()

    assert '<input type="hidden" name="next" value="/t/main/activity/">' in page
    assert sign_in(client, next="/t/main/activity/")["Location"] == "/t/main/activity/"


def test_signing_out_ends_the_session_on_the_server(client, ada):
    sign_in(client)
    stolen = client.cookies["gatehouse"].value

    assert client.post("/account/sign-out/")["Location"] == PAGE

    thief = browser_of(None)
    thief.cookies["gatehouse"] = stolen
    assert thief.get("/t/main/members/").status_code == 302
    assert not Session.objects.filter(session_key=stolen).exists()


def test_signing_out_needs_our_own_form(client, ada):
    sign_in(client)

    assert client.get("/account/sign-out/").status_code == 200
    assert client.get("/t/main/members/").status_code == 200


def test_a_form_from_elsewhere_is_refused(ada):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)

    assert sign_in(outside).status_code == 403
    outside.force_login(ada, backend="accounts.backends.MemberBackend")
    assert outside.post("/account/sign-out/").status_code == 403


def test_after_eight_wrong_passwords_the_right_one_waits_too(client, ada):
    for _ in range(TRIES):
        assert sign_in(client, "wrong").status_code == 422

    response = sign_in(client)

    assert response.status_code == 429
    assert "Wait five minutes" in response.content.decode()


def test_the_wait_ends_by_itself_however_often_somebody_knocks(client, ada, monkeypatch):
    for _ in range(TRIES * 2):
        sign_in(client, "wrong")

    later = SimpleNamespace(time=lambda: time.time() + 301, monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr(ratelimit, "time", later)
    assert sign_in(client).status_code == 302


def test_one_persons_wrong_passwords_do_not_stop_another(client, ada, bea):
    for _ in range(TRIES + 1):
        sign_in(client, "wrong")

    assert sign_in(client, email="bea@example.com").status_code == 302


def test_right_passwords_are_not_counted_as_tries(client, ada):
    for _ in range(TRIES + 2):
        assert sign_in(browser_of(None)).status_code == 302


def test_too_many_forms_from_one_address_get_a_page_of_their_own(client, ada):
    answers = [sign_in(client, "", "") for _ in range(31)]

    assert answers[-1].status_code == 429
    assert "Nothing is locked" in answers[-1].content.decode()


def test_the_counters_are_kept_where_every_process_sees_them(client, ada, settings, django_assert_num_queries):
    assert settings.CACHES["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache"
    cache.set("seen", "everywhere")
    with django_assert_num_queries(1):
        assert cache.get("seen") == "everywhere"


def events_in(caplog):
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_every_try_is_logged_without_the_password(client, ada, caplog):
    sign_in(client, "wrong-password-1")
    sign_in(client)
    client.post("/account/sign-out/")

    tries = {line["event"]: line for line in events_in(caplog) if line["logger"] == "gatehouse.sign_in"}
    assert list(tries) == ["sign_in_failed", "signed_in", "signed_out"]
    assert tries["sign_in_failed"]["email"] == "ada@example.com"
    assert tries["signed_in"]["user"] == tries["signed_out"]["user"] == ada.user_id
    assert all(line["ip"] == "127.0.0.1" and line["request"] for line in tries.values())
    assert "wrong-password-1" not in caplog.text and PASSWORD not in caplog.text


def test_being_stopped_is_logged(client, ada, caplog):
    for _ in range(TRIES + 1):
        sign_in(client, "wrong")

    assert "sign_in_limited" in [line["event"] for line in events_in(caplog)]


@pytest.mark.parametrize(
    "name",
    [
        "account_signup",
        "account_reset_password",
        "account_email",
        "account_set_password",
        "account_inactive",
        "account_confirm_email",
        "account_request_login_code",
    ],
)
def test_what_we_do_not_use_of_allauth_has_no_address(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize(
    "path", ["signup/", "password/reset/", "email/", "login/", "inactive/", "confirm-email/", "reauthenticate/", ""]
)
def test_nothing_else_of_allauth_answers(as_ada, path):
    assert as_ada.get(f"/account/{path}").status_code == 404


def test_every_page_carries_labels_and_autocomplete(client, as_ada):
    signing_in = client.get(PAGE).content.decode()
    changing = as_ada.get("/account/password/").content.decode()

    assert 'autocomplete="username"' in signing_in and 'autocomplete="current-password"' in signing_in
    assert "Ask an admin of your tenant for an invitation" in signing_in
    assert changing.count('autocomplete="new-password"') == 2
    assert "10 characters" in changing


NEXT = "another quite long sentence"


def change_password(browser, **changes):
    return browser.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEXT, "password2": NEXT} | changes)


def test_a_password_is_changed_and_other_sessions_end(client, ada):
    elsewhere = browser_of(None)
    sign_in(client), sign_in(elsewhere)

    assert change_password(client)["Location"] == "/"

    assert client.get("/t/main/members/").status_code == 200
    assert elsewhere.get("/t/main/members/").status_code == 302
    assert (sign_in(elsewhere).status_code, sign_in(elsewhere, NEXT).status_code) == (422, 302)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"oldpassword": "wrong"}, "oldpassword"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "1234567890123", "password2": "1234567890123"}, "password1"),
        ({"password1": "ada@example.com", "password2": "ada@example.com"}, "password1"),
        ({"password2": "something else entirely"}, "password2"),
    ],
)
def test_a_password_that_cannot_be_is_refused(as_ada, ada, wrong, field):
    response = change_password(as_ada, **wrong)

    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert NEXT not in response.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_confirming_takes_the_password_and_leads_back(as_ada):
    wrong = as_ada.post("/account/confirm/", {"password": "wrong", "next": "/t/main/members/"})
    right = as_ada.post("/account/confirm/", {"password": PASSWORD, "next": "/t/main/members/"})

    assert wrong.status_code == 422
    assert right["Location"] == "/t/main/members/"
    assert as_ada.post("/account/confirm/", {"password": PASSWORD, "next": "//evil.example"})["Location"] == "/"


@pytest.mark.parametrize("page", ["/account/password/", "/account/confirm/"])
def test_the_pages_behind_the_door_ask_to_sign_in(client, tenant, page):
    assert client.get(page)["Location"].startswith(PAGE)


def test_no_page_about_signing_in_is_stored_by_a_browser(client, ada):
    assert "no-store" in client.get(PAGE)["Cache-Control"]
