"""“Revoke what was issued”: of an application, of one authorization, of an API."""

import pytest
from django.test import Client

from accounts.sentences import parts_of
from apis.operations import update_api
from audit.models import Event
from tests.tokens.about_tokens import is_active
from tests.tokens.pages import text_of

KINDS = ["application", "client_grant", "api"]


@pytest.fixture
def pages(billing_app, calendar_api, billing_grant):
    """The page of each kind, and the one it is reached from and comes back to."""
    application = f"/t/main/applications/{billing_app.client_id}"
    api = f"/t/main/apis/{calendar_api.pk}"
    panel = f"{api}/machine-to-machine/{billing_app.client_id}"
    return {
        "application": (f"{application}/revoke-issued/", f"{application}/settings/"),
        "client_grant": (f"{panel}/revoke-issued/", f"{panel}/"),
        "api": (f"{api}/revoke-issued/", f"{api}/settings/"),
    }


@pytest.fixture
def token(ask, billing_grant):
    return ask().json()["access_token"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_revokes_what_was_issued(as_eve, eve, pages, kind, token, billing_app, ask):
    page, back = pages[kind]
    events = Event.objects.count()

    response = as_eve.post(page, follow=True)

    assert response.redirect_chain == [(back, 302)]
    assert "until now is revoked" in text_of(response)
    assert not is_active(billing_app, token)
    assert is_active(billing_app, ask().json()["access_token"])
    assert Event.objects.count() == events + 1
    event = Event.objects.order_by("-pk").first()
    assert event.type == f"{kind}.tokens_revoked"
    said = "".join(words for _, words in parts_of(event))
    assert said.startswith(f"{eve.email} revoked what was issued")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_it_does_and_what_it_does_not(as_eve, pages, kind, calendar_api, by):
    update_api(calendar_api, by, token_lifetime=7200)

    text = text_of(as_eve.get(pages[kind][0]))

    assert "told at once that it is not active" in text
    assert "accept it until it expires. With today’s settings that is 2 hours after it was issued." in text
    assert "New tokens are issued as before" in text
    assert "is revoked already" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_looking_changes_nothing(as_eve, pages, kind, token, billing_app):
    as_eve.get(pages[kind][0])

    assert is_active(billing_app, token)


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_time_it_says_what_is_revoked_already(as_eve, pages, kind):
    as_eve.post(pages[kind][0])

    assert "is revoked already" in text_of(as_eve.get(pages[kind][0]))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_reached_from_where_one_looks_for_it(as_eve, as_bea, pages, kind):
    page, back = pages[kind]

    assert f'href="{page}"' in as_eve.get(back).content.decode()
    assert f'href="{page}"' not in as_bea.get(back).content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_and_a_stranger_may_not(as_bea, as_cal, client, pages, kind, token, billing_app):
    page = pages[kind][0]

    assert as_bea.get(page).status_code == as_bea.post(page).status_code == 403
    assert as_cal.get(page).status_code == as_cal.post(page).status_code == 404
    assert client.post(page).status_code == 302
    assert is_active(billing_app, token)


@pytest.mark.parametrize("kind", KINDS)
def test_the_form_needs_its_csrf_token(eve, pages, kind, token, billing_app):
    browser = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:8000")
    browser.force_login(eve, backend="accounts.backends.MemberBackend")

    assert browser.post(pages[kind][0]).status_code == 403
    assert is_active(billing_app, token)


def test_what_does_not_exist_is_not_found(as_eve, calendar_api, web_app, billing_app):
    api = f"/t/main/apis/{calendar_api.pk}"

    for page in [
        "/t/main/applications/nobody/revoke-issued/",
        "/t/main/applications/a%00b/revoke-issued/",
        "/t/main/apis/000000000000000000000000/revoke-issued/",
        "/t/main/apis/a%00b/revoke-issued/",
        f"{api}/machine-to-machine/{web_app.client_id}/revoke-issued/",
        f"{api}/machine-to-machine/a%00b/revoke-issued/",
    ]:
        assert as_eve.post(page).status_code == 404


def test_the_system_apis_tokens_can_be_revoked_too(as_eve, tenant):
    system = tenant.apis.get(is_system=True)

    response = as_eve.post(f"/t/main/apis/{system.pk}/revoke-issued/")

    assert response.status_code == 302
    html = as_eve.get(f"/t/main/apis/{system.pk}/settings/").content.decode()
    assert "revoke-issued" in html and f"/apis/{system.pk}/delete/" not in html


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_few_queries(as_eve, pages, kind, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        as_eve.get(pages[kind][0])


def test_who_has_credentials_is_told_to_change_a_leaked_one_first(as_eve, pages, billing_app):
    credentials = f"/t/main/applications/{billing_app.client_id}/credentials/"

    assert f'href="{credentials}"' in as_eve.get(pages["application"][0]).content.decode()
    assert f'href="{credentials}"' not in as_eve.get(pages["api"][0]).content.decode()
