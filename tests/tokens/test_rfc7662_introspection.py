"""RFC 7662: what a token is worth at this moment, and who is told."""

import datetime
import json
import time

import pytest
from django.test import Client
from django.utils import timezone

from accounts.versions import versions
from apis.operations import (
    add_scopes,
    create_api,
    delete_api,
    delete_scope,
    revoke_issued_for_api,
    rotate_signing_secret,
    update_api,
)
from applications.models import Application
from applications.operations import (
    authorize_application,
    deauthorize_application,
    delete_application,
    revoke_issued_to_application,
    revoke_issued_under_grant,
    update_application,
    update_client_grant,
)
from tests.conftest import HOST, make_app
from tests.tokens.about_tokens import INACTIVE, introspect, is_active, signed, soon, unverified, with_claims
from tokens import memory
from tokens.claims import MICROSECONDS, issued_at
from tokens.client_credentials import respond
from tokens.decision import ADMINISTRATOR
from tokens.facts import Authentication, Request
from tokens.introspection import MAY_INTROSPECT
from tokens.operations import revoke_signing_key, rotate_signing_keys

MEMBERS = {"active", "scope", "client_id", "token_type", "sub", "aud", "iss", "exp", "iat", "jti"}


@pytest.fixture
def token(ask, billing_grant):
    return ask().json()["access_token"]


@pytest.fixture
def api_app(tenant, calendar_api, by):
    """The calendar API's own application, which may ask about its tokens."""
    add_scopes(calendar_api, by, [(MAY_INTROSPECT, "Ask about every token")])
    app = make_app(tenant, by, name="Calendar API itself")
    authorize_application(app.row, calendar_api, by, scopes=[MAY_INTROSPECT])
    return app


@pytest.fixture
def rival(tenant, calendar_api, by):
    """Another application that may read the same calendar."""
    app = make_app(tenant, by, name="Rival")
    authorize_application(app.row, calendar_api, by, scopes=["read:appointments"])
    return app


# What is said


def test_an_active_token_is_described_and_nothing_more(token, billing_app, calendar_api, tenant):
    said = introspect(billing_app, token).json()

    claims = unverified(token)
    assert said.keys() == MEMBERS
    assert said["active"] is True and said["token_type"] == "Bearer"
    assert said["client_id"] == billing_app.client_id
    assert said["sub"] == f"{billing_app.client_id}@clients"
    assert said["aud"] == calendar_api.identifier and said["iss"] == tenant.issuer
    assert said["scope"] == "read:appointments"
    assert {name: said[name] for name in ("exp", "iat", "jti")} == {n: claims[n] for n in ("exp", "iat", "jti")}


def test_nobody_may_keep_the_answer(token, billing_app):
    response = introspect(billing_app, token)

    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES256", "EdDSA", "HS256"])
@pytest.mark.parametrize("dialect", ["access_token", "rfc9068_profile_authz"])
def test_every_algorithm_and_profile(ask, billing_app, tenant, by, alg, dialect):
    api = create_api(tenant, by, name=alg, identifier=f"urn:{alg}", signing_alg=alg, token_dialect=dialect)
    authorize_application(billing_app.row, api, by)

    said = introspect(billing_app, ask(audience=api.identifier).json()["access_token"]).json()

    assert said["active"] is True and said["client_id"] == billing_app.client_id
    assert "scope" not in said


def test_a_json_body_does_as_well(token, billing_app):
    body = {"client_id": billing_app.client_id, "client_secret": billing_app.secret, "token": token}

    response = Client(HTTP_HOST=HOST).post("/oauth/introspect", json.dumps(body), content_type="application/json")

    assert response.json()["active"] is True


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_the_hint_changes_nothing(token, billing_app, hint):
    assert introspect(billing_app, token, token_type_hint=hint).json()["active"] is True


def test_a_scope_that_was_taken_away_is_not_said_any_more(ask, billing_grant, billing_app, calendar_api, by):
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])
    token = ask().json()["access_token"]

    delete_scope(calendar_api.scopes.get(value="write:appointments"), by)

    assert introspect(billing_app, token).json()["scope"] == "read:appointments"


# Who is told


def test_the_apis_own_application_is_told(token, api_app):
    assert introspect(api_app, token).json()["scope"] == "read:appointments"


def test_another_application_is_told_nothing_even_of_the_same_api(token, rival):
    assert introspect(rival, token).content == INACTIVE


def test_asking_is_granted_per_api(ask, billing_app, api_app, tenant, by):
    orders = create_api(tenant, by, name="Orders", identifier="urn:orders")
    add_scopes(orders, by, [(MAY_INTROSPECT, "")])
    authorize_application(billing_app.row, orders, by)
    token = ask(audience="urn:orders").json()["access_token"]

    assert introspect(api_app, token).content == INACTIVE
    assert introspect(billing_app, token).json()["active"] is True


def test_a_grant_that_has_expired_lets_nobody_ask(token, api_app, by):
    grant = api_app.row.client_grants.get()
    update_client_grant(grant, by, expires_at=timezone.now() - datetime.timedelta(seconds=1))

    assert introspect(api_app, token).content == INACTIVE


def test_another_tenant_is_told_nothing(token, billing_app, other_tenant, by):
    stranger = make_app(other_tenant, by, name="Stranger")
    api = create_api(other_tenant, by, name="Twin", identifier="https://calendar.example/")
    add_scopes(api, by, [(MAY_INTROSPECT, "")])
    authorize_application(stranger.row, api, by, allow_all_scopes=True)

    assert introspect(stranger, token, host="other.example").content == INACTIVE
    assert introspect(stranger, token).status_code == 401
    assert introspect(billing_app, token, host="other.example").status_code == 401


def test_who_does_not_say_who_it_is_gets_401(token):
    response = introspect(None, token)

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response["WWW-Authenticate"].startswith("Basic ")


def test_wrong_credentials_are_answered_as_at_the_token_endpoint(token, billing_app, ask):
    wrong = introspect(None, token, client_id=billing_app.client_id, client_secret="wrong")
    unknown = introspect(None, token, client_id="nobody", client_secret="wrong")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.json()["error"] == ask(client_secret="wrong").json()["error"]


def test_guessing_is_slowed_down_and_locks_nobody_out(token, billing_app):
    guesses = [introspect(None, token, client_id=billing_app.client_id, client_secret="wrong") for _ in range(25)]

    assert (guesses[0].status_code, guesses[-1].status_code) == (401, 429)
    assert guesses[-1]["Retry-After"]
    assert introspect(billing_app, token).json()["active"] is True


def test_a_public_application_may_not_ask(token, spa_app):
    assert introspect(None, token, client_id=spa_app.client_id).status_code == 401


def test_an_application_that_is_switched_off_may_not_ask(token, billing_app, by):
    update_application(billing_app.row, by, enabled=False)

    assert introspect(billing_app, token).status_code == 401


# Calls that are refused


def test_get_is_refused(token, billing_app):
    response = Client(HTTP_HOST=HOST).get("/oauth/introspect", {"token": token})

    assert response.status_code == 405 and response["Allow"] == "POST"


def test_the_token_may_not_stand_in_the_address(token, billing_app):
    body = {"client_id": billing_app.client_id, "client_secret": billing_app.secret}

    response = Client(HTTP_HOST=HOST).post(f"/oauth/introspect?token={token}", body)

    assert response.status_code == 400


def test_a_missing_token_is_told(billing_app, calendar_api):
    response = introspect(billing_app, None, token_type_hint="access_token")

    assert response.status_code == 400
    assert response.json() == {"error": "invalid_request", "error_description": "Missing required parameter: token"}


def test_a_token_longer_than_any_of_ours_is_not_even_read(billing_app, calendar_api):
    assert introspect(billing_app, "x" * 70_000).status_code == 400


def test_browsers_may_call_from_registered_origins_only(token, billing_app, by):
    update_application(billing_app.row, by, allowed_origins="https://app.example")

    ours = introspect(billing_app, token, headers={"origin": "https://app.example"})
    foreign = introspect(billing_app, token, headers={"origin": "https://evil.example"})

    assert ours["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in foreign
    assert "Access-Control-Allow-Credentials" not in ours


# What is not a token of ours


GARBAGE = [
    "x",
    "a.b.c",
    "....",
    "{}",
    "ü.ü.ü",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL2NhbGVuZGFyLmV4YW1wbGUvIn0.",
    "A" * 60_000,
    "\x00",
    "W10.W10.W10",
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_inactive(billing_app, billing_grant, text):
    response = introspect(billing_app, text)

    assert response.status_code == 400 if "\x00" in text else response.content == INACTIVE


@pytest.mark.parametrize(
    "change",
    [
        {"exp": soon() + 86_400 * 20},
        {"scope": "write:appointments"},
        {"aud": "urn:other"},
        {"aud": "nul\0"},
        {"aud": "\ud800"},
        {"aud": ["https://calendar.example/"]},
        {"aud": {"x": 1}},
        {"sub": "somebody"},
    ],
    ids=repr,
)
def test_a_changed_token_is_inactive(token, billing_app, change):
    assert not is_active(billing_app, with_claims(token, **change))


def test_a_token_that_is_cut_short_is_inactive(token, billing_app):
    assert not is_active(billing_app, token[:-4])
    assert not is_active(billing_app, token.rpartition(".")[0] + ".")


@pytest.fixture
def forge(ask, tenant, billing_app, by):
    """Sign claims of an HS256 API with its own secret; keyword arguments change or (None) leave out a claim."""
    api = create_api(tenant, by, name="Legacy", identifier="urn:legacy", signing_alg="HS256")
    authorize_application(billing_app.row, api, by)
    genuine = unverified(ask(audience="urn:legacy").json()["access_token"])

    def forge(header=None, secret=None, **changes):
        claims = {name: value for name, value in {**genuine, **changes}.items() if value is not None}
        return signed(secret or api.reveal_signing_secret(), header, **claims)

    return forge


def test_a_token_like_ours_made_with_the_apis_secret_is_one(forge, billing_app):
    assert is_active(billing_app, forge())


@pytest.mark.parametrize(
    "change",
    [
        {"exp": int(time.time()) - 1},
        {"exp": soon() + 40 * 86_400},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e308},
        {"iat": None},
        {"iat": -1},
        {"iat": 0.5},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": "a\0b"},
        {"jti": 7},
        {"jti": ["x"]},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"aud": "https://calendar.example/"},
        {"azp": "nobody"},
        {"azp": "nul\0", "sub": "nul\0@clients"},
        {"azp": 7, "sub": "7@clients"},
        {"sub": "auth0|ada"},
        {"sub": None},
    ],
    ids=repr,
)
def test_a_token_that_is_not_like_ours_is_inactive(forge, billing_app, change):
    assert not is_active(billing_app, forge(**change))


@pytest.mark.parametrize(
    "header",
    [{"typ": "JOSE"}, {"kid": "x"}, {"kid": ["x"]}, {"crit": ["exp"]}, {"jku": "https://evil.example/"}],
    ids=repr,
)
def test_a_header_that_is_not_like_ours_is_inactive(forge, billing_app, header):
    assert not is_active(billing_app, forge(header=header))


def test_another_secret_does_not_sign(forge, billing_app):
    assert not is_active(billing_app, forge(secret="x" * 64))


def test_a_published_key_is_no_secret(token, billing_app, tenant, forge):
    public = tenant.signing_keys.get(alg="RS256", state="current").public_jwk

    for secret in (json.dumps(public), public["n"], public["kid"]):
        assert not is_active(billing_app, forge(secret=secret, aud="https://calendar.example/"))
        assert not is_active(billing_app, forge(secret=secret, header={"kid": public["kid"]}))


# What ends a token


def ends(what):
    return pytest.mark.parametrize("end", what, ids=lambda end: end.__name__)


def application_revoked(w, by):
    revoke_issued_to_application(w["app"], by)


def grant_revoked(w, by):
    revoke_issued_under_grant(w["grant"], by)


def api_revoked(w, by):
    revoke_issued_for_api(w["api"], by)


def application_switched_off(w, by):
    update_application(w["app"], by, enabled=False)


def application_deleted(w, by):
    delete_application(w["app"], by)


def api_deleted(w, by):
    delete_api(w["api"], by)


def api_closed(w, by):
    update_api(w["api"], by, client_policy="deny_all")


def authorization_ended(w, by):
    deauthorize_application(w["grant"], by)


def authorization_expired(w, by):
    update_client_grant(w["grant"], by, expires_at=timezone.now())


def key_revoked(w, by):
    tenant = w["api"].tenant
    rotate_signing_keys(tenant, by, emergency=True)
    revoke_signing_key(tenant.signing_keys.get(alg="RS256", state="previous"), by)


@ends(
    [
        application_revoked,
        grant_revoked,
        api_revoked,
        application_switched_off,
        application_deleted,
        api_closed,
        authorization_ended,
        authorization_expired,
        key_revoked,
    ]
)
def test_a_token_ends_with_what_it_rests_on(end, token, api_app, billing_app, billing_grant, calendar_api, by):
    assert is_active(api_app, token)

    end({"app": billing_app.row, "grant": billing_grant, "api": calendar_api}, by)

    assert not is_active(api_app, token)


def test_a_token_ends_with_its_api_also_when_another_takes_its_identifier(token, ask, billing_app, calendar_api, by):
    tenant, identifier = calendar_api.tenant, calendar_api.identifier
    delete_api(calendar_api, by)
    assert not is_active(billing_app, token)

    again = create_api(tenant, by, name="Calendar API", identifier=identifier)
    authorize_application(billing_app.row, again, by)

    assert not is_active(billing_app, token)
    assert is_active(billing_app, ask().json()["access_token"])


def test_a_token_stays_revoked_when_its_authorization_comes_back(
    token, ask, billing_app, billing_grant, calendar_api, by
):
    revoke_issued_under_grant(billing_grant, by)
    deauthorize_application(billing_grant, by)
    authorize_application(billing_app.row, calendar_api, by, scopes=["read:appointments"])

    assert not is_active(billing_app, token)
    assert is_active(billing_app, ask().json()["access_token"])


def test_revoking_under_one_authorization_leaves_the_others_alone(ask, token, rival, billing_app, billing_grant, by):
    theirs = ask(client_id=rival.client_id, client_secret=rival.secret).json()["access_token"]

    revoke_issued_under_grant(billing_grant, by)

    assert not is_active(billing_app, token)
    assert is_active(rival, theirs)


def test_a_rotated_key_still_vouches_for_its_tokens(token, billing_app, tenant, by):
    rotate_signing_keys(tenant, by, emergency=True)

    assert is_active(billing_app, token)


def test_a_rotated_secret_ends_the_tokens_of_an_hs256_api(forge, billing_app, tenant, by):
    before = forge()
    rotate_signing_secret(tenant.apis.get(identifier="urn:legacy"), by)

    assert not is_active(billing_app, before)


# The moment of a stamp


@ends([application_revoked, grant_revoked, api_revoked])
def test_within_one_second_what_is_older_is_revoked_and_what_is_newer_is_not(
    end, ask, billing_app, billing_grant, calendar_api, by
):
    world = {"app": billing_app.row, "grant": billing_grant, "api": calendar_api}
    # Long before the second ends, so that all of it happens within one.
    time.sleep(1 - time.time() % 1)
    before = ask().json()["access_token"]
    end(world, by)
    after = ask().json()["access_token"]

    assert not is_active(billing_app, before)
    assert is_active(billing_app, after)
    assert unverified(after)["iat"] <= time.time(), "no token is dated in the future"


def test_a_clock_that_is_behind_issues_tokens_that_live(billing_app, billing_grant, calendar_api, tenant, by):
    """The machine that revoked is an hour ahead of the one that issues."""
    ahead = timezone.now() + datetime.timedelta(hours=1)
    Application.objects.filter(pk=billing_app.row.pk).update(not_before=ahead)
    revoke_issued_for_api(calendar_api, by)
    request = Request(billing_app.client_id, calendar_api.identifier, None, Authentication(ADMINISTRATOR, True, ""))

    issued = respond(memory.now(tenant), request).token

    assert is_active(billing_app, issued)


def test_a_clock_that_was_set_back_revives_nothing(token, billing_app, by):
    ahead = timezone.now() + datetime.timedelta(hours=1)
    Application.objects.filter(pk=billing_app.row.pk).update(not_before=ahead)

    revoke_issued_to_application(billing_app.row, by)

    assert Application.objects.get(pk=billing_app.row.pk).not_before == ahead


def test_a_token_says_to_the_microsecond_when_it_was_issued(ask, billing_grant):
    before = int(time.time() * MICROSECONDS)
    claims = unverified(ask().json()["access_token"])

    assert before <= issued_at(claims) <= int(time.time() * MICROSECONDS)
    assert issued_at(claims) // MICROSECONDS == claims["iat"]


@pytest.mark.parametrize("jti", ["Yw3x", "x.12345", "x.1234567", "123456", "x.12345६", None])
def test_a_token_that_does_not_say_so_counts_as_the_beginning_of_its_second(jti):
    assert issued_at({"iat": 1_800_000_000, "jti": jti}) == 1_800_000_000 * MICROSECONDS


# What it costs


@pytest.mark.django_db(transaction=True)
def test_it_costs_no_query(token, api_app, rival, monkeypatch, django_assert_num_queries):
    asked = [(api_app, token), (rival, token), (rival, "garbage"), (rival, with_claims(token, aud="urn:unknown"))]
    for app, text in asked:
        introspect(app, text)
    versions.at(HOST)
    # As in a process whose watcher has just looked.
    monkeypatch.setattr(type(versions), "is_watched", True)
    monkeypatch.setattr("accounts.versions.BOUND", 60)

    with django_assert_num_queries(0):
        answers = [introspect(app, text).json()["active"] for app, text in asked]

    assert answers == [True, False, False, False]
