import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from applications.models import Application
from audit.models import Event
from tests.conftest import HOST, browser_of

PAGE = "/t/main/applications/new/"
MACHINE = {"name": "Nightly report", "app_type": "non_interactive"}


def secret_in(response):
    return response.context["secret"]


def test_a_machine_gets_a_secret_that_works(as_eve, calendar_api, ask):
    response = as_eve.post(PAGE, MACHINE | {"authorize_for": calendar_api.pk})

    made = Application.objects.get(name="Nightly report")
    answer = ask(client_id=made.client_id, client_secret=secret_in(response), scope=None)
    assert response.status_code == 200
    assert answer.json()["scope"] == "read:appointments write:appointments"


@pytest.mark.parametrize("app_type", ["non_interactive", "regular_web"])
def test_the_secret_is_on_the_answer_and_nowhere_else(as_eve, tenant, app_type):
    response = as_eve.post(PAGE, {"name": "Nightly report", "app_type": app_type})

    secret, made = secret_in(response), Application.objects.get()
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert secret not in str(response.headers) and "Location" not in response
    assert all(secret not in cookie.value for cookie in response.cookies.values())
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(secret not in str(event.details) for event in Event.objects.all())
    for page in ("", f"{made.client_id}/settings/", f"{made.client_id}/credentials/", f"{made.client_id}/apis/"):
        assert secret not in as_eve.get(f"/t/main/applications/{page}").content.decode()
    assert secret not in as_eve.get("/t/main/activity/").content.decode()


@pytest.mark.parametrize("app_type", ["spa", "native"])
def test_an_application_that_keeps_no_secret_gets_none(as_eve, tenant, app_type):
    response = as_eve.post(PAGE, {"name": "Widget", "app_type": app_type})

    made = Application.objects.get()
    assert response["Location"] == f"/t/main/applications/{made.client_id}/settings/"
    assert not made.secrets.exists()
    assert made.token_endpoint_auth_method == "none"


def test_reloading_the_answer_makes_no_second_application(as_eve, tenant):
    form = MACHINE | {"once": as_eve.get(PAGE).context["once"]}
    as_eve.post(PAGE, form)

    again = as_eve.post(PAGE, form, follow=True)

    assert Application.objects.count() == 1
    assert "sent before" in again.content.decode()


def test_a_form_with_an_error_can_be_sent_again(as_eve, tenant):
    refused = as_eve.post(PAGE, {"name": "", "app_type": "spa", "once": as_eve.get(PAGE).context["once"]})

    as_eve.post(PAGE, MACHINE | {"once": refused.context["once"]})

    assert refused.status_code == 422
    assert Application.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "<b>"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": ""}, "name"),
        ({"app_type": "toaster"}, "app_type"),
        ({"app_type": ""}, "app_type"),
        ({"authorize_for": "f" * 24}, "authorize_for"),
        ({"authorize_for": "\x00"}, "authorize_for"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(as_eve, tenant, wrong, field):
    response = as_eve.post(PAGE, MACHINE | wrong)

    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert not Application.objects.exists()


def test_another_tenants_api_cannot_be_chosen(as_cal, other_tenant, calendar_api):
    response = as_cal.post("/t/other/applications/new/", MACHINE | {"authorize_for": calendar_api.pk})

    assert response.status_code == 422
    assert not Application.objects.exists()


def test_only_a_machine_is_authorized_at_once(as_eve, calendar_api):
    as_eve.post(PAGE, {"name": "Widget", "app_type": "spa", "authorize_for": calendar_api.pk})

    assert not Application.objects.get().client_grants.exists()


def test_the_system_api_is_not_on_offer(as_eve, tenant):
    assert not as_eve.get(PAGE).context["form"].fields["authorize_for"].queryset.filter(is_system=True).exists()


def test_a_viewer_cannot_create(as_bea, tenant):
    assert as_bea.get(PAGE).status_code == 403
    assert as_bea.post(PAGE, MACHINE).status_code == 403
    assert not Application.objects.exists()


def test_a_form_from_elsewhere_is_refused(eve):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    outside.force_login(eve, backend="accounts.backends.MemberBackend")

    assert outside.post(PAGE, MACHINE).status_code == 403
    assert not Application.objects.exists()


def test_nobody_gets_there_without_signing_in(tenant):
    response = browser_of(None).get(PAGE)

    assert response["Location"] == "/account/sign-in/?next=/t/main/applications/new/"
