"""The steps by which an API accepts a token: each says what it compared, and the right one fails."""

import base64
import json

import pytest

from tokens import access_tokens, keys
from tokens.access_tokens import ASYMMETRIC, STEPS, Signer, verify

ISSUER = "https://acme.example/"
AUDIENCE = "https://calendar.example"
SECRET = "s9dKw1Zr4Qm7Xc2Tb8Vn5Lh3Pf6Gj0Ya"
NOW = 1_800_000_000
CLAIMS = {"iss": ISSUER, "sub": "billing@clients", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 600}


def checked(token, pair, **changes):
    given = {
        "jwks": keys.jwks([pair.public]),
        "alg": pair.public["alg"],
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": NOW,
    }
    return verify(token, **(given | changes))


def signed(pair, typ="JWT", **changes):
    return Signer.from_jwk(pair.private, pair.public["alg"]).sign(CLAIMS | changes, typ)


def failed(steps):
    """Return the names of the steps that failed, having seen that all steps are there, in order."""
    assert [step.name for step in steps] == list(STEPS)
    return [step.name for step in steps if step.passed is False]


def detail(steps, name):
    return next(step.detail for step in steps if step.name == name)


@pytest.fixture
def pair(pairs):
    return pairs["ES256"]


@pytest.mark.parametrize("alg", ASYMMETRIC)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
def test_a_good_token_passes_every_step(pairs, alg, typ):
    steps = checked(signed(pairs[alg], typ), pairs[alg])

    assert all(step.passed for step in steps)
    assert [step.name for step in steps] == list(STEPS)


@pytest.mark.parametrize("secret", [SECRET, "sixteen letters.", "ü" * 64])
def test_a_token_signed_with_a_secret_is_checked_with_it(secret):
    token = Signer.for_secret(secret).sign(CLAIMS)

    steps = verify(token, None, "HS256", ISSUER, AUDIENCE, NOW, secret=secret)

    assert all(step.passed for step in steps)
    assert "anyone who can check can also forge" in steps[0].detail


def test_a_token_signed_with_another_secret_fails_at_the_signature():
    token = Signer.for_secret(SECRET).sign(CLAIMS)

    steps = verify(token, None, "HS256", ISSUER, AUDIENCE, NOW, secret=SECRET + "x")

    assert failed(steps) == [access_tokens.SIGNATURE]


def test_hs256_without_a_secret_has_nothing_to_check_with(pair):
    token = Signer.for_secret(SECRET).sign(CLAIMS)

    assert failed(checked(token, pair, alg="HS256")) == [access_tokens.KEYS]


@pytest.mark.parametrize("alg", ["none", "HS512", "RS384", ""])
def test_an_algorithm_that_is_not_offered_is_not_checked_at_all(pair, alg):
    assert failed(checked(signed(pair), pair, alg=alg)) == [access_tokens.KEYS]


@pytest.mark.parametrize("jwks", [None, {}, {"keys": []}])
def test_an_empty_key_set_fails_first_and_nothing_else_is_reached(pair, jwks):
    steps = checked(signed(pair), pair, jwks=jwks)

    assert failed(steps) == [access_tokens.KEYS]
    assert {step.passed for step in steps[1:]} == {None}


def test_a_token_of_a_key_that_is_not_in_the_set_fails_at_the_key_id(pair, other_pairs):
    steps = checked(signed(other_pairs["ES256"]), pair)

    assert failed(steps) == [access_tokens.KEY_ID]
    assert other_pairs["ES256"].public["kid"] in detail(steps, access_tokens.KEY_ID)


def test_a_token_that_names_no_key_fails_at_the_key_id(pair):
    nameless = {name: value for name, value in pair.public.items() if name != "kid"}

    for jwks in ({"keys": [pair.public]}, {"keys": [nameless]}):
        steps = checked(Signer.for_secret(SECRET).sign(CLAIMS), pair, jwks=jwks)

        assert failed(steps) == [access_tokens.KEY_ID]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        "!.!.!",
        "e30.e30",
        "W10.e30.",
        "bnVsbA.e30.x",
        "e30=.e30.",
        "a" * 300_000,
        "é.e30.",
    ],
)
def test_what_is_no_token_cannot_be_read(pair, token):
    steps = checked(token, pair)

    assert failed(steps) == [access_tokens.KEY_ID]
    assert "cannot be read" in detail(steps, access_tokens.KEY_ID)


def test_a_header_nested_too_deep_is_refused_and_not_a_crash(pair):
    nested = '{"kid":"' + pair.public["kid"] + '","alg":' + "[" * 50_000 + "]" * 50_000 + "}"
    head = base64.urlsafe_b64encode(nested.encode()).rstrip(b"=").decode()

    assert failed(checked(f"{head}.e30.", pair)) == [access_tokens.KEY_ID]


@pytest.mark.parametrize("said", ["none", "None", "HS256", "RS256", "PS256", "es256", None, 7, ["ES256"], {}])
def test_another_algorithm_under_our_kid_fails_at_the_algorithm(pair, said):
    steps = checked(forged(pair, alg=said), pair)

    assert failed(steps) == [access_tokens.ALGORITHM]


def test_a_key_published_for_another_algorithm_is_not_used(pairs):
    pair = pairs["RS256"]
    token = Signer.from_jwk(pair.private, "RS512").sign(CLAIMS)

    assert failed(checked(token, pair, alg="RS512")) == [access_tokens.ALGORITHM]


@pytest.mark.parametrize("alg", ASYMMETRIC)
def test_a_borrowed_signature_fails_at_the_signature(pairs, alg):
    header, _payload, signature = signed(pairs[alg]).split(".")
    other = signed(pairs[alg], scope="delete:everything").split(".")[1]

    assert failed(checked(f"{header}.{other}.{signature}", pairs[alg])) == [access_tokens.SIGNATURE]


@pytest.mark.parametrize("alg", ASYMMETRIC)
@pytest.mark.parametrize("signature", ["", "AA", "A" * 86, "A" * 342])
def test_an_empty_or_zero_signature_fails_at_the_signature(pairs, alg, signature):
    message = signed(pairs[alg]).rpartition(".")[0]

    steps = checked(f"{message}.{signature}", pairs[alg])

    assert failed(steps) in ([access_tokens.SIGNATURE], [access_tokens.KEY_ID])


def test_a_critical_extension_fails_at_the_signature(pair):
    signer = Signer.from_jwk(pair.private, "ES256")
    signer._headers["JWT"] = encoded({"alg": "ES256", "kid": pair.public["kid"], "crit": ["b64"], "b64": True})

    assert failed(checked(signer.sign(CLAIMS), pair)) == [access_tokens.SIGNATURE]


def test_the_senders_own_key_in_the_header_is_not_used(pair, other_pairs):
    stranger = other_pairs["ES256"]
    signer = Signer.from_jwk(stranger.private, "ES256", kid=pair.public["kid"])
    signer._headers["JWT"] = encoded({"alg": "ES256", "typ": "JWT", "kid": pair.public["kid"], "jwk": stranger.public})

    assert failed(checked(signer.sign(CLAIMS), pair)) == [access_tokens.SIGNATURE]


def forged(pair, **changes):
    """Return a genuine token whose header was changed."""
    _header, payload, signature = signed(pair).split(".")
    header = {"alg": "ES256", "typ": "JWT", "kid": pair.public["kid"]} | changes
    return f"{encoded(header).decode()}.{payload}.{signature}"


def encoded(members):
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=")


@pytest.mark.parametrize(
    "iss", ["https://acme.example", "https://acme.example/x", "HTTPS://acme.example/", None, 7, [ISSUER]]
)
def test_another_issuer_fails_at_the_issuer_alone(pair, iss):
    steps = checked(signed(pair, iss=iss), pair)

    assert failed(steps) == [access_tokens.ISSUER]
    assert ISSUER in detail(steps, access_tokens.ISSUER)


@pytest.mark.parametrize("aud", [f"{AUDIENCE}/", AUDIENCE.upper(), "", None, 7, [], [f"{AUDIENCE}/"], {AUDIENCE: 1}])
def test_another_audience_fails_at_the_audience_alone(pair, aud):
    assert failed(checked(signed(pair, aud=aud), pair)) == [access_tokens.AUDIENCE]


def test_one_audience_of_several_is_enough(pair):
    steps = checked(signed(pair, aud=[AUDIENCE, f"{ISSUER}userinfo"]), pair)

    assert failed(steps) == []
    assert "one of 2" in detail(steps, access_tokens.AUDIENCE)


@pytest.mark.parametrize(
    ("seconds", "leeway", "passes"), [(599, 0, True), (600, 0, False), (609, 10, True), (610, 10, False)]
)
def test_a_token_ends_on_the_second_of_its_exp(pair, seconds, leeway, passes):
    steps = checked(signed(pair), pair, now=NOW + seconds, leeway=leeway)

    assert failed(steps) == ([] if passes else [access_tokens.EXPIRY])


def test_the_remaining_seconds_are_told(pair):
    steps = checked(signed(pair, exp=NOW + 86400), pair)

    assert detail(steps, access_tokens.EXPIRY) == "Expires at 2027-01-16 08:00:00 UTC; 86,400 seconds remain."


@pytest.mark.parametrize("exp", [None, "1900000000", True, [], -1, 10**400, 253_402_300_800])
def test_an_exp_that_is_no_date_fails_at_the_expiry(pair, exp):
    assert failed(checked(signed(pair, exp=exp), pair)) == [access_tokens.EXPIRY]


def test_a_token_begins_on_the_second_of_its_nbf(pair):
    assert failed(checked(signed(pair, nbf=NOW), pair)) == []


def test_a_claim_that_is_not_there_is_called_missing(pair):
    assert detail(checked(signed(pair, aud=None), pair), access_tokens.AUDIENCE).startswith("aud is missing;")


@pytest.mark.parametrize("nbf", [NOW + 1, "soon", None])
def test_a_token_that_is_not_valid_yet_fails_at_the_expiry(pair, nbf):
    assert failed(checked(signed(pair, nbf=nbf), pair)) == [access_tokens.EXPIRY]


@pytest.mark.parametrize(("typ", "passes"), [("AT+JWT", True), ("application/at+jwt", True), ("logout+jwt", False)])
def test_only_an_access_tokens_type_is_accepted(pair, typ, passes):
    assert failed(checked(signed(pair, typ), pair)) == ([] if passes else [access_tokens.TYPE])


@pytest.mark.parametrize("typ", [7, [], {"a": 1}])
def test_a_type_that_is_no_text_is_refused(pair, typ):
    signer = Signer.from_jwk(pair.private, "ES256")
    signer._headers["odd"] = encoded({"alg": "ES256", "typ": typ, "kid": pair.public["kid"]})

    assert failed(checked(signer.sign(CLAIMS, "odd"), pair)) == [access_tokens.TYPE]


def test_claims_that_name_a_member_twice_are_not_read(pair, monkeypatch):
    twice = json.dumps(CLAIMS)[:-1] + ', "aud": "https://billing.example"}'
    monkeypatch.setattr(access_tokens, "_to_json", lambda claims: twice)
    signer = Signer.from_jwk(pair.private, "ES256")
    signer._headers["JWT"] = encoded({"alg": "ES256", "kid": pair.public["kid"]})

    assert failed(checked(signer.sign(CLAIMS), pair)) == [access_tokens.ISSUER]


def test_what_a_pasted_token_says_is_cut_where_it_gets_long(pair):
    steps = checked(signed(pair, iss="https://" + "x" * 10_000), pair)

    assert len(detail(steps, access_tokens.ISSUER)) < 300
