"""RFC 6749 §4.4 (client credentials) and what Auth0 adds to it, over HTTP."""

import pytest

from apis.models import TokenDialect
from apis.operations import create_api, delete_api, delete_scope, update_api
from applications.operations import (
    authorize_application,
    deauthorize_application,
    delete_application,
    update_application,
    update_client_grant,
)
from tests.reading import claims_of, header_of


def test_an_authorized_application_gets_a_token(ask, billing_grant, billing_app, tenant):
    response = ask()

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    body = response.json()
    assert set(body) == {"access_token", "scope", "expires_in", "token_type"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 86400, "read:appointments")
    claims = claims_of(body["access_token"], tenant)
    assert claims["iss"] == tenant.issuer
    assert claims["sub"] == f"{billing_app.client_id}@clients"
    assert claims["aud"] == "https://calendar.example/"
    assert claims["exp"] - claims["iat"] == 86400
    assert claims["gty"] == "client-credentials"
    assert claims["azp"] == billing_app.client_id


def test_the_header_names_a_published_key_and_nothing_to_fetch(ask, billing_grant, client):
    header = header_of(ask().json()["access_token"])

    assert set(header) == {"alg", "typ", "kid"}
    published = [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]
    assert header["kid"] in published


def test_without_scope_everything_granted_is_issued(ask, billing_grant, by):
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])

    assert ask().json()["scope"] == "read:appointments write:appointments"
    assert ask(scope="").json()["scope"] == "read:appointments write:appointments"


def test_a_scope_asked_for_is_the_only_one_issued(ask, billing_grant, by):
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])

    assert ask(scope="write:appointments").json()["scope"] == "write:appointments"
    assert ask(scope="write:appointments write:appointments").json()["scope"] == "write:appointments"


def test_a_grant_without_scopes_gives_a_token_without_scope(ask, billing_grant, by, tenant):
    update_client_grant(billing_grant, by, scopes=[])

    body = ask().json()

    assert set(body) == {"access_token", "expires_in", "token_type"}
    assert "scope" not in claims_of(body["access_token"], tenant)


@pytest.mark.parametrize(
    "scope",
    [
        "write:appointments",
        "read:appointments write:appointments",
        "READ:APPOINTMENTS",
        "read:*",
        "*",
        "openid",
        "offline_access",
        "read:appointments,write:appointments",
        "read:appointments\twrite:appointments",
        "delete:everything",
    ],
)
def test_a_scope_outside_the_grant_is_refused(ask, billing_grant, scope):
    response = ask(scope=scope)

    assert response.status_code == 403
    assert response.json()["error"] == "access_denied"
    assert response.json()["error_description"].startswith("Client has not been granted scopes: ")
    assert "access_token" not in response.json()


def test_an_application_without_a_grant_is_refused_with_a_log_id(ask, tenant):
    response = ask()

    assert response.status_code == 403
    body = response.json()
    assert body["error"] == "access_denied"
    assert body["error_description"].startswith("Client is not authorized to access 'https://calendar.example/'.")
    entry = tenant.log_entries.get(log_id=body["log_id"])
    assert entry.rule == "api.grant.required"
    assert [check["outcome"] for check in entry.checks][-4:] == ["failed", *["not_reached"] * 3]


@pytest.mark.parametrize(
    "audience",
    [
        "https://calendar.example",
        "https://calendar.example//",
        "https://Calendar.example/",
        "HTTPS://calendar.example/",
        "https://calendar.example/%2e",
        "https://calendar.example/.",
        "https://calendar.example:443/",
        "https://calendar.example/?",
        "https://calendar.example/#",
        "https://user@calendar.example/",
        "https://calendar.example/ https://calendar.example/",
        "https://calendar.example/,https://other.example/",
        " https://calendar.example/",
        "https://calendar.example/ ",
        "https://calendar.example/\t",
        "https://сalendar.example/",
        "https://calendar.example./",
        "https://calendar%2Eexample/",
        "http://calendar.example/",
        "//calendar.example/",
        "calendar.example",
        "*",
        '["https://calendar.example/"]',
        "x" * 5000,
    ],
)
def test_an_audience_is_compared_byte_for_byte(ask, billing_grant, audience):
    response = ask(audience=audience)

    assert response.status_code == 403
    assert response.json()["error"] == "access_denied"
    assert response.json()["error_description"].startswith("Service not enabled within domain: ")


def test_a_missing_audience_is_refused_in_auth0s_words(ask, billing_grant):
    response = ask(audience=None)

    assert response.status_code == 403
    assert response.json()["error_description"] == "Non-global clients are not allowed access to APIv1"


def test_the_tenants_default_audience_stands_in_for_a_missing_one(ask, billing_grant, tenant):
    tenant.default_audience = "https://calendar.example/"
    tenant.save()

    assert ask(audience=None).status_code == 200


def test_the_slash_makes_another_api(ask, billing_grant, tenant, by, billing_app):
    twin = create_api(tenant, by, name="Twin", identifier="https://calendar.example")
    assert ask(audience=twin.identifier).status_code == 403

    authorize_application(billing_app.row, twin, by)

    body = ask(audience=twin.identifier).json()
    assert claims_of(body["access_token"], tenant)["aud"] == "https://calendar.example"


def test_the_system_api_needs_a_grant_too(ask, billing_grant, tenant):
    assert ask(audience=f"{tenant.issuer}api/v2/").status_code == 403


def test_a_public_application_never_gets_a_token_for_itself(ask, spa_app, calendar_api):
    response = ask(client_id=spa_app.client_id, client_secret=None)

    assert response.status_code == 403
    assert response.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("secret", ["", "x", "null"])
def test_a_public_application_with_a_secret_is_not_a_client(ask, spa_app, secret):
    response = ask(client_id=spa_app.client_id, client_secret=secret or "0")

    assert response.status_code == 401


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_a_grant_type_the_application_lacks_is_refused(ask, billing_grant, grant_type):
    response = ask(grant_type=grant_type)

    assert response.status_code == 403
    assert response.json()["error"] == "unauthorized_client"
    assert response.json()["error_description"] == f"Grant type '{grant_type}' not allowed for the client."


@pytest.mark.parametrize("grant_type", ["password", "implicit", "urn:nope", "CLIENT_CREDENTIALS"])
def test_an_unknown_grant_type_is_unsupported(ask, billing_grant, grant_type):
    response = ask(grant_type=grant_type)

    assert response.status_code == 400
    assert response.json()["error"] == "unsupported_grant_type"


def test_a_missing_grant_type_is_named(ask):
    response = ask(grant_type=None)

    assert response.status_code == 400
    assert response.json()["error_description"] == "Missing required parameter: grant_type"


def test_an_api_may_refuse_all_machines(ask, billing_grant, calendar_api, by):
    update_api(calendar_api, by, client_policy="deny_all")

    assert ask().status_code == 403


def test_lifetime_follows_the_api(ask, billing_grant, calendar_api, by, tenant):
    update_api(calendar_api, by, token_lifetime=60, token_lifetime_for_web=60)

    body = ask().json()

    claims = claims_of(body["access_token"], tenant)
    assert body["expires_in"] == claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("dialect", TokenDialect.values)
@pytest.mark.parametrize("enforce", [True, False])
def test_each_dialect_has_its_claims(ask, billing_grant, calendar_api, by, tenant, billing_app, dialect, enforce):
    update_api(calendar_api, by, token_dialect=dialect, enforce_policies=enforce)

    token = ask().json()["access_token"]

    claims, rfc9068 = claims_of(token, tenant), dialect.startswith("rfc9068")
    assert header_of(token)["typ"] == ("at+jwt" if rfc9068 else "JWT")
    assert claims.get("client_id") == (billing_app.client_id if rfc9068 else None)
    assert claims.get("azp") == (None if rfc9068 else billing_app.client_id)
    assert claims.get("gty") == (None if rfc9068 else "client-credentials")
    assert ("permissions" in claims) == (dialect.endswith("_authz") and enforce)


def test_a_change_acts_on_the_next_request(ask, billing_grant, calendar_api, by, billing_app):
    assert ask().status_code == 200

    update_application(billing_app.row, by, enabled=False)
    assert ask().status_code == 401
    update_application(billing_app.row, by, enabled=True)
    assert ask().json()["scope"] == "read:appointments"
    delete_scope(calendar_api.scopes.get(value="read:appointments"), by)
    assert "scope" not in ask().json()
    deauthorize_application(billing_grant, by)
    assert ask().status_code == 403
    authorize_application(billing_app.row, calendar_api, by)
    assert ask().status_code == 200
    delete_api(calendar_api, by)
    assert ask().status_code == 403
    delete_application(billing_app.row, by)
    assert ask().status_code == 401


def test_an_expired_grant_gives_nothing(ask, billing_grant, by):
    import datetime

    update_client_grant(billing_grant, by, expires_at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))

    assert ask().status_code == 403


def test_all_scopes_also_future_ones(ask, billing_grant, calendar_api, by):
    from apis.operations import add_scopes

    update_client_grant(billing_grant, by, allow_all_scopes=True)
    add_scopes(calendar_api, by, [("cancel:appointments", "")])

    assert ask().json()["scope"] == "cancel:appointments read:appointments write:appointments"


def test_a_success_writes_nothing(ask, billing_grant, tenant):
    from audit.models import Event
    from tokens.models import AccessToken

    events = Event.objects.count()

    ask()

    assert AccessToken.objects.count() == tenant.log_entries.count() == 0
    assert Event.objects.count() == events


def test_every_token_is_another(ask, billing_grant, tenant):
    ids = {claims_of(ask().json()["access_token"], tenant)["jti"] for _ in range(5)}

    assert len(ids) == 5
