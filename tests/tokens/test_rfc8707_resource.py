"""RFC 8707: `resource` names the API as `audience` does, and its refusals are invalid_target."""

from tests.reading import claims_of


def test_resource_names_the_api(ask, billing_grant, tenant):
    body = ask(audience=None, resource="https://calendar.example/").json()

    assert claims_of(body["access_token"], tenant)["aud"] == "https://calendar.example/"


def test_both_may_name_the_same_api(ask, billing_grant):
    assert ask(resource="https://calendar.example/").status_code == 200


def test_two_different_apis_are_refused(ask, billing_grant, tenant):
    response = ask(resource=f"{tenant.issuer}api/v2/")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_target"


def test_an_unknown_resource_is_an_invalid_target(ask, billing_grant):
    response = ask(audience=None, resource="https://unknown.example/")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_target"


def test_an_api_without_a_grant_is_an_invalid_target(ask, tenant):
    response = ask(audience=None, resource=f"{tenant.issuer}api/v2/")

    assert response.json()["error"] == "invalid_target"


def test_a_fragment_is_refused(ask, billing_grant):
    assert ask(audience=None, resource="https://calendar.example/#x").json()["error"] == "invalid_target"
