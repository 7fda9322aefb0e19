"""RFC 6749 §2.3, §3.2 and §5: how the token endpoint is spoken to, and how it refuses."""

import base64
import json
import statistics
import time
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from applications.operations import add_secret, roll_secret, rotate_secret, update_application
from tests.conftest import HOST

FORM = "application/x-www-form-urlencoded"


def post(body, content_type=FORM, **headers):
    return Client(HTTP_HOST=HOST).post("/oauth/token", body, content_type=content_type, headers=headers)


@pytest.fixture
def form(billing_app, calendar_api, billing_grant):
    return {
        "grant_type": "client_credentials",
        "client_id": billing_app.client_id,
        "client_secret": billing_app.secret,
        "audience": calendar_api.identifier,
    }


def basic(client_id, secret, scheme="Basic"):
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()
    return f"{scheme} {base64.b64encode(pair).decode()}"


def assert_clean_refusal(response, *errors):
    assert 400 <= response.status_code < 500
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    body = response.json()
    assert "access_token" not in body
    assert not errors or body["error"] in errors
    assert all(character not in body["error_description"] for character in '"\\<>')


def test_a_json_body_is_read_as_auth0s_libraries_send_it(form):
    assert post(json.dumps(form), "application/json").status_code == 200
    assert post(json.dumps(form), "application/json;charset=UTF-8").status_code == 200


def test_null_and_empty_members_are_absent(form):
    body = form | {"organization": None, "scope": "", "client_assertion": None, "resource": None}

    assert post(json.dumps(body), "application/json").status_code == 200
    assert post(urlencode(form | {"scope": "", "foo": "1"})).status_code == 200


def test_basic_authentication_is_percent_decoded(form, billing_app):
    body = {name: form[name] for name in ("grant_type", "audience")}

    for scheme in ("Basic", "basic", "BASIC"):
        assert (
            post(urlencode(body), Authorization=basic(billing_app.client_id, billing_app.secret, scheme)).status_code
            == 200
        )
    again = urlencode(body | {"client_id": billing_app.client_id})
    assert post(again, Authorization=basic(billing_app.client_id, billing_app.secret)).status_code == 200


def test_two_methods_at_once_are_refused(form, billing_app):
    header = basic(billing_app.client_id, billing_app.secret)

    assert_clean_refusal(post(urlencode(form), Authorization=header), "invalid_request")
    other = urlencode({"grant_type": "client_credentials", "client_id": "another", "audience": "x"})
    assert_clean_refusal(post(other, Authorization=header), "invalid_request")


@pytest.mark.parametrize(
    "header",
    ["Basic !!!!", "Basic", "Basic " + "A" * 9000, "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Bearer abc"],
)
def test_a_broken_authorization_header_is_refused(form, header):
    body = urlencode({"grant_type": "client_credentials", "audience": form["audience"]})

    response = post(body, Authorization=header)

    assert_clean_refusal(response, "invalid_client", "invalid_request")


def test_a_failed_basic_authentication_names_the_scheme(form, billing_app):
    body = urlencode({"grant_type": "client_credentials", "audience": form["audience"]})

    response = post(body, Authorization=basic(billing_app.client_id, "wrong"))

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1],
        lambda s: s + "x",
        lambda s: s + " ",
        lambda s: s.swapcase(),
        lambda s: chr(ord(s[0]) ^ 1) + s[1:],
    ],
)
def test_a_secret_that_is_nearly_right_is_wrong(form, spoil):
    response = post(urlencode(form | {"client_secret": spoil(form["client_secret"])}))

    assert_clean_refusal(response, "invalid_client")
    assert response.status_code == 401


def test_a_nul_is_refused(form):
    assert_clean_refusal(post(urlencode(form | {"client_secret": form["client_secret"] + "\x00"})), "invalid_client")
    assert_clean_refusal(post(urlencode(form | {"audience": "https://calendar.example/\x00"})), "invalid_request")
    assert_clean_refusal(post(json.dumps(form | {"scope": "a\u0000b"}), "application/json"))


def test_an_unknown_client_looks_like_a_wrong_secret(form):
    unknown = post(urlencode(form | {"client_id": "A" * 32}))
    wrong = post(urlencode(form | {"client_secret": "A" * 64}))

    assert unknown.status_code == wrong.status_code == 401
    shown = [{k: v for k, v in response.json().items() if k != "log_id"} for response in (unknown, wrong)]
    assert shown[0] == shown[1]
    assert set(unknown.headers) == set(wrong.headers)


def test_an_unknown_client_is_not_refused_faster(form):
    def median(body):
        times = []
        for _ in range(15):
            began = time.perf_counter()
            post(urlencode(body))
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    unknown, wrong = median(form | {"client_id": "A" * 32}), median(form | {"client_secret": "A" * 64})

    assert wrong - unknown < 0.05


@pytest.mark.parametrize("missing", ["client_secret", "client_id"])
def test_a_confidential_client_always_authenticates(form, missing):
    assert_clean_refusal(post(urlencode({k: v for k, v in form.items() if k != missing})))


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "audience", "scope"])
def test_a_repeated_parameter_is_refused(form, name):
    value = form.get(name, "read:appointments")
    body = urlencode(list(form.items()) + [("scope", "read:appointments")]) if name == "scope" else urlencode(form)

    assert_clean_refusal(post(f"{body}&{urlencode({name: value})}"), "invalid_request")
    assert_clean_refusal(post(f"{urlencode({name: 'other'})}&{body}"), "invalid_request")


def test_a_repeated_json_member_is_refused(form):
    text = json.dumps(form)[:-1] + ', "audience": "https://other.example/"}'

    assert_clean_refusal(post(text, "application/json"), "invalid_request")


@pytest.mark.parametrize("name", ["audience", "client_id", "client_secret", "grant_type", "resource"])
@pytest.mark.parametrize("value", [1, True, ["x"], {"a": "b"}, 1.5])
def test_a_json_member_that_is_not_text_is_refused(form, name, value):
    assert_clean_refusal(post(json.dumps(form | {name: value}), "application/json"), "invalid_request")


def test_a_scope_that_is_no_text_is_refused_in_auth0s_words(form):
    response = post(json.dumps(form | {"scope": 7}), "application/json")

    assert_clean_refusal(response, "invalid_scope")
    assert response.json()["error_description"] == "Scope must be an array or a string"


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "{", "", "[" * 100_000, '{"a":' * 50_000])
def test_a_json_body_that_is_no_object_is_refused(form, body):
    assert_clean_refusal(post(body, "application/json"), "invalid_request")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/octet-stream", "multipart/form-data", ""]
)
def test_another_content_type_is_refused(form, kind):
    assert_clean_refusal(post(urlencode(form), kind), "invalid_request")


def test_parameters_in_the_query_string_are_refused(form):
    response = Client(HTTP_HOST=HOST).post(f"/oauth/token?{urlencode(form)}")
    assert_clean_refusal(response, "invalid_request")
    response = Client(HTTP_HOST=HOST).post("/oauth/token?scope=x", urlencode(form), content_type=FORM)
    assert_clean_refusal(response, "invalid_request")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_only_post_asks_for_tokens(form, method):
    response = getattr(Client(HTTP_HOST=HOST), method)("/oauth/token")

    assert response.status_code == 405
    assert response["Allow"] == "POST"


@pytest.mark.parametrize(
    "body", [b"grant_type=client_credentials&scope=\xff\xfe", b"\x00\x01\x02", b"a=%zz", b"&&&===", b"x" * 70_000]
)
def test_garbage_is_refused(body, tenant):
    assert_clean_refusal(post(body))


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "x " * 4000, "é", "a\x7fb"])
def test_a_scope_outside_the_grammar_is_refused(form, scope):
    assert_clean_refusal(post(urlencode(form | {"scope": scope})))


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", 'x"y', "a\\b", "\r\nSet-Cookie: a=b"])
def test_nothing_hostile_is_echoed(form, hostile):
    for name in ("audience", "scope", "grant_type", "client_id"):
        response = post(urlencode(form | {name: hostile}))
        assert_clean_refusal(response)
        assert "<script" not in response.content.decode()
        assert not response.cookies


def test_both_live_secrets_work_until_one_expires(ask, billing_grant, billing_app, by):
    import datetime

    second = add_secret(billing_app.row, by)
    assert ask().status_code == ask(client_secret=second).status_code == 200
    first = billing_app.row.secrets.first()

    first.expires_at = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    first.save()

    assert ask().status_code == 401
    assert ask(client_secret=second).status_code == 200


def test_a_rolled_secret_keeps_working_for_its_grace(ask, billing_grant, billing_app, by):
    import datetime

    new = roll_secret(billing_app.row.secrets.get(), by, datetime.timedelta(hours=1))

    assert ask().status_code == ask(client_secret=new).status_code == 200
    newest = billing_app.row.secrets.last()
    at_once = roll_secret(newest, by, datetime.timedelta())
    assert ask(client_secret=new).status_code == 401
    assert ask(client_secret=at_once).status_code == 200


def test_a_rotated_secret_is_dead_at_once(ask, billing_grant, billing_app, by):
    new = rotate_secret(billing_app.row, by)

    assert ask().status_code == 401
    assert ask(client_secret=new).status_code == 200


def test_a_guessing_burst_does_not_lock_the_client_out(ask, billing_grant):
    for _ in range(60):
        assert ask(client_secret="wrong").status_code in {401, 429}

    assert ask().status_code == 200


def test_a_guessing_burst_does_not_fill_the_log(ask, billing_grant, tenant):
    for number in range(40):
        ask(client_id=f"guess{number}", client_secret="wrong")
        ask(client_secret="wrong")

    # Ten for each of the two, and one that says that there were more.
    assert tenant.log_entries.count() <= 21


def test_only_a_registered_origin_may_read_the_answer(ask, billing_grant, billing_app, by):
    update_application(billing_app.row, by, allowed_origins="https://app.example")

    assert ask(headers={"Origin": "https://app.example"})["Access-Control-Allow-Origin"] == "https://app.example"
    for origin in ("https://evil.example", "https://app.example.evil", "https://app.exampl", "null", "*", "x" * 2000):
        response = ask(headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response
        assert "Access-Control-Allow-Credentials" not in response


def test_a_preflight_of_a_registered_origin_is_allowed(client, billing_app, by):
    update_application(billing_app.row, by, allowed_origins="https://app.example")

    allowed = client.options("/oauth/token", headers={"Origin": "https://app.example"})
    refused = client.options("/oauth/token", headers={"Origin": "https://evil.example"})

    assert allowed["Access-Control-Allow-Methods"] == "POST"
    assert "auth0-client" in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Methods" not in refused


def test_secrets_never_reach_the_log(ask, billing_grant, billing_app, tenant, caplog):
    caplog.set_level("DEBUG")

    ask()
    ask(scope="write:appointments")
    ask(client_secret="a-wrong-secret-of-mine")

    assert "/oauth/token" in caplog.text
    written = caplog.text + json.dumps(list(tenant.log_entries.values("details", "description")))

    assert billing_app.secret not in written
    assert "a-wrong-secret-of-mine" not in written
    assert "eyJ" not in written
