import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from accounts.changes import change
from accounts.models import Tenant
from apis.models import API
from apis.operations import create_api
from applications.models import Application, ClientGrant
from audit.actors import Actor
from tokens.models import SigningKey

PAGE = "/t/main/apis/new/"
GOOD = {
    "name": "Orders API",
    "identifier": "https://api.acme.dev/orders",
    "signing_alg": "RS256",
    "token_dialect": "access_token",
    "token_lifetime": "86400",
    "test_application": "on",
}


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_a_created_api_is_ready_to_use(as_eve: Client, tenant: Tenant) -> None:
    response = as_eve.post(PAGE, GOOD)

    api = tenant.apis.get(identifier=GOOD["identifier"])
    grant = ClientGrant.objects.get(api=api)
    assert response["Location"] == f"/t/main/apis/{api.pk}/quick-start/"
    assert grant.application.name == "Orders API (Test Application)" and grant.allow_all_scopes
    assert grant.application.app_type == "non_interactive" and not grant.application.secrets.exists()
    assert [str(message) for message in response.wsgi_request._messages] == [
        "Orders API is ready. Its test application is authorized."
    ]


def test_without_a_test_application(as_eve: Client, tenant: Tenant) -> None:
    as_eve.post(PAGE, {name: value for name, value in GOOD.items() if name != "test_application"})

    assert tenant.apis.filter(name="Orders API").exists() and not Application.objects.exists()


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
def test_the_keys_of_the_algorithm_exist(as_eve: Client, tenant: Tenant, alg: str) -> None:
    as_eve.post(PAGE, GOOD | {"signing_alg": alg})

    assert SigningKey.objects.filter(tenant=tenant, alg=alg).count() == 2


def test_a_shared_secret_is_made_and_not_shown(as_eve: Client, tenant: Tenant) -> None:
    response = as_eve.post(PAGE, GOOD | {"signing_alg": "HS256"}, follow=True)

    api = tenant.apis.get(name="Orders API")
    assert len(api.reveal_signing_secret()) == 64
    assert api.reveal_signing_secret() not in response.content.decode()


def test_a_short_lifetime_shortens_that_of_browser_flows(as_eve: Client, tenant: Tenant) -> None:
    as_eve.post(PAGE, GOOD | {"token_lifetime": "900"})

    assert tenant.apis.get(name="Orders API").token_lifetime_for_web == 900


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "This field is required."),
        ("name", "a<b", "Use any characters except < and >."),
        ("name", "a\x07b", "Remove the control and invisible characters."),
        ("name", "x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("identifier", "", "This field is required."),
        ("identifier", " https://x.example", "Remove the space at the start or end."),
        ("identifier", "https://x.example ", "Remove the space at the start or end."),
        ("identifier", "x" * 601, "Ensure this value has at most 600 characters (it has 601)."),
        ("identifier", "https://x.example/\x00", "Null characters are not allowed."),
        ("identifier", "http://localhost:8000/api/v2/", "The selected identifier is reserved."),
        ("identifier", "https://calendar.example/", "A resource server with the same identifier already exists."),
        ("signing_alg", "none", "Select a valid choice. none is not one of the available choices."),
        ("signing_alg", "", "This field is required."),
        ("token_dialect", "jwt", "Select a valid choice. jwt is not one of the available choices."),
        ("token_lifetime", "0", "Use at least 1 second."),
        ("token_lifetime", "-1", "Use at least 1 second."),
        ("token_lifetime", "2592001", "Use at most 2592000 seconds (30 days)."),
        ("token_lifetime", "9" * 400, "Use at most 2592000 seconds (30 days)."),
        ("token_lifetime", "1.5", "Enter a whole number."),
        ("token_lifetime", "", "This field is required."),
    ],
)
def test_a_broken_rule_is_told_at_the_field(
    as_eve: Client, tenant: Tenant, calendar_api: API, field: str, value: str, message: str
) -> None:
    before = tenant.apis.count()

    response = as_eve.post(PAGE, GOOD | {field: value})

    assert response.status_code == 422
    assert message in errors(response)[field]
    assert tenant.apis.count() == before and not Application.objects.exists()


def test_the_longest_name_gets_a_test_application_too(as_eve: Client, tenant: Tenant) -> None:
    response = as_eve.post(PAGE, GOOD | {"name": "x" * 200})

    assert response.status_code == 302
    assert Application.objects.get().name == "x" * 200 + " (Test Application)"


@pytest.mark.parametrize(
    "identifier", ["https://calendar.example", "http://calendar.example/", "HTTPS://Calendar.example/"]
)
def test_a_look_alike_is_a_warning_and_sending_again_confirms(
    as_eve: Client, tenant: Tenant, calendar_api: API, identifier: str
) -> None:
    first = as_eve.post(PAGE, GOOD | {"identifier": identifier})
    again = as_eve.post(PAGE, GOOD | {"identifier": identifier, "confirmed_identifier": identifier})

    assert first.status_code == 422 and "easily mistaken for another" in first.content.decode()
    assert f'name="confirmed_identifier" value="{identifier}"' in first.content.decode()
    assert again.status_code == 302 and tenant.apis.filter(identifier=identifier).exists()


def test_confirming_one_identifier_does_not_confirm_another(as_eve: Client, calendar_api: API) -> None:
    response = as_eve.post(
        PAGE, GOOD | {"identifier": "http://calendar.example/", "confirmed_identifier": "https://calendar.example"}
    )

    assert response.status_code == 422


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("https://new.example/", "Available"),
        ("https://calendar.example", "easily mistaken for another"),
        ("https://calendar.example/", "A resource server with the same identifier already exists."),
        ("http://localhost:8000/api/v2/x", "The selected identifier is reserved."),
        (" x", "Remove the space at the start or end."),
        ("\x00", "Null characters are not allowed."),
    ],
)
def test_the_identifier_is_checked_while_it_is_filled_in(
    as_eve: Client, calendar_api: API, identifier: str, words: str
) -> None:
    response = as_eve.get(PAGE, {"check": "identifier", "identifier": identifier})

    assert response.status_code == 200 and words in response.content.decode()
    assert "<html" not in response.content.decode()


def test_the_check_escapes_what_was_typed(as_eve: Client, tenant: Tenant, by: Actor) -> None:
    create_api(tenant, by, name="Odd", identifier="urn:'\"&/")

    html = as_eve.get(PAGE, {"check": "identifier", "identifier": "URN:'\"&/"}).content.decode()

    assert 'value="URN:&#x27;&quot;&amp;/"' in html


def test_the_same_identifier_is_free_in_another_tenant(as_cal: Client, calendar_api: API) -> None:
    response = as_cal.post("/t/other/apis/new/", GOOD | {"identifier": "https://calendar.example/"})

    assert response.status_code == 302


def test_a_viewer_may_not_create(as_bea: Client, tenant: Tenant) -> None:
    assert as_bea.get(PAGE).status_code == 403
    assert as_bea.post(PAGE, GOOD).status_code == 403
    assert tenant.apis.count() == 1


def test_a_stranger_learns_nothing(as_cal: Client, client: Client, tenant: Tenant) -> None:
    assert as_cal.post(PAGE, GOOD).status_code == 404
    assert client.post(PAGE, GOOD).status_code == 302
    assert tenant.apis.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_gets_the_identifier(tenant: Tenant, by: Actor) -> None:
    answers: list[str] = []
    start = threading.Barrier(20)

    def create() -> None:
        try:
            start.wait()
            create_api(tenant, by, name="Race", identifier="urn:race")
            answers.append("created")
        except ValidationError as error:
            answers.append(error.message_dict["identifier"][0])
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["A resource server with the same identifier already exists."] * 19 + ["created"]
    assert tenant.apis.filter(identifier="urn:race").count() == 1


def test_what_only_the_database_refused_is_told_in_the_models_words(
    tenant: Tenant, by: Actor, calendar_api: API
) -> None:
    def write(**fields: Any) -> ValidationError:
        with pytest.raises(ValidationError) as refusal, change(tenant, by):
            API(tenant=tenant, name="Race", **fields).save(force_insert=True)
        return refusal.value

    same = write(identifier="https://calendar.example/")
    longer = write(identifier="urn:other", token_lifetime=60, token_lifetime_for_web=61)

    assert same.message_dict == {"identifier": ["A resource server with the same identifier already exists."]}
    assert list(longer.message_dict) == ["token_lifetime_for_web"]
