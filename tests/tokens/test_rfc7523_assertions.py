"""private_key_jwt: the one assertion that is accepted, and everything around it that is not."""

import base64
import hmac
import json
import time

import jwt as pyjwt
import pytest
from jwcrypto import jwk, jws

from applications.public_keys import public_jwk_from_pem
from tokens.client_authentication import MAX_ASSERTION, AssertionRefused, verify_assertion

ISSUER = "https://acme.example/"
NOW = 1_800_000_000
CLIENT = "billing"


def claims(**changes):
    good = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "id-1"}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def signed(pair, payload, **header):
    """Return `payload` signed by jwcrypto, as a client would."""
    token = jws.JWS(payload if isinstance(payload, str) else json.dumps(payload))
    header = {"alg": pair.public["alg"], **header}
    token.allowed_algs = [header["alg"]]
    token.add_signature(jwk.JWK(**pair.private_members), protected=json.dumps(header))
    return token.serialize(compact=True)


def verify(assertion, pair, issuer=ISSUER, now=NOW, used=lambda jti, expires_at: False):
    verify_assertion(assertion, CLIENT, [pair.public], issuer, now, used)


def reason(assertion, pair, **more):
    """Return why the assertion is refused; nothing is remembered of it."""
    with pytest.raises(AssertionRefused) as refused:
        verify(assertion, pair, **({"used": must_not_be_asked} | more))
    assert refused.value.reason.endswith((".", ").")) and refused.value.reason == str(refused.value)
    return refused.value.reason


def must_not_be_asked(jti, expires_at):
    raise AssertionError("a jti was remembered although the assertion was refused")


@pytest.fixture
def pair(pairs):
    return pairs["ES256"]


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES256", "EdDSA"])
def test_an_assertion_proves_its_client(pairs, alg):
    assert verify(signed(pairs[alg], claims()), pairs[alg]) is None


def test_an_assertion_of_rs384_proves_its_client(pairs):
    registered = pairs["RS256"].public | {"alg": "RS384"}
    pair = pairs["RS256"]._replace(public=registered)

    assertion = jws.JWS(json.dumps(claims()))
    assertion.add_signature(jwk.JWK(**pair.private_members | {"alg": "RS384"}), protected=json.dumps({"alg": "RS384"}))
    assert verify(assertion.serialize(compact=True), pair) is None


def test_an_assertion_that_pyjwt_made_now_proves_its_client(pairs):
    pair, now = pairs["RS256"], time.time()
    content = claims(exp=int(now) + 60, iat=int(now))
    assertion = pyjwt.encode(content, pyjwt.PyJWK(pair.private_members).key, "RS256", headers={"typ": "JWT"})

    assert verify(assertion, pair, now=now) is None


@pytest.mark.parametrize("issuer", [ISSUER, ISSUER.rstrip("/")])
@pytest.mark.parametrize(
    "aud",
    [
        ISSUER,
        "https://acme.example",
        f"{ISSUER}oauth/token",
        [ISSUER],
        ["https://other.example/", f"{ISSUER}oauth/token"],
    ],
)
def test_the_issuer_and_the_token_endpoint_are_audiences(pair, aud, issuer):
    assert verify(signed(pair, claims(aud=aud)), pair, issuer=issuer) is None


@pytest.mark.parametrize(
    "aud",
    [
        ...,
        None,
        "",
        [],
        7,
        {},
        CLIENT,
        "https://acme.example//",
        "https://ACME.example/",
        "http://acme.example/",
        "https://acme.example.evil/",
        "https://acme.example/oauth/token/",
        "https://acme.example/oauth",
        ["https://other.example/"],
        [[ISSUER]],
        f"{ISSUER} {ISSUER}",
    ],
)
def test_another_audience_is_refused(pair, aud):
    assert "aud is neither" in reason(signed(pair, claims(aud=aud)), pair)


@pytest.mark.parametrize("name", ["iss", "sub"])
@pytest.mark.parametrize("value", [..., None, "", "other", "Billing", "billing ", 7, [CLIENT]])
def test_issuer_and_subject_are_the_client(pair, name, value):
    assert reason(signed(pair, claims(**{name: value})), pair).startswith(f"{name} is not the client_id")


@pytest.mark.parametrize("exp", [NOW - 9, NOW, NOW + 300, NOW + 310, NOW + 60.5])
def test_an_assertion_lives_up_to_five_minutes_give_or_take_ten_seconds(pair, exp):
    assert verify(signed(pair, claims(exp=exp)), pair) is None


@pytest.mark.parametrize("exp", [NOW - 10, 0, NOW - 86400])
def test_an_expired_assertion_is_refused(pair, exp):
    assert "expired" in reason(signed(pair, claims(exp=exp)), pair)


@pytest.mark.parametrize("exp", [NOW + 311, NOW + 10**9])
def test_an_assertion_that_lives_longer_is_refused(pair, exp):
    assert "more than 300 seconds ahead" in reason(signed(pair, claims(exp=exp)), pair)


@pytest.mark.parametrize("exp", [..., None, str(NOW + 60), True, [], {}, -1, NOW * 1000, 10**400])
def test_an_exp_that_is_no_date_is_refused(pair, exp):
    assert "exp is missing or not a number" in reason(signed(pair, claims(exp=exp)), pair)


@pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "-Infinity", "9" * 1500])
def test_a_number_that_is_none_is_refused(pair, number):
    payload = json.dumps(claims()).replace(str(NOW + 60), number)

    assert reason(signed(pair, payload), pair)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_clocks_may_differ_by_ten_seconds_and_not_by_more(pair, name):
    assert verify(signed(pair, claims(**{name: NOW + 10})), pair) is None
    assert f"{name} is more than 10 seconds" in reason(signed(pair, claims(**{name: NOW + 11})), pair)


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize("value", ["now", True, None, [], -5])
def test_a_beginning_that_is_no_date_is_refused(pair, name, value):
    assert f"{name} is not a number" in reason(signed(pair, claims(**{name: value})), pair)


def test_iat_and_nbf_may_be_left_out(pair):
    assert verify(signed(pair, claims(iat=...)), pair) is None


@pytest.mark.parametrize("jti", [..., None, "", 7, "x" * 129, ["id-1"], "a\0b", "a\nb", "\ud800"])
def test_a_jti_is_required_and_short_and_printable(pair, jti):
    assert reason(signed(pair, claims(jti=jti)), pair).startswith("jti must be a string")


@pytest.mark.parametrize("jti", ["x", "x" * 128, "urn:uuid:6f1e", "ü"])
def test_a_jti_may_be_any_short_text(pair, jti):
    assert verify(signed(pair, claims(jti=jti)), pair) is None


def test_an_assertion_works_once(pair):
    seen = {}
    assertion = signed(pair, claims())

    def used(jti, expires_at):
        return jti in seen or seen.update({jti: expires_at})

    verify(assertion, pair, used=used)

    assert "used before" in reason(assertion, pair, used=used)
    # It is remembered for as long as it would pass.
    assert seen == {"id-1": NOW + 70}
    assert "expired" in reason(assertion, pair, now=NOW + 70)


def test_a_refused_assertion_does_not_use_up_its_jti(pair, other_pairs):
    assert reason(signed(other_pairs["ES256"], claims()), pair)
    assert reason(signed(pair, claims(aud="https://other.example/")), pair)
    assert verify(signed(pair, claims()), pair) is None


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES256", "EdDSA"])
def test_another_key_of_the_same_kind_is_refused(pairs, other_pairs, alg):
    assert "not made by the application's key" in reason(signed(other_pairs[alg], claims()), pairs[alg])


def test_the_algorithm_is_the_one_the_key_is_registered_for(pairs):
    as_ps256 = pairs["RS256"]._replace(public=pairs["RS256"].public | {"alg": "PS256"})
    assertion = signed(pairs["RS256"], claims())

    assert "for another algorithm" in reason(assertion, as_ps256)


def test_a_key_without_an_algorithm_verifies_nothing(pairs):
    nameless = {name: value for name, value in pairs["RS256"].public.items() if name != "alg"}

    assert "for another algorithm" in reason(signed(pairs["RS256"], claims()), pairs["RS256"]._replace(public=nameless))


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "HS256", "HS512", "", None, 7, ["ES256"], "RSA-OAEP", "ES384"])
def test_only_asymmetric_algorithms_are_read(pair, alg):
    header, payload, signature = signed(pair, claims()).split(".")

    assert "alg must be one of" in reason(f"{encoded({'alg': alg})}.{payload}.{signature}", pair)
    assert "alg must be one of" in reason(f"{encoded({'alg': alg})}.{payload}.", pair)


@pytest.mark.parametrize("form", ["pem", "jwk", "n"])
def test_the_public_key_is_no_hmac_secret(pairs, form):
    public = pairs["RS256"].public
    secret = {
        "pem": jwk.JWK(**public).export_to_pem(),
        "jwk": json.dumps(public).encode(),
        "n": public["n"].encode(),
    }[form]
    message = f"{encoded({'alg': 'HS256', 'kid': public['kid']})}.{encoded(claims())}"
    mac = base64.urlsafe_b64encode(hmac.digest(secret, message.encode(), "sha256")).rstrip(b"=").decode()

    assert "alg must be one of" in reason(f"{message}.{mac}", pairs["RS256"])


def encoded(members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u"])
def test_a_key_that_the_header_brings_along_is_never_followed(pair, other_pairs, member):
    stranger = other_pairs["ES256"]
    value = stranger.public if member == "jwk" else "https://evil.example/keys.json"

    assert f"holds {member}" in reason(signed(stranger, claims(), **{member: value}), pair)


def test_a_critical_extension_is_refused(pair):
    header, payload, signature = signed(pair, claims()).split(".")

    for extra in ({"crit": ["x"], "x": 1}, {"crit": ["b64"], "b64": False}, {"crit": []}, {"b64": False}):
        assert "never followed" in reason(f"{encoded({'alg': 'ES256'} | extra)}.{payload}.{signature}", pair)


def test_the_type_and_a_certificate_thumbprint_may_be_anything(pair):
    assert verify(signed(pair, claims(), typ="client-authentication+jwt", x5t="abc"), pair) is None


def test_with_two_keys_the_kid_chooses_and_without_it_each_is_tried(pair, other_pairs):
    both = [other_pairs["ES256"].public, pair.public]

    for header in ({}, {"kid": pair.public["kid"]}):
        verify_assertion(signed(pair, claims(), **header), CLIENT, both, ISSUER, NOW, lambda jti, expires_at: False)


def test_the_kid_of_another_key_is_refused_although_the_signature_is_good(pair, other_pairs):
    assertion = signed(pair, claims(), kid=other_pairs["ES256"].public["kid"])

    assert "kid is not that of any" in reason(assertion, pair)


@pytest.mark.parametrize("kid", ["", 7, [], {"a": 1}, "../../etc/passwd", "' or 1=1 --", "k" * 1000])
def test_a_kid_is_only_compared(pair, kid):
    header, payload, signature = signed(pair, claims()).split(".")

    assert "kid is not that of any" in reason(f"{encoded({'alg': 'ES256', 'kid': kid})}.{payload}.{signature}", pair)


def test_an_application_without_keys_proves_nothing(pair):
    with pytest.raises(AssertionRefused, match="has no public key"):
        verify_assertion(signed(pair, claims()), CLIENT, [], ISSUER, NOW, must_not_be_asked)


def test_an_assertion_of_2048_bytes_is_read_and_a_longer_one_is_not(pair):
    fill = next(n for n in range(2048) if len(signed(pair, claims(x="x" * n))) == MAX_ASSERTION)

    assert verify(signed(pair, claims(x="x" * fill)), pair) is None
    assert "longer than 2048 bytes" in reason(signed(pair, claims(x="x" * (fill + 1))), pair)


@pytest.mark.parametrize(
    "text", ["", "x", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "é.b.c", "{}", "[" * 2000, "a b.c.d", "e30.e30.=="]
)
def test_what_is_no_compact_jws_is_refused(pair, text):
    assert "assertion" in reason(text, pair)


def test_the_json_serialization_is_refused(pair):
    protected, payload, signature = signed(pair, claims()).split(".")
    flattened = json.dumps({"protected": protected, "payload": payload, "signature": signature})

    assert "cannot be read" in reason(flattened, pair)


def test_a_second_spelling_of_the_same_signature_is_refused(pair):
    assertion = signed(pair, claims())
    # The last character of 64 bytes carries four unused bits.
    twin = assertion[:-1] + chr(ord(assertion[-1]) + 1)

    assert "canonical" in reason(twin, pair)


@pytest.mark.parametrize(
    "payload", ["7", "[]", "null", '"x"', "{", "[" * 500, '{"sub": "billing", "sub": "other"}', "\ufeff{}"]
)
def test_a_payload_that_is_no_json_object_is_refused(pair, payload):
    assert "payload is not a JSON object" in reason(signed(pair, payload), pair)


def test_an_access_token_of_ours_is_no_assertion(pair):
    token = signed(pair, {"iss": ISSUER, "sub": f"{CLIENT}@clients", "aud": "x", "exp": NOW + 60}, typ="at+jwt")

    assert "iss is not the client_id" in reason(token, pair)


def test_an_uploaded_key_verifies_what_its_owner_signs(pairs):
    pem = jwk.JWK(**pairs["PS256"].public).export_to_pem().decode()
    registered = pairs["PS256"]._replace(public=public_jwk_from_pem(pem, "PS256"))

    assert verify(signed(pairs["PS256"], claims()), registered) is None
