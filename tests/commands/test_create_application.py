import json

import pytest

from applications.models import Application, ClientGrant
from audit.models import Event


def test_the_printed_application_gets_a_management_api_token_with_every_scope(manage, tenant, client):
    found = json.loads(manage("create_application", "--name", "Terraform", "--management-api", "--json"))

    sent = {name: found[name] for name in ("client_id", "client_secret", "audience")}
    body = json.dumps(sent | {"grant_type": "client_credentials"})
    answer = client.post("/oauth/token", body, content_type="application/json").json()
    assert answer["token_type"] == "Bearer"
    assert len(answer["scope"].split()) == tenant.apis.get(is_system=True).scopes.count()
    assert found["issuer"] == tenant.issuer and found["domain"] == tenant.domain


def test_it_can_be_limited_to_some_scopes(manage, tenant):
    manage("create_application", "--name", "T", "--management-api", "--scope", "read:clients", "--scope", "read:logs")

    assert ClientGrant.objects.get().scope_values() == ["read:clients", "read:logs"]


def test_it_belongs_to_the_tenant_named(manage, tenant, other_tenant):
    found = json.loads(manage("create_application", "--name", "T", "--tenant", "other", "--management-api", "--json"))

    assert found["audience"] == "https://other.example/api/v2/"
    assert Application.objects.get().tenant == other_tenant


def test_people_read_the_secret_once_and_history_never(manage, tenant):
    said = manage("create_application", "--name", "Terraform")

    secret = said.split("client_secret")[1].split()[0]
    assert len(secret) == 64 and "not shown again" in said
    assert not any(secret in json.dumps(event.details) for event in Event.objects.all())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--name", ""], "blank"),
        (["--name", "<b>"], "< and >"),
        (["--name", "T", "--scope", "read:clients"], "--management-api"),
        (["--name", "T", "--management-api", "--scope", "fly:moon"], "has no scope fly:moon"),
        (["--name", "T", "--tenant", "nowhere"], "no tenant 'nowhere'"),
        (["--name", "T", "--tenant", "a\x00b"], "no tenant"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(refuses, tenant, arguments, word):
    before = Event.objects.count()

    assert word in refuses("create_application", *arguments)

    assert not Application.objects.exists() and Event.objects.count() == before


def test_without_a_tenant_it_says_what_to_do(refuses, db):
    assert "manage.py setup" in refuses("create_application", "--name", "T")
