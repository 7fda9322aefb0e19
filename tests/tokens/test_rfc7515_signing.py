"""What we sign is read by four libraries that we did not write, and they refuse what we did not sign."""

import base64
import hashlib
import hmac
import json
import time
import warnings

import joserfc.jwk
import joserfc.jwt
import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto import jwk
from jwcrypto import jwt as jwcrypto_jwt

from tokens.access_tokens import ASYMMETRIC, Signer

with warnings.catch_warnings(record=True):
    # Authlib is moving this module to joserfc and says so on import; both are in use out there.
    import authlib.jose

# RFC 9864 gives EdDSA a second name; the libraries our clients have know the first.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")

SECRET = "s9dKw1Zr4Qm7Xc2Tb8Vn5Lh3Pf6Gj0Ya-é"
ALGORITHMS = (*ASYMMETRIC, "HS256")
NOW = int(time.time())
CLAIMS = {
    "iss": "https://acme.example/",
    "sub": "billing@clients",
    "aud": "https://calendar.example/ü",
    "iat": NOW,
    "exp": NOW + 86400,
    "scope": "read:events write:events",
}


def encoded(members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def read_with_jwcrypto(token, key, alg):
    found = jwcrypto_jwt.JWT(jwt=token, key=jwk.JWK(**key), algs=[alg], expected_type="JWS")
    return json.loads(found.claims)


def read_with_pyjwt(token, key, alg):
    return pyjwt.decode(token, pyjwt.PyJWK(key, alg), algorithms=[alg], audience=CLAIMS["aud"])


def read_with_authlib(token, key, alg):
    claims = authlib.jose.JsonWebToken([alg]).decode(token, authlib.jose.JsonWebKey.import_key(key))
    claims.validate()
    return dict(claims)


def read_with_joserfc(token, key, alg):
    return joserfc.jwt.decode(token, joserfc.jwk.import_key(key), algorithms=[alg]).claims


readers = pytest.mark.parametrize("read", [read_with_jwcrypto, read_with_pyjwt, read_with_authlib, read_with_joserfc])
algorithms = pytest.mark.parametrize("alg", ALGORITHMS)


@pytest.fixture
def signer(pairs, alg):
    return Signer.for_secret(SECRET) if alg == "HS256" else Signer.from_jwk(pairs[alg].private, alg)


@pytest.fixture
def key(pairs, alg):
    return _oct(SECRET) if alg == "HS256" else pairs[alg].public


@pytest.fixture
def other_key(other_pairs, alg):
    return _oct(SECRET[::-1]) if alg == "HS256" else other_pairs[alg].public


def _oct(secret):
    return {"kty": "oct", "k": base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()}


@readers
@algorithms
def test_a_token_is_read_by_any_library(read, signer, key, alg):
    assert read(signer.sign(CLAIMS), key, alg) == CLAIMS


@readers
@algorithms
def test_a_token_of_the_rfc9068_profile_is_read_by_any_library(read, signer, key, alg):
    assert read(signer.sign(CLAIMS, typ="at+jwt"), key, alg) == CLAIMS


@readers
@algorithms
def test_another_key_of_the_same_algorithm_does_not_verify(read, signer, other_key, alg):
    token = signer.sign(CLAIMS)

    with pytest.raises(Exception, match=r"(?i)signature|verification"):
        read(token, other_key, alg)


@readers
@algorithms
def test_a_changed_payload_does_not_verify(read, signer, key, alg):
    header, _payload, signature = signer.sign(CLAIMS).split(".")
    forged = f"{header}.{encoded({**CLAIMS, 'scope': 'delete:events'})}.{signature}"

    with pytest.raises(Exception, match=r"(?i)signature|verification"):
        read(forged, key, alg)


@readers
@algorithms
def test_a_changed_header_does_not_verify(read, signer, key, alg):
    _header, payload, signature = signer.sign(CLAIMS).split(".")
    forged = f"{encoded({'alg': alg, 'typ': 'secevent+jwt'})}.{payload}.{signature}"

    with pytest.raises(Exception, match=r"(?i)signature|verification"):
        read(forged, key, alg)


@readers
@algorithms
def test_a_token_of_algorithm_none_does_not_verify(read, signer, key, alg):
    forged = f"{encoded({'alg': 'none'})}.{signer.sign(CLAIMS).split('.')[1]}."

    with pytest.raises(Exception, match=r"(?i)alg|signature"):
        read(forged, key, alg)


@readers
@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_the_public_key_is_no_hmac_secret(read, key, alg):
    pem = jwk.JWK(**key).get_op_key("verify").public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    message = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(CLAIMS)}".encode()
    mac = base64.urlsafe_b64encode(hmac.digest(pem, message, "sha256")).rstrip(b"=")

    with pytest.raises(Exception, match=r"(?i)alg|signature"):
        read((message + b"." + mac).decode(), key, alg)


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_the_header_holds_alg_typ_and_kid_and_nothing_else(signer, key, alg):
    assert header_of(signer.sign(CLAIMS)) == {"alg": alg, "typ": "JWT", "kid": key["kid"]}


def test_a_token_signed_with_a_secret_names_no_key():
    assert header_of(Signer.for_secret(SECRET).sign(CLAIMS)) == {"alg": "HS256", "typ": "JWT"}


def test_the_kid_can_be_given(pairs):
    signer = Signer.from_jwk(pairs["ES256"].private, "ES256", kid="mine")

    assert (signer.kid, header_of(signer.sign(CLAIMS))["kid"]) == ("mine", "mine")


def test_one_signer_signs_both_types(pairs):
    signer = Signer.from_jwk(pairs["EdDSA"].private, "EdDSA")

    types = [header_of(signer.sign(CLAIMS, typ))["typ"] for typ in ("JWT", "at+jwt", "JWT")]

    assert types == ["JWT", "at+jwt", "JWT"]


def header_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


def test_an_es256_signature_is_r_and_s_in_64_bytes(pairs):
    signer = Signer.from_jwk(pairs["ES256"].private, "ES256")

    # A number below 2**248 needs a zero in front about once in 128 signatures.
    lengths = {len(signer.sign({"n": n}).split(".")[2]) for n in range(300)}

    assert lengths == {86}


def test_hs256_is_the_hmac_of_the_secrets_utf8_bytes():
    message, _, signature = Signer.for_secret(SECRET).sign(CLAIMS).rpartition(".")

    expected = hmac.new(SECRET.encode("utf-8"), message.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == expected


@pytest.mark.parametrize(
    ("made_for", "alg"),
    [("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "ES256"), ("ES256", "EdDSA"), ("RS256", "HS256")],
)
def test_a_key_does_not_sign_with_an_algorithm_of_another_kind(pairs, made_for, alg):
    with pytest.raises(ValueError, match=f"does not sign with {alg}"):
        Signer.from_jwk(pairs[made_for].private, alg)


@pytest.mark.parametrize("alg", ["none", "RS384", "HS512", ""])
def test_an_algorithm_that_is_not_offered_is_refused(pairs, alg):
    with pytest.raises(ValueError, match="does not sign with"):
        Signer.from_jwk(pairs["RS256"].private, alg)


def test_an_empty_secret_signs_nothing():
    with pytest.raises(ValueError, match="needs a secret"):
        Signer.for_secret("")


def test_a_claim_that_is_no_number_in_json_is_refused(pairs):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Signer.from_jwk(pairs["EdDSA"].private, "EdDSA").sign({"exp": float("nan")})
