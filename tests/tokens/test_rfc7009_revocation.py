"""RFC 7009: an application ends a token of its own."""

import datetime
import json
import threading
import time
from urllib.parse import urlencode

import pytest
from django.db import Error, connection
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from accounts.versions import versions
from applications.operations import authorize_application, revoke_issued_to_application, update_application
from audit.models import Event
from tests.conftest import HOST, make_app
from tests.tokens.about_tokens import FORM, is_active, revoke, unverified
from tokens import memory, operations, revoked
from tokens.endpoints import revocation
from tokens.models import LogEntry, RevokedToken
from tokens.revoked import Revoked

WAY_OFF = int(time.time()) + 86_400


@pytest.fixture
def token(ask, billing_grant):
    return ask().json()["access_token"]


@pytest.fixture
def rival(tenant, calendar_api, by):
    app = make_app(tenant, by, name="Rival")
    authorize_application(app.row, calendar_api, by, scopes=["read:appointments"])
    return app


@pytest.fixture
def fresh_process():
    """Forget everything that a process remembers, as a restart does."""

    def forget():
        memory.forget()
        revoked.forget()
        versions.forget()

    return forget


def house_of(tenant):
    return versions.of(tenant.pk)


def test_a_revoked_token_is_active_no_more_and_others_are(token, ask, billing_app):
    other = ask().json()["access_token"]

    response = revoke(billing_app, token)

    assert (response.status_code, response.content) == (200, b"")
    assert not is_active(billing_app, token)
    assert is_active(billing_app, other)
    assert is_active(billing_app, ask().json()["access_token"])


def test_the_answer_is_not_to_be_kept(token, billing_app):
    response = revoke(billing_app, token)

    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_the_hint_changes_nothing(token, billing_app, hint):
    assert revoke(billing_app, token, token_type_hint=hint).status_code == 200
    assert not is_active(billing_app, token)


def test_a_json_body_does_as_well(token, billing_app):
    body = {"client_id": billing_app.client_id, "client_secret": billing_app.secret, "token": token}

    response = Client(HTTP_HOST=HOST).post("/oauth/revoke", json.dumps(body), content_type="application/json")

    assert response.status_code == 200
    assert not is_active(billing_app, token)


def test_twice_is_as_good_as_once(token, billing_app, tenant):
    assert [revoke(billing_app, token).status_code for _ in range(2)] == [200, 200]

    assert RevokedToken.objects.count() == 1
    assert Tenant.objects.get(pk=tenant.pk).revocations_version == 1


def test_a_token_of_another_application_is_left_alone(token, billing_app, rival):
    response = revoke(rival, token)

    assert (response.status_code, response.content) == (200, b"")
    assert is_active(billing_app, token)
    assert not RevokedToken.objects.exists()


def test_a_token_of_another_tenant_is_left_alone(token, billing_app, other_tenant, by):
    stranger = make_app(other_tenant, by, name="Stranger")

    assert revoke(stranger, token, host="other.example").status_code == 200
    assert revoke(billing_app, token, host="other.example").status_code == 401
    assert is_active(billing_app, token)


@pytest.mark.parametrize("text", ["x", "a.b.c", "8xLOxBtZp8", "A" * 60_000, "eyJhbGciOiJub25lIn0.e30.", "ü"])
def test_what_is_no_token_is_answered_like_one(billing_app, billing_grant, text):
    response = revoke(billing_app, text)

    assert (response.status_code, response.content) == (200, b"")
    assert not RevokedToken.objects.exists()


def test_a_token_whose_signature_does_not_hold_is_left_alone(token, billing_app):
    revoke(billing_app, token.rpartition(".")[0] + "." + "A" * 342)

    assert is_active(billing_app, token)


# Who may


def test_who_does_not_say_who_it_is_gets_401_and_ends_nothing(token, billing_app):
    response = revoke(None, token)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert is_active(billing_app, token)


def test_a_wrong_secret_gets_401_and_ends_nothing(token, billing_app):
    response = revoke(None, token, client_id=billing_app.client_id, client_secret="wrong")

    assert response.status_code == 401
    assert response.json() == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert is_active(billing_app, token)


def test_a_public_application_may_not(token, spa_app, billing_app):
    assert revoke(None, token, client_id=spa_app.client_id).status_code == 401
    assert revoke(None, token, client_id=billing_app.client_id).status_code == 401
    assert is_active(billing_app, token)


# Calls that are refused


def test_a_missing_token_is_told(billing_app, calendar_api):
    response = revoke(billing_app, None, token_type_hint="access_token")

    assert response.status_code == 400
    assert response.json()["error_description"] == "Missing required parameter: token"


def test_get_is_refused_and_there_is_no_callback(token, billing_app):
    response = Client(HTTP_HOST=HOST).get("/oauth/revoke", {"token": token, "callback": "f"})

    assert response.status_code == 405 and response["Allow"] == "POST"
    assert b"f(" not in response.content


def test_a_parameter_twice_is_refused(token, billing_app):
    body = urlencode({"client_id": billing_app.client_id, "client_secret": billing_app.secret})

    response = Client(HTTP_HOST=HOST).post("/oauth/revoke", f"{body}&token={token}&token=x", content_type=FORM)

    assert response.status_code == 400
    assert is_active(billing_app, token)


def test_a_browser_may_ask_first(billing_app, by, tenant):
    update_application(billing_app.row, by, allowed_origins="https://app.example")

    response = Client(HTTP_HOST=HOST).options("/oauth/revoke", headers={"origin": "https://app.example"})

    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "https://app.example"


def test_a_database_that_does_not_answer_is_told_and_never_called_success(token, billing_app, monkeypatch):
    def away(*args):
        raise Error

    # Stands in for a database that goes away between two statements.
    monkeypatch.setattr(revocation, "revoke_token", away)
    response = revoke(billing_app, token)

    assert response.status_code == 503 and response["Retry-After"]
    assert response.json()["error"] == "temporarily_unavailable"


def test_too_many_at_once_are_asked_to_come_again(token, billing_app):
    held = [revocation.WAITING.acquire(blocking=False) for _ in range(2)]
    try:
        response = revoke(billing_app, token)
    finally:
        for _ in held:
            revocation.WAITING.release()

    assert response.status_code == 503 and response["Retry-After"] == "1"
    assert not is_active(billing_app, token), "it is stored all the same"
    assert revoke(billing_app, token).status_code == 200


# What is stored


def test_a_revoked_token_is_kept_until_it_has_expired_and_a_minute(token, billing_app):
    revoke(billing_app, token)

    row = RevokedToken.objects.get()
    assert row.jti == unverified(token)["jti"]
    assert row.expires_at.timestamp() == unverified(token)["exp"] + 60


def test_traffic_writes_no_history_and_no_log(token, billing_app):
    events, entries = Event.objects.count(), LogEntry.objects.count()
    revoke(billing_app, token)

    assert (Event.objects.count(), LogEntry.objects.count()) == (events, entries)


def test_each_new_row_clears_away_a_few_that_have_expired(tenant):
    long_ago = timezone.now() - datetime.timedelta(days=1)
    RevokedToken.objects.bulk_create(
        RevokedToken(tenant=tenant, jti=f"old-{number}", expires_at=long_ago) for number in range(50)
    )

    operations.revoke_token(house_of(tenant), "new", WAY_OFF)
    assert RevokedToken.objects.count() == 31
    operations.revoke_token(house_of(tenant), "newer", WAY_OFF)
    operations.revoke_token(house_of(tenant), "newest", WAY_OFF)

    assert set(RevokedToken.objects.values_list("jti", flat=True)) == {"new", "newer", "newest"}


def test_one_revocation_throws_away_nothing_that_is_known_of_the_tenant(tenant):
    before = house_of(tenant)
    operations.revoke_token(before, "one", WAY_OFF)
    after = house_of(tenant)

    assert after.revocations == before.revocations + 1
    assert after.version == before.version


def test_the_same_token_is_another_one_elsewhere(tenant, other_tenant):
    assert operations.revoke_token(house_of(tenant), "same", WAY_OFF)
    assert operations.revoke_token(house_of(other_tenant), "same", WAY_OFF)
    assert not operations.revoke_token(house_of(tenant), "same", WAY_OFF)


# What a process keeps of it


def followed(tenant, kept):
    return kept.follow(house_of(tenant))


def test_what_is_added_is_read_and_nothing_twice(tenant, django_assert_num_queries):
    house = house_of(tenant)
    operations.revoke_token(house, "one", WAY_OFF)
    kept = followed(tenant, Revoked())
    assert kept.holds(house, "one") and not kept.holds(house, "two")

    operations.revoke_token(house, "two", WAY_OFF)
    now = house_of(tenant)
    with django_assert_num_queries(1):
        kept.follow(now)
    with django_assert_num_queries(0):
        assert kept.follow(now).holds(now, "two") and kept.holds(now, "one")


def test_a_reading_that_comes_late_changes_nothing(tenant, django_assert_num_queries):
    early = house_of(tenant)
    operations.revoke_token(early, "one", WAY_OFF)
    kept = followed(tenant, Revoked())

    with django_assert_num_queries(0):
        assert kept.follow(early).holds(early, "one")


def test_of_too_many_the_database_is_asked_and_none_is_forgotten(tenant):
    house = house_of(tenant)
    for number in range(5):
        operations.revoke_token(house, f"jti-{number}", WAY_OFF + number)

    kept = followed(tenant, Revoked(most=2))

    assert all(kept.holds(house, f"jti-{number}") for number in range(5))
    assert not kept.holds(house, "jti-5")


def test_what_has_expired_makes_room(tenant):
    house = house_of(tenant)
    soon = int(time.time()) - operations.CLOCKS_DIFFER + 1
    operations.revoke_token(house, "short", soon)
    kept = followed(tenant, Revoked(most=1))
    assert kept.holds(house, "short")

    time.sleep(1.1)
    operations.revoke_token(house, "long", WAY_OFF)

    assert followed(tenant, kept).holds(house, "long")


@pytest.mark.django_db(transaction=True)
def test_a_token_revoked_in_another_process_is_refused_here(token, billing_app, tenant):
    assert is_active(billing_app, token)

    def elsewhere():
        operations.revoke_token(house_of(tenant), unverified(token)["jti"], unverified(token)["exp"])
        connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert not is_active(billing_app, token)


@pytest.mark.django_db(transaction=True)
def test_one_token_revoked_many_times_at_once_is_stored_once(tenant):
    house, stored = house_of(tenant), []

    def once():
        stored.append(operations.revoke_token(house, "same", WAY_OFF))
        connection.close()

    threads = [threading.Thread(target=once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(stored) == [False] * 7 + [True]
    assert Tenant.objects.get(pk=tenant.pk).revocations_version == 1


@pytest.mark.django_db(transaction=True)
def test_revocation_survives_a_restart(token, billing_app, fresh_process):
    revoke(billing_app, token)
    fresh_process()

    assert not is_active(billing_app, token)


@pytest.mark.django_db(transaction=True)
def test_a_stamp_survives_a_restart(token, billing_app, by, fresh_process):
    revoke_issued_to_application(billing_app.row, by)
    fresh_process()

    assert not is_active(billing_app, token)


@pytest.mark.django_db(transaction=True)
def test_the_answer_waits_for_the_other_processes_of_a_server(token, billing_app, monkeypatch):
    monkeypatch.setattr(type(versions), "is_watched", True)
    began = time.monotonic()

    assert revoke(billing_app, token).status_code == 200
    waited = time.monotonic() - began

    assert waited >= 0.25


def test_both_are_advertised(client, tenant):
    said = client.get("/.well-known/oauth-authorization-server").json()

    for name in ("revocation", "introspection"):
        assert said[f"{name}_endpoint"].startswith(tenant.issuer)
        assert said[f"{name}_endpoint_auth_methods_supported"] == said["token_endpoint_auth_methods_supported"]
        assert said[f"{name}_endpoint_auth_signing_alg_values_supported"]
