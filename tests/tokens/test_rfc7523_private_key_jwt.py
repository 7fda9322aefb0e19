"""RFC 7523 §2.2 and §3 over HTTP: a client that signs its requests."""

import base64
import hashlib
import hmac
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from applications.operations import add_credential, authorize_application, set_authentication_method
from applications.public_keys import public_jwk_from_pem
from tests.conftest import make_app

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
KEYS["PS256"] = KEYS["RS384"] = KEYS["RS256"]


def pem_of(key):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def signing_app(request, tenant, by, calendar_api):
    """An application that signs with the algorithm of the test's parameter, RS256 if there is none."""
    alg = getattr(request, "param", "RS256")
    app = make_app(tenant, by, name="Signer", app_type="non_interactive")
    add_credential(app.row, by, public_jwk_from_pem(pem_of(KEYS[alg]), alg))
    set_authentication_method(app.row, by, "private_key_jwt")
    authorize_application(app.row, calendar_api, by, scopes=["read:appointments"])
    app.alg = alg
    return app


@pytest.fixture
def sign(signing_app, tenant):
    def sign(key=None, alg=None, headers=None, **changes):
        now = int(time.time())
        claims = {
            "iss": signing_app.client_id,
            "sub": signing_app.client_id,
            "aud": tenant.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": uuid.uuid4().hex,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        alg = alg or signing_app.alg
        return jwt.encode(claims, key or KEYS[signing_app.alg], algorithm=alg, headers=headers)

    return sign


@pytest.fixture
def present(ask, signing_app):
    def present(assertion, **changes):
        return ask(
            **{
                "client_id": signing_app.client_id,
                "client_secret": None,
                "client_assertion": assertion,
                "client_assertion_type": TYPE,
            }
            | changes
        )

    return present


@pytest.mark.parametrize("signing_app", ["RS256", "RS384", "PS256", "ES256", "EdDSA"], indirect=True)
def test_a_signed_assertion_gets_a_token(present, sign):
    assert present(sign()).status_code == 200


def test_the_client_id_may_be_only_in_the_assertion(present, sign):
    assert present(sign(), client_id=None).status_code == 200


def test_the_audience_may_be_the_issuer_without_slash_or_the_endpoint(present, sign, tenant):
    bare = tenant.issuer.rstrip("/")

    for audience in (bare, f"{bare}/", f"{bare}/oauth/token", [tenant.issuer]):
        assert present(sign(aud=audience)).status_code == 200


def test_an_assertion_works_once(present, sign):
    assertion = sign()

    assert present(assertion).status_code == 200
    assert present(assertion).status_code == 401


def test_an_assertion_that_was_refused_for_another_reason_is_not_used_up(present, sign):
    assertion = sign()

    assert present(assertion, audience="https://unknown.example/").status_code == 403
    assert present(assertion).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"aud": "https://evil.example/"},
        {"aud": None},
        {"exp": None},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 86400},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"jti": None},
        {"jti": "x" * 500},
        {"iss": None},
    ],
)
def test_a_wrong_claim_is_refused(present, sign, changes):
    response = present(sign(**changes))

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


def test_another_key_is_refused(present, sign):
    assert present(sign(key=rsa.generate_private_key(65537, 2048))).status_code == 401


def test_a_symmetric_or_missing_signature_is_refused(present, sign, signing_app):
    # What a forger knows: the public key, here as the secret of an HMAC (RFC 8725 §2.1).
    public = pem_of(KEYS["RS256"]).encode()
    forged = forge(sign(), "HS256", lambda message: hmac.digest(public, message, hashlib.sha256))

    assert present(forged).status_code == 401
    assert present(forge(sign(), "none", lambda message: b"")).status_code == 401


def forge(assertion, alg, signature):
    """Return the assertion's claims under another header and signature."""

    def encode(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    message = encode(json.dumps({"alg": alg}).encode()) + b"." + assertion.split(".")[1].encode()
    return (message + b"." + encode(signature(message))).decode()


def test_such_a_client_has_no_secret_any_more(ask, signing_app):
    assert ask(client_id=signing_app.client_id, client_secret=signing_app.secret).status_code == 401


def test_a_client_with_a_secret_cannot_sign(ask, billing_app, billing_grant, sign):
    response = ask(
        client_secret=None,
        client_assertion=sign(iss=billing_app.client_id, sub=billing_app.client_id),
        client_assertion_type=TYPE,
    )

    assert response.status_code == 401


@pytest.mark.parametrize("assertion", ["garbage", "a.b.c", "x" * 5000, "eyJhbGciOiJub25lIn0.e30."])
def test_garbage_is_refused(present, assertion):
    assert present(assertion).status_code == 401


def test_the_trace_says_why(present, sign, tenant):
    log_id = present(sign(aud="https://evil.example/")).json()["log_id"]

    failed = next(c for c in tenant.log_entries.get(log_id=log_id).checks if c["outcome"] == "failed")
    assert failed["detail"].startswith("aud is neither")


@pytest.mark.django_db(transaction=True)
def test_one_jti_used_at_once_wins_once(present, sign):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    assertion = sign()

    def once(_):
        try:
            return present(assertion).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(once, range(100)))

    assert statuses.count(200) == 1
    # So many wrong credentials are slowed down after a while.
    assert len(statuses) == 100 and set(statuses) <= {200, 401, 429}
