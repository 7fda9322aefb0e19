"""Keys as they are made and published."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from jwcrypto import jwk

from tokens import keys

NOW = 1_800_000_000.5
ALGORITHMS = pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES256", "EdDSA"])
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@ALGORITHMS
def test_a_public_key_has_what_verifiers_look_for_and_nothing_private(pairs, alg):
    public = pairs[alg].public

    assert public["use"] == "sig"
    assert public["alg"] == alg
    assert public["kid"] == jwk.JWK(**public).thumbprint()
    assert not public.keys() & PRIVATE


@ALGORITHMS
def test_the_private_key_is_the_same_key_with_its_private_members(pairs, alg):
    members = pairs[alg].private_members

    assert members.keys() & PRIVATE
    assert {name: members[name] for name in pairs[alg].public} == pairs[alg].public


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256"])
def test_an_rsa_key_has_2048_bits_and_the_usual_exponent(pairs, alg):
    numbers = jwk.JWK(**pairs[alg].public).get_op_key("verify").public_numbers()

    assert (numbers.n.bit_length(), numbers.e) == (2048, 65537)


def test_every_algorithm_has_a_key_of_its_own(pairs):
    assert len({pair.public["kid"] for pair in pairs.values()}) == 5


@pytest.mark.parametrize("alg", ["HS256", "none", "RS384", ""])
def test_no_key_is_made_for_an_algorithm_without_key_pairs(alg):
    with pytest.raises(ValueError, match="no signing keys"):
        keys.generate(alg)


def test_the_thumbprint_is_that_of_the_specifications_example():
    # RFC 7638 §3.1
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )

    assert keys.thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@ALGORITHMS
def test_a_certificate_is_of_the_key_and_signed_by_it_for_ten_years(pairs, alg):
    found = x509.load_pem_x509_certificate(keys.certificate(pairs[alg].private, "acme.example", NOW).encode())

    found.verify_directly_issued_by(found)
    assert jwk.JWK.from_pyca(found.public_key()).thumbprint() == pairs[alg].public["kid"]
    assert found.subject.rfc4514_string() == "CN=acme.example"
    assert found.not_valid_before_utc == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    assert found.not_valid_after_utc == datetime(2037, 1, 12, 8, 0, tzinfo=UTC)


def test_a_long_domain_is_cut_at_64_characters(pairs):
    pem = keys.certificate(pairs["ES256"].private, "a" * 60 + ".example.com", NOW)

    assert x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string() == "CN=" + "a" * 60 + ".exa"


@ALGORITHMS
def test_the_certificate_members_can_be_recomputed_from_x5c(pairs, alg):
    pem = keys.certificate(pairs[alg].private, "acme.example", NOW)

    public = keys.with_certificate(pairs[alg].public, pem)

    found = x509.load_der_x509_certificate(base64.b64decode(public["x5c"][0]))
    assert public["x5t"] == unpadded(found.fingerprint(hashes.SHA1()))
    assert public["x5t#S256"] == unpadded(found.fingerprint(hashes.SHA256()))
    assert {name: public[name] for name in pairs[alg].public} == pairs[alg].public


def unpadded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_the_key_in_a_certificate_verifies_what_the_key_signed(pairs):
    pem = keys.certificate(pairs["RS256"].private, "acme.example", NOW)
    key = jwk.JWK(**pairs["RS256"].private_members).get_op_key("sign")
    signature = key.sign(b"hello", padding.PKCS1v15(), hashes.SHA256())

    public = x509.load_pem_x509_certificate(pem.encode()).public_key()

    assert public.verify(signature, b"hello", padding.PKCS1v15(), hashes.SHA256()) is None


def test_a_certificate_of_another_key_is_refused(pairs, other_pairs):
    pem = keys.certificate(other_pairs["ES256"].private, "acme.example", NOW)

    with pytest.raises(ValueError, match="of another key"):
        keys.with_certificate(pairs["ES256"].public, pem)


def test_the_key_set_keeps_the_order_it_is_given(pairs):
    wanted = [pairs[alg].public for alg in ("ES256", "RS256", "EdDSA", "PS256")]

    assert keys.jwks(wanted) == {"keys": wanted}
    assert keys.jwks(wanted[::-1]) == {"keys": wanted[::-1]}


def test_an_empty_key_set_is_a_key_set():
    assert keys.jwks([]) == {"keys": []}


@ALGORITHMS
def test_a_private_key_is_never_published(pairs, alg):
    with pytest.raises(ValueError, match="must not be published"):
        keys.jwks([pairs[alg].public | {"kid": "other"}, pairs[alg].private_members])


@pytest.mark.parametrize("member", [*sorted(PRIVATE), "priv", "secret"])
def test_a_single_private_or_unknown_member_is_never_published(pairs, member):
    with pytest.raises(ValueError, match="must not be published") as refused:
        keys.jwks([{**pairs["RS256"].public, member: "c2VjcmV0"}])

    assert "c2VjcmV0" not in str(refused.value)


def test_a_symmetric_key_is_never_published():
    with pytest.raises(ValueError, match="must not be published"):
        keys.jwks([json.loads(jwk.JWK.generate(kty="oct", size=256, kid="secret").export())])


@pytest.mark.parametrize("kids", [["a", "a"], ["a", None], [""]])
def test_each_published_key_has_a_kid_of_its_own(pairs, kids):
    with pytest.raises(ValueError, match="kid of its own"):
        keys.jwks([pairs["ES256"].public | {"kid": kid} for kid in kids])
