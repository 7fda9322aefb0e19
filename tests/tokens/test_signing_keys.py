"""Keys turn next → current → previous without one failed verification, and are sealed at rest."""

import datetime

import jwt
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apis.models import SigningAlgorithm
from apis.operations import create_api
from applications.operations import authorize_application
from tests.reading import claims_of, header_of, published_keys
from tokens.models import KeyState, SigningKey
from tokens.operations import JWKS_MAX_AGE, ensure_signing_keys, revoke_signing_key, rotate_signing_keys

ASYMMETRIC = [alg for alg in SigningAlgorithm.values if alg != "HS256"]


def later(seconds=JWKS_MAX_AGE + 1):
    return timezone.now() + datetime.timedelta(seconds=seconds)


def verifies(token, jwks):
    try:
        key = jwt.PyJWKSet.from_dict(jwks)[header_of(token)["kid"]]
    except KeyError:
        return False
    return bool(jwt.decode(token, key, algorithms=[header_of(token)["alg"]], options={"verify_aud": False}))


def test_a_tenant_is_born_with_a_current_and_a_next_rsa_key(tenant):
    states = list(SigningKey.objects.filter(tenant=tenant).values_list("alg", "state").order_by("state"))

    assert states == [("RS256", "current"), ("RS256", "next")]
    assert [key["kty"] for key in published_keys(tenant)["keys"]] == ["RSA", "RSA"]


def test_rotation_fails_no_verifier(ask, billing_grant, tenant, by):
    """Verifiers that fetched before, that fetch after, and tokens of before and after: all four pairs hold."""
    before, old_token = published_keys(tenant), ask().json()["access_token"]

    rotate_signing_keys(tenant, by, now=later())

    after, new_token = published_keys(tenant), ask().json()["access_token"]
    assert header_of(old_token)["kid"] != header_of(new_token)["kid"]
    for token in (old_token, new_token):
        for jwks in (before, after):
            assert verifies(token, jwks)


def test_many_rotations_under_a_verifier_that_caches(ask, billing_grant, tenant, by):
    """One verifier keeps its copy of the keys for as long as it may; rotations come as fast as they are allowed."""
    cached, tokens, now = published_keys(tenant), [], timezone.now()

    for _ in range(4):
        tokens.append(ask().json()["access_token"])
        assert verifies(tokens[-1], cached)
        now += datetime.timedelta(seconds=JWKS_MAX_AGE + 1)
        rotate_signing_keys(tenant, by, now=now)
        tokens.append(ask().json()["access_token"])
        assert verifies(tokens[-1], cached)
        cached = published_keys(tenant)

    assert all(verifies(token, cached) for token in tokens)


def test_a_key_that_nobody_could_have_fetched_does_not_sign_yet(tenant, by):
    with pytest.raises(ValidationError) as refused:
        rotate_signing_keys(tenant, by)

    assert refused.value.code == "too_soon"
    assert rotate_signing_keys(tenant, by, emergency=True)


def test_a_revoked_key_leaves_the_jwks(ask, billing_grant, tenant, by):
    token = ask().json()["access_token"]
    rotate_signing_keys(tenant, by, emergency=True)
    old = SigningKey.objects.get(tenant=tenant, kid=header_of(token)["kid"])

    revoke_signing_key(old, by)

    assert not verifies(token, published_keys(tenant))
    old.refresh_from_db()
    assert old.private_jwk == ""


@pytest.mark.parametrize("state", [KeyState.CURRENT, KeyState.NEXT])
def test_only_a_previous_key_can_be_revoked(tenant, by, state):
    with pytest.raises(ValidationError):
        revoke_signing_key(SigningKey.objects.get(tenant=tenant, state=state), by)


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_an_api_brings_the_keys_it_needs(ask, billing_app, tenant, by, alg):
    api = create_api(tenant, by, name=alg, identifier=f"https://{alg.lower()}.example/", signing_alg=alg)
    authorize_application(billing_app.row, api, by)

    token = ask(audience=api.identifier).json()["access_token"]

    assert header_of(token)["alg"] == alg
    assert claims_of(token, tenant, audience=api.identifier)
    published = {key["kid"]: key["alg"] for key in published_keys(tenant)["keys"]}
    assert published[header_of(token)["kid"]] == alg


def test_keys_are_made_once(tenant, by):
    assert ensure_signing_keys(tenant, "ES256", by) is True
    assert ensure_signing_keys(tenant, "ES256", by) is False
    assert SigningKey.objects.filter(tenant=tenant, alg="ES256").count() == 2


def test_an_hs256_api_signs_with_its_own_secret_and_publishes_nothing(ask, billing_app, tenant, by):
    api = create_api(tenant, by, name="Legacy", identifier="legacy", signing_alg="HS256")
    authorize_application(billing_app.row, api, by)

    token = ask(audience="legacy").json()["access_token"]

    secret = api.reveal_signing_secret()
    assert jwt.decode(token, secret, algorithms=["HS256"], audience="legacy")
    assert "kid" not in header_of(token)
    assert secret not in str(published_keys(tenant))
    for wrong in (billing_app.secret, api.id, "legacy", "0" * 64):
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, wrong.ljust(32, "x"), algorithms=["HS256"], audience="legacy")


def test_private_keys_are_sealed_at_rest(tenant):
    for key in SigningKey.objects.filter(tenant=tenant):
        assert key.private_jwk.startswith("eyJ") and key.private_jwk.count(".") == 4
        assert '"d"' not in key.private_jwk and "PRIVATE" not in key.private_jwk
        assert "d" not in key.public_jwk


def test_the_private_key_of_another_row_does_not_open(tenant):
    from accounts.sealing import CannotUnseal

    one, two = SigningKey.objects.filter(tenant=tenant)[:2]
    one.private_jwk = two.private_jwk

    with pytest.raises(CannotUnseal):
        one.reveal_private_jwk()


def test_two_first_requests_for_an_algorithm_make_one_pair(tenant, by):
    from django.db import IntegrityError, transaction

    ensure_signing_keys(tenant, "ES256", by)

    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        from tokens.operations import _new_key

        _new_key(tenant, "ES256", KeyState.CURRENT)
