"""Bodies that clients post, in both forms, and bodies that are refused."""

import json
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from tokens import parameters
from tokens.endpoints.calls import call_of
from tokens.errors import TokenError
from tokens.parameters import KNOWN, MAX_BODY

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
BOTH = pytest.mark.parametrize("content_type", [FORM, JSON])


def post(body, content_type=FORM, query=""):
    content = body if isinstance(body, bytes) else body.encode()
    # Named twice because the factory leaves the header out when there is no body.
    headers = {"content-type": content_type}
    return RequestFactory().generic("POST", f"/oauth/token{query}", content, content_type, headers=headers)


def posted(members, content_type):
    return post(json.dumps(members) if content_type == JSON else urlencode(members), content_type)


def read(request):
    call = call_of(request)
    return parameters.read(call.query, call.content_type, call.body)


def refused(request):
    """Return error and description of a refusal, which is always a 400."""
    with pytest.raises(TokenError) as caught:
        read(request)
    assert caught.value.status == 400
    return caught.value.error, caught.value.description


@BOTH
def test_known_parameters_are_read(content_type):
    members = {
        "grant_type": "client_credentials",
        "audience": "https://x/?a=b&c=d+e%20f",
        "scope": "read:ü a",
    }

    assert read(posted(members, content_type)) == members


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), texts, max_size=8))
def test_both_forms_say_the_same(members):
    assert read(posted(members, FORM)) == read(posted(members, JSON)) == members


@BOTH
def test_empty_parameters_are_absent_and_unknown_ones_ignored(content_type):
    members = {"scope": "", "foo": "1", "grant_type": "client_credentials", "": "x"}

    assert read(posted(members, content_type)) == {"grant_type": "client_credentials"}


@BOTH
def test_an_empty_body_has_no_parameters(content_type):
    assert read(posted({}, content_type)) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        f"{FORM};charset=UTF-8",
        f'{FORM}; charset="utf-8"',
        f"{FORM}; foo=bar",
        FORM.upper(),
        f" {FORM} ;charset=utf8",
    ],
)
def test_a_content_type_may_have_parameters(content_type):
    assert read(post("scope=a", content_type)) == {"scope": "a"}


def test_json_with_a_charset_is_json():
    assert read(post('{"scope": "a"}', "application/json; charset=utf-8")) == {"scope": "a"}


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "utf-7", "nonsense", "''", "utf-8x"])
def test_another_charset_is_refused(charset):
    assert refused(post("scope=a", f"{FORM}; charset={charset}"))[0] == "invalid_request"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/octet-stream",
        "multipart/form-data; boundary=x",
        "json",
        ";",
    ]
    + ["application/json, text/plain", "application/jwt", "application/problem+json"],
)
def test_another_content_type_is_refused(content_type):
    for body in ("grant_type=client_credentials", '{"grant_type": "client_credentials"}'):
        assert refused(post(body, content_type)) == (
            "invalid_request",
            "The Content-Type must be application/x-www-form-urlencoded or application/json.",
        )


def test_plus_is_a_blank_and_percent_escapes_are_bytes_of_utf8():
    assert read(post("scope=read%3Aa+write%3a%C3%BC")) == {"scope": "read:a write:ü"}


def test_a_parameter_without_a_value_is_absent():
    assert read(post("scope&audience=&&grant_type=x&")) == {"grant_type": "x"}


@pytest.mark.parametrize(
    "body", ["scope=a&scope=b", "scope=&scope=b", "scope=b&scope=", "scope=a&scop%65=a", "scope&scope"]
)
def test_a_form_parameter_given_twice_is_refused_by_name(body):
    assert refused(post(body)) == ("invalid_request", "The parameter scope is given more than once.")


@pytest.mark.parametrize("name", sorted(KNOWN - {"resource"}))
def test_every_parameter_may_be_given_once_only(name):
    for body, content_type in ((f"{name}=a&{name}=a", FORM), (f'{{"{name}": "a", "{name}": null}}', JSON)):
        assert refused(post(body, content_type)) == (
            "invalid_request",
            f"The parameter {name} is given more than once.",
        )


def test_an_unknown_parameter_given_twice_is_refused_without_an_echo():
    assert refused(post("evil=1&evil=2")) == ("invalid_request", "A parameter is given more than once.")
    assert refused(post('{"a": {"evil": 1, "evil": 2}}', JSON))[1] == "A parameter is given more than once."


def test_a_second_resource_is_a_target_that_no_token_can_have():
    assert refused(post("resource=a&resource=b"))[0] == "invalid_target"


@pytest.mark.parametrize(
    "body", [b"scope=%FF", b"scope=\xff", b"scope=%C3", b"%ff=a", b"scope=%ED%A0%80", b"scope=%F5%80%80%80"]
)
def test_bytes_that_are_no_utf8_are_refused(body):
    assert refused(post(body)) == ("invalid_request", "The request body is not UTF-8.")


@pytest.mark.parametrize("body", ["scope=100%", "scope=%zz", "scope=%2", "%=a", "scope=%u0041"])
def test_a_percent_sign_that_begins_no_byte_is_refused(body):
    assert refused(post(body))[1] == "The request body is not percent-encoded correctly."


@BOTH
def test_nul_is_refused_by_name(content_type):
    assert refused(posted({"audience": "a\0"}, content_type))[1] == "The parameter audience contains a NUL character."


@BOTH
def test_nul_in_a_secret_is_left_to_be_a_wrong_secret(content_type):
    assert read(posted({"client_secret": "a\0"}, content_type)) == {"client_secret": "a\0"}


def test_a_lone_surrogate_is_refused_by_name():
    assert refused(post('{"audience": "\\ud800"}', JSON))[1] == "The parameter audience is not valid Unicode."
    assert refused(post('{"scope": ["\\ud800"]}', JSON))[1] == "The parameter scope is not valid Unicode."


def test_null_in_json_is_absent():
    assert read(post('{"scope": null, "audience": null, "code": "x"}', JSON)) == {"code": "x"}


@pytest.mark.parametrize("value", [7, 1.5, True, False, {}, {"a": 1}, [], ["a"]])
def test_a_json_value_that_is_no_string_is_refused_by_name(value):
    assert refused(post(json.dumps({"audience": value}), JSON)) == (
        "invalid_request",
        "The parameter audience must be a string.",
    )


@pytest.mark.parametrize("value", [7, True, {}, {"a": 1}, ["a", 7], [None], [["a"]]])
def test_a_scope_of_another_type_is_an_invalid_scope(value):
    assert refused(post(json.dumps({"scope": value}), JSON)) == (
        "invalid_scope",
        "Scope must be an array or a string",
    )


def test_a_scope_may_be_an_array_of_strings():
    assert read(post('{"scope": ["read:a", "write:a"]}', JSON)) == {"scope": "read:a write:a"}
    assert read(post('{"scope": []}', JSON)) == {}


def test_unknown_json_members_may_be_of_any_type():
    assert read(post('{"x": {"y": [1]}, "z": 7, "grant_type": "g", "w": false}', JSON)) == {"grant_type": "g"}


@pytest.mark.parametrize(
    "body",
    ["", "{", "nope", "{'scope': 'a'}", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1,}', '\ufeff{"scope": "a"}']
    + ['{"a": ' + "9" * 5000 + "}", "[" * 50_000, '{"a":' * 10_000, '{"scope": "a"} x', '{"a": "\t"}'],
)
def test_what_is_no_json_is_refused(body):
    assert refused(post(body, JSON)) == ("invalid_request", "The request body is not valid JSON.")


@pytest.mark.parametrize("body", ["[]", "7", '"scope=a"', "null", "true", '[{"scope": "a"}]'])
def test_json_that_is_no_object_is_refused(body):
    assert refused(post(body, JSON)) == ("invalid_request", "The request body must be a JSON object.")


@pytest.mark.parametrize("body", [b'{"scope": "\xff"}', '{"scope": "a"}'.encode("utf-16")])
def test_json_in_another_encoding_is_refused(body):
    assert refused(post(body, JSON))[1] == "The request body is not UTF-8."


@BOTH
def test_a_body_of_64_kb_is_read_and_one_byte_more_is_not(content_type):
    frame = '{"scope":"%s"}' if content_type == JSON else "scope=%s"
    fill = "a" * (MAX_BODY - len(frame) + 2)

    assert read(post(frame % fill, content_type)) == {"scope": fill}
    assert refused(post(frame % (fill + "a"), content_type)) == (
        "invalid_request",
        "The request body is too large, or could not be read.",
    )


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 30, "9" * 5000, "-1", "abc", "1e9"])
def test_a_body_that_announces_too_much_is_not_read(length):
    request = post("scope=a")
    request.META["CONTENT_LENGTH"] = length

    assert refused(request)[0] == "invalid_request"
    assert not request._read_started


def test_a_body_that_announces_too_little_is_refused_all_the_same():
    request = post("scope=" + "a" * MAX_BODY)
    request.META["CONTENT_LENGTH"] = "1"

    assert refused(request)[1] == "The request body is too large, or could not be read."


def test_a_content_type_that_cannot_be_read_is_refused():
    request = post("scope=a")
    request.META["CONTENT_TYPE"] = "a/b; charset*=nonsense''x"

    assert refused(request) == ("invalid_request", "The Content-Type header cannot be read.")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10)
def test_a_lower_limit_of_the_server_is_answered_alike():
    assert refused(post("scope=" + "a" * 20))[1] == "The request body is too large, or could not be read."


class Broken(BytesIO):
    def read(self, *args):
        raise OSError("connection reset")


def test_a_connection_that_breaks_is_refused_and_not_a_crash():
    request = post("scope=a")
    request._stream = Broken()

    assert refused(request)[1] == "The request body is too large, or could not be read."


def test_a_body_that_somebody_has_begun_to_read_is_refused():
    request = post("scope=a")
    request.read(1)

    assert refused(request)[1] == "The request body is too large, or could not be read."


def test_too_many_parameters_are_refused():
    assert refused(post("&".join(f"a{n}=1" for n in range(201))))[1] == "The request body has too many parameters."


@pytest.mark.parametrize("query", ["?grant_type=client_credentials", "?client_secret", "?a=1&scop%65=", "?code=%FF"])
def test_protocol_parameters_in_the_query_string_are_refused(query):
    error, description = refused(post("grant_type=client_credentials", query=query))

    assert (error, description) == (
        "invalid_request",
        "Parameters belong in the request body, not in the query string.",
    )


def test_other_query_parameters_are_ignored():
    assert read(post("scope=a", query="?utm=1&%FF=2")) == {"scope": "a"}


@given(st.binary(max_size=300), st.sampled_from([FORM, JSON]))
def test_any_bytes_are_parameters_or_a_refusal(body, content_type):
    try:
        found = read(post(body, content_type))
    except TokenError as error:
        assert error.status == 400
    else:
        assert found.keys() <= KNOWN
        assert all(isinstance(value, str) and value for value in found.values())
