"""Other people's libraries, given only the issuer's address: they accept every good token and refuse ten bad kinds.

The server is a real one on a port of this machine; keys are found through discovery, as an API would find them.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time
from pathlib import Path

import jwt
import pytest
import requests
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError as AuthlibError
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import errors as joserfc_errors
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

from apis.operations import create_api
from applications.operations import authorize_application
from tests.conftest import make_app
from tests.live import base64url
from tokens.access_tokens import Signer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864"),
]
AUDIENCE = "https://calendar.example/"
STRANGER = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def world(live_tenant, by, request):
    """A live tenant with one API of the test's algorithm and an application authorized for it."""
    alg = request.param
    api = create_api(live_tenant, by, name="Calendar", identifier=AUDIENCE, signing_alg=alg)
    app = make_app(live_tenant, by, name="Billing")
    authorize_application(app.row, api, by, allow_all_scopes=True)
    answer = requests.post(
        f"{live_tenant.issuer}oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "audience": AUDIENCE,
        },
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    return live_tenant, alg, answer.json()["access_token"]


def bad_tokens(tenant, alg, good):
    """Return ten kinds of tokens that must not pass, by name; some signed with the tenant's own key."""
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in good.split(".")[:2])
    key = tenant.signing_keys.get(kid=header["kid"])
    signer = Signer.from_jwk(key.reveal_private_jwk(), alg, key.kid)
    stranger = {"kid": header["kid"]}
    now = int(time.time())
    first, payload, signature = good.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    message = f"{base64url({'alg': 'HS256', 'typ': 'JWT', 'kid': key.kid})}.{payload}"
    mac = hmac.digest(json.dumps(key.public_jwk).encode(), message.encode(), hashlib.sha256)
    return {
        "expired": signer.sign(claims | {"iat": now - 7200, "exp": now - 3600}),
        "not yet valid": signer.sign(claims | {"nbf": now + 3600}),
        "wrong issuer": signer.sign(claims | {"iss": "https://evil.example/"}),
        "wrong audience": signer.sign(claims | {"aud": "https://other.example/"}),
        "issuer without slash": signer.sign(claims | {"iss": tenant.issuer.rstrip("/")}),
        "tampered claims": f"{first}.{base64url(claims | {'scope': 'admin'})}.{signature}",
        "tampered signature": f"{first}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}",
        "another key under our kid": jwt.encode(claims, STRANGER, algorithm="RS256", headers=stranger),
        "an unknown kid": jwt.encode(claims, STRANGER, algorithm="RS256", headers={"kid": "nobody"}),
        "alg none": f"{base64url({'alg': 'none', 'typ': 'JWT', 'kid': key.kid})}.{payload}.",
        "the public key as HMAC secret": f"{message}.{base64url(mac)}",
        "no signature": f"{first}.{payload}.",
    }


def metadata_of(issuer):
    return requests.get(f"{issuer}.well-known/openid-configuration", timeout=20).json()


def with_pyjwt(issuer, alg, token):
    document = metadata_of(issuer)
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token)
    jwt.decode(token, key, algorithms=[alg], audience=AUDIENCE, issuer=document["issuer"])


def with_authlib(issuer, alg, token):
    document = metadata_of(issuer)
    keys = JsonWebKey.import_key_set(requests.get(document["jwks_uri"], timeout=20).json())
    options = {"iss": {"essential": True, "value": document["issuer"]}, "aud": {"essential": True, "value": AUDIENCE}}
    JsonWebToken([alg]).decode(token, keys, claims_options=options).validate()


def with_joserfc(issuer, alg, token):
    document = metadata_of(issuer)
    keys = joserfc_jwk.KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=20).json())
    decoded = joserfc_jwt.decode(token, keys, algorithms=[alg])
    joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": document["issuer"]}, aud={"essential": True, "value": AUDIENCE}
    ).validate(decoded.claims)


LIBRARIES = {
    "PyJWT": (with_pyjwt, (jwt.PyJWTError,)),
    "Authlib": (with_authlib, (AuthlibError, ValueError)),
    "joserfc": (with_joserfc, (joserfc_errors.JoseError, ValueError)),
}
ALGORITHMS = ["RS256", "RS512", "PS256", "ES256", "EdDSA"]


@pytest.mark.parametrize("world", ALGORITHMS, indirect=True)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_good_token_is_accepted_and_bad_ones_refused(world, library):
    tenant, alg, good = world
    verify, refusals = LIBRARIES[library]

    verify(tenant.issuer, alg, good)

    for name, token in bad_tokens(tenant, alg, good).items():
        with pytest.raises(refusals):
            verify(tenant.issuer, alg, token)
            pytest.fail(f"{library} accepted: {name}")


@pytest.mark.node
@pytest.mark.parametrize("world", ALGORITHMS, indirect=True)
def test_jose_for_node_agrees(world, node_modules, tmp_path):
    tenant, alg, good = world
    script = tmp_path / "verify.mjs"
    script.write_text((Path(__file__).parent / "verify.mjs").read_text())
    (tmp_path / "node_modules").symlink_to(node_modules)
    tokens = {"good": good} | bad_tokens(tenant, alg, good)
    question = {"issuer": tenant.issuer, "audience": AUDIENCE, "algorithm": alg, "tokens": tokens}

    run = subprocess.run(
        [os.environ["GATEHOUSE_NODE"], str(script)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    answers = json.loads(run.stdout)
    assert answers.pop("good") == "accepted"
    assert len(answers) >= 10 and "accepted" not in answers.values()
