"""Two tenants on one server never see each other (their hosts, keys, clients, APIs and tokens)."""

import pytest

from apis.operations import create_api
from applications.operations import authorize_application
from tests.conftest import make_app
from tests.reading import claims_of, header_of, published_keys


@pytest.fixture
def twin(other_tenant, by):
    """The other tenant's API with the same identifier, and an application authorized for it."""
    api = create_api(other_tenant, by, name="Calendar API", identifier="https://calendar.example/")
    app = make_app(other_tenant, by, name="Billing")
    authorize_application(app.row, api, by)
    return app


def test_keys_are_disjoint(tenant, other_tenant):
    ours, theirs = ({key["kid"] for key in published_keys(t)["keys"]} for t in (tenant, other_tenant))

    assert ours and theirs and not ours & theirs


def test_each_host_issues_for_its_own_tenant(ask, billing_grant, twin, tenant, other_tenant):
    ours = ask().json()["access_token"]
    theirs = ask(host="other.example", client_id=twin.client_id, client_secret=twin.secret).json()["access_token"]

    assert claims_of(ours, tenant)["iss"] == tenant.issuer
    assert claims_of(theirs, other_tenant)["iss"] == "https://other.example/"
    assert header_of(ours)["kid"] not in {key["kid"] for key in published_keys(other_tenant)["keys"]}


def test_credentials_of_one_are_useless_at_the_other(ask, billing_grant, twin):
    assert ask(host="other.example").status_code == 401
    assert ask(client_id=twin.client_id, client_secret=twin.secret).status_code == 401


def test_an_api_of_the_other_is_unknown_here(ask, billing_grant, other_tenant, by):
    create_api(other_tenant, by, name="Private", identifier="https://private.example/")

    response = ask(audience="https://private.example/")

    assert response.json()["error_description"].startswith("Service not enabled within domain")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "other.example"},
        {"X-Tenant": "other"},
        {"Cookie": "tenant=other"},
        {"Forwarded": "host=other.example"},
        {"X-Original-URL": "https://other.example/oauth/token"},
    ],
)
def test_no_header_switches_the_tenant(client, ask, billing_grant, twin, tenant, headers):
    response = ask(headers=headers)

    if response.status_code == 200:
        assert claims_of(response.json()["access_token"], tenant)["iss"] == tenant.issuer
    else:
        assert response.status_code == 401


def test_a_parameter_does_not_switch_the_tenant(ask, billing_grant, twin, tenant):
    token = ask(tenant="other", domain="other.example").json()["access_token"]

    assert claims_of(token, tenant)["iss"] == tenant.issuer
