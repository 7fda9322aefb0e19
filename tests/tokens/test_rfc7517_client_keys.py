"""Public keys that the owner of an application uploads, in the forms people have them in."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwk

from applications.public_keys import CLIENT_ALGORITHMS, public_jwk_from_pem
from tokens import keys

SPKI = PublicFormat.SubjectPublicKeyInfo
KINDS = pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES256", "EdDSA"])


def pem_of(key, form=SPKI):
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def pem(pair):
    return jwk.JWK(**pair.public).export_to_pem().decode()


@KINDS
def test_a_pem_public_key_is_read(pairs, alg):
    assert public_jwk_from_pem(pem(pairs[alg]), alg) == pairs[alg].public


@KINDS
def test_a_certificate_is_read(pairs, alg):
    text = keys.certificate(pairs[alg].private, "client.example", 1_800_000_000)

    assert public_jwk_from_pem(text, alg) == pairs[alg].public


@KINDS
def test_a_jwk_is_read(pairs, alg):
    assert public_jwk_from_pem(json.dumps(pairs[alg].public), alg) == pairs[alg].public


@KINDS
def test_a_key_set_of_one_key_is_read(pairs, alg):
    text = json.dumps({"keys": [pairs[alg].public]}, indent=2)

    assert public_jwk_from_pem(text, alg) == pairs[alg].public


def test_a_pkcs1_public_key_is_read(pairs):
    text = jwk.JWK(**pairs["RS256"].public).get_op_key("verify").public_bytes(Encoding.PEM, PublicFormat.PKCS1)

    assert public_jwk_from_pem(text.decode(), "RS256") == pairs["RS256"].public


def test_windows_line_ends_and_blanks_around_do_not_matter(pairs):
    text = "\r\n  " + pem(pairs["RS256"]).replace("\n", "\r\n") + "\r\n"

    assert public_jwk_from_pem(text, "RS256") == pairs["RS256"].public


def test_the_kid_of_a_jwk_is_kept_because_the_client_will_name_it(pairs):
    text = json.dumps(pairs["RS256"].public | {"kid": "2026-11"})

    assert public_jwk_from_pem(text, "RS256")["kid"] == "2026-11"


def test_a_jwk_without_a_kid_is_named_by_its_thumbprint(pairs):
    nameless = {name: value for name, value in pairs["RS256"].public.items() if name != "kid"}

    assert public_jwk_from_pem(json.dumps(nameless), "RS256") == pairs["RS256"].public


def test_members_that_say_nothing_about_the_key_are_dropped(pairs):
    text = json.dumps(pairs["ES256"].public | {"x5u": "https://evil.example/", "note": "<script>"})

    assert public_jwk_from_pem(text, "ES256") == pairs["ES256"].public


def test_an_rsa_key_may_be_registered_for_rs384(pairs):
    assert public_jwk_from_pem(pem(pairs["RS256"]), "RS384")["alg"] == "RS384"


def refused(text, alg="RS256"):
    """Return the message that the form shows."""
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$") as caught:
        public_jwk_from_pem(text, alg)
    return str(caught.value)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH])
def test_a_pem_private_key_is_refused_and_called_exposed(form):
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    assert "make a new key pair" in refused(text, "ES256")
    assert "make a new key pair" in refused(pem_of(key) + text, "ES256")


@KINDS
def test_a_private_jwk_is_refused_and_called_exposed(pairs, alg):
    message = refused(pairs[alg].private, alg)

    assert "make a new key pair" in message
    assert pairs[alg].private_members["d"] not in message


@pytest.mark.parametrize("extra", [{}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}])
def test_a_symmetric_key_is_refused(extra):
    assert "symmetric" in refused(json.dumps({"kty": "oct", "k": "c2VjcmV0"} | extra))


def test_a_short_rsa_key_is_refused():
    key = rsa.generate_private_key(65537, 1024)

    assert "has 1024 bits" in refused(pem_of(key))
    assert "has 1024 bits" in refused(jwk.JWK.from_pyca(key.public_key()).export())


def test_an_rsa_key_with_exponent_3_is_refused():
    key = rsa.generate_private_key(3, 2048)

    assert "exponent" in refused(pem_of(key))
    assert "exponent" in refused(jwk.JWK.from_pyca(key.public_key()).export())


@pytest.mark.parametrize(("n", "e"), [(2**2048 - 1, 2**33 + 1), (2**2048 - 1, 65538), (2**2047, 65537)])
def test_an_rsa_key_with_odd_numbers_is_refused(n, e):
    assert "exponent" in refused(json.dumps({"kty": "RSA", "n": number(n), "e": number(e)}))


def test_an_rsa_key_that_would_be_slow_to_check_with_is_refused():
    text = json.dumps({"kty": "RSA", "n": number(2**16384 - 1), "e": "AQAB"})

    assert "has 16384 bits" in refused(text)


def number(value):
    return base64.urlsafe_b64encode(value.to_bytes(-(-value.bit_length() // 8), "big")).rstrip(b"=").decode()


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_another_curve_than_p256_is_refused(curve):
    key = ec.generate_private_key(curve)

    assert "not supported" in refused(pem_of(key), "ES256")
    assert "not supported" in refused(jwk.JWK.from_pyca(key.public_key()).export(), "ES256")


def test_a_point_off_the_curve_is_refused(pairs):
    text = json.dumps(pairs["ES256"].public | {"y": pairs["ES256"].public["x"]})

    assert "not on the curve" in refused(text, "ES256")


def test_an_ed25519_key_of_another_length_is_refused(pairs):
    for x in ("AAAA", "A" * 86):
        assert refused(json.dumps(pairs["EdDSA"].public | {"x": x}), "EdDSA") == "The x of an Ed25519 key has 32 bytes."


def test_keys_that_do_not_sign_are_refused():
    for key in (
        x25519.X25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ):
        assert "not supported" in refused(pem_of(key), "EdDSA")


def test_an_ssh_key_is_refused_with_the_command_that_converts_it():
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    text = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    assert "ssh-keygen -e -m PKCS8" in refused(text, "EdDSA")
    assert "ssh-keygen -e -m PKCS8" in refused("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "EdDSA")


@pytest.mark.parametrize(("made_for", "alg"), [("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "ES256")])
def test_a_key_that_does_not_fit_its_algorithm_is_refused(pairs, made_for, alg):
    assert f"does not sign with {alg}" in refused(pem(pairs[made_for]), alg)


@pytest.mark.parametrize("alg", ["HS256", "none", "", "ES384"])
def test_an_algorithm_that_clients_cannot_use_is_refused(pairs, alg):
    assert "Use one of RS256" in refused(pem(pairs["RS256"]), alg)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"use": "enc"}, "not for signatures"),
        ({"key_ops": ["encrypt"]}, "not for signatures"),
        ({"key_ops": "verify"}, "not for signatures"),
        ({"alg": "PS256"}, "another algorithm"),
        ({"kid": 7}, "kid"),
        ({"kid": ""}, "kid"),
        ({"kid": "a" * 65}, "kid"),
        ({"kid": "a\nb"}, "kid"),
        ({"kty": "EC"}, "curve"),
        ({"kty": ["RSA"]}, "kty"),
        ({"n": 7}, "n of this JWK"),
        ({"n": "+/=="}, "n of this JWK"),
        ({"e": None}, "e of this JWK"),
        ({"e": "A"}, "e of this JWK"),
    ],
)
def test_a_jwk_with_a_wrong_member_is_refused_naming_it(pairs, change, words):
    assert words in refused(json.dumps(pairs["RS256"].public | change))


def test_two_keys_at_once_are_refused(pairs):
    both = {"keys": [pairs["RS256"].public, pairs["PS256"].public]}

    assert "There are 2" in refused(json.dumps(both))
    assert "There are 2" in refused(pem(pairs["RS256"]) + pem(pairs["PS256"]))
    assert "There are 0" in refused('{"keys": []}')


@pytest.mark.parametrize(
    "text",
    ["", "  ", "hello", "{", "[" * 9000, "[7]", "{}", '{"keys": 7}', "-----BEGIN PUBLIC KEY-----", "\ud800"],
)
def test_what_is_no_key_is_refused_in_words(text):
    assert refused(text)


def test_an_empty_field_is_refused_in_its_own_words():
    assert refused(" \n") == "Paste a public key."


def test_more_than_16_kb_is_refused_before_it_is_parsed():
    assert "longer than 16 kB" in refused("[" * 16385)


@given(st.text(max_size=200), st.sampled_from(CLIENT_ALGORITHMS))
def test_any_text_is_a_key_or_a_sentence(text, alg):
    assert refused(text, alg)


values = st.none() | st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=3), max_size=2)


@given(st.dictionaries(st.sampled_from(sorted(keys.PUBLIC_MEMBERS - {"k"})), values, max_size=6))
def test_any_json_object_is_a_key_or_a_sentence(members):
    assert refused(json.dumps(members))
