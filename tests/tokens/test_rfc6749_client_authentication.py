"""Which method of client authentication a request uses, and requests that use none or several."""

import base64
import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens.client_authentication import ASSERTION_TYPE, Presented, presented
from tokens.errors import TokenError


def basic(text, scheme="Basic"):
    content = text if isinstance(text, bytes) else text.encode()
    return f"{scheme} {base64.b64encode(content).decode()}"


def unsigned(claims):
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "RS256"}, claims)
    )
    return f"{head}.{body}.AAAA"


def asserted(assertion, **more):
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE} | more


def refused(header, parameters):
    with pytest.raises(TokenError) as caught:
        presented(header, parameters)
    return caught.value


def test_a_client_id_alone_is_a_public_client():
    assert presented(None, {"client_id": "spa"}) == Presented("none", "spa")


def test_a_secret_in_the_body_is_client_secret_post():
    parameters = {"client_id": "web", "client_secret": "s"}

    assert presented(None, parameters) == Presented("client_secret_post", "web", secret="s")


def test_the_authorization_header_is_client_secret_basic():
    assert presented(basic("web:s:t"), {}) == Presented("client_secret_basic", "web", secret="s:t")


def test_an_empty_header_is_no_header():
    assert presented("", {"client_id": "spa"}).method == "none"


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_the_scheme_is_not_case_sensitive(scheme):
    assert presented(basic("web:s", scheme), {}).client_id == "web"


def test_the_same_client_id_in_the_body_is_fine():
    assert presented(basic("web:s"), {"client_id": "web"}).method == "client_secret_basic"


def test_both_halves_are_form_encoded():
    assert presented(basic("a%3Ab+c:%C3%BC%25+%2B"), {}) == Presented("client_secret_basic", "a:b c", secret="ü% +")


visible = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


@given(visible, st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_client_encodes_is_read_back(client_id, secret):
    header = basic(f"{quote_plus(client_id)}:{quote_plus(secret)}")

    assert presented(header, {}) == Presented("client_secret_basic", client_id, secret=secret)


def test_basic_with_an_empty_secret_is_still_basic():
    assert presented(basic("spa:"), {}) == Presented("client_secret_basic", "spa", secret="")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!!",
        "Basic d2Vi",
        "Basic d2ViOn",
        "Basic d2Vi:cw==",
        "Basic d2ViOnM= x",
        "Basic -_-_",
        "Basic é",
        "Basic " + "A" * 9000,
        basic("web:" + "s" * 4096),
        basic(b"web:\xff"),
        basic("web:%FF"),
        basic("web:%"),
        basic("web:%zz"),
        basic(":s"),
        basic("we\0b:s"),
        basic("we%00b:s"),
        basic("wéb:s"),
        basic("w" * 256 + ":s"),
        "Bearer abc",
        "Digest username=web",
        "Basicd2ViOnM=",
    ],
)
def test_a_header_that_cannot_be_read_is_a_failed_authentication_with_a_challenge(header):
    error = refused(header, {"client_id": "web"})

    assert (error.error, error.status) == ("invalid_client", 401)
    assert error.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("secret", ["s%00", "s\0", "%20s"])
def test_a_strange_secret_is_only_a_wrong_secret(secret):
    assert presented(basic(f"web:{secret}"), {}).secret not in {"s", None}


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        (basic("web:s"), {"client_id": "web", "client_secret": "s"}),
        (basic("web:s"), {"client_id": "other", "client_secret": "s"}),
        (basic("web:s"), asserted(unsigned({"sub": "web"}))),
        ("Bearer abc", {"client_id": "web", "client_secret": "s"}),
        (None, asserted(unsigned({"sub": "web"}), client_id="web", client_secret="s")),
    ],
)
def test_two_methods_in_one_request_are_refused(header, parameters):
    error = refused(header, parameters)

    assert (error.error, error.status) == ("invalid_request", 400)
    assert "one method" in error.description


def test_the_header_and_the_body_name_one_client():
    error = refused(basic("web:s"), {"client_id": "other"})

    assert (error.error, error.status) == ("invalid_request", 400)


@pytest.mark.parametrize("parameters", [{}, {"client_secret": "s"}, {"grant_type": "client_credentials"}])
def test_a_request_without_a_client_is_refused(parameters):
    error = refused(None, parameters)

    assert (error.error, error.description) == ("invalid_request", "Missing required parameter: client_id")


@pytest.mark.parametrize("client_id", ["a\nb", "wéb", "\x7f", "w" * 256])
def test_an_id_that_no_client_can_have_is_an_unknown_client(client_id):
    for parameters in ({"client_id": client_id}, asserted(unsigned({"sub": client_id}))):
        error = refused(None, parameters)

        assert (error.error, error.status, error.headers) == ("invalid_client", 401, {})


def test_an_assertion_names_its_client_in_its_subject():
    assertion = unsigned({"sub": "web"})

    assert presented(None, asserted(assertion)) == Presented("private_key_jwt", "web", assertion=assertion)


def test_an_assertion_may_come_with_the_client_id():
    # Whether the two agree is for the signature's owner to prove: see test_rfc7523_assertions.
    assert presented(None, asserted(unsigned({"sub": "web"}), client_id="other")).client_id == "other"


@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "a.b.c",
        "..",
        unsigned({}),
        unsigned({"sub": 7}),
        unsigned({"sub": ""}),
        unsigned([]),
        unsigned("web"),
    ]
    + [
        unsigned({"sub": "web", "x": "x" * 2048}),
        unsigned({"sub": "we\0b"}),
        "é.e30.AA",
        unsigned({"sub": "\ud800"}),
    ],
)
def test_an_assertion_that_names_no_client_is_a_failed_authentication(assertion):
    error = refused(None, asserted(assertion))

    assert (error.error, error.status, error.headers) == ("invalid_client", 401, {})


@pytest.mark.parametrize(
    "parameters",
    [
        {"client_assertion": unsigned({"sub": "web"})},
        {"client_assertion": unsigned({"sub": "web"}), "client_assertion_type": "urn:other"},
        {"client_id": "web", "client_assertion_type": ASSERTION_TYPE},
        {"client_id": "web", "client_assertion_type": "urn:other"},
    ],
)
def test_an_assertion_comes_with_its_type_and_the_type_with_an_assertion(parameters):
    error = refused(None, parameters)

    assert (error.error, error.status) == ("invalid_request", 400)
    assert "client_assertion" in error.description


def test_what_is_secret_is_not_shown_in_a_log():
    shown = repr(presented(basic("web:hunter2"), {})) + repr(presented(None, asserted(unsigned({"sub": "web"}))))

    assert "hunter2" not in shown
    assert unsigned({"sub": "web"}) not in shown
