import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens.errors import MAX_DESCRIPTION, STATUS, TokenError, clean, client_authentication_failed


@given(st.text(max_size=1000))
def test_a_description_has_only_the_characters_of_section_5_2(text):
    cleaned = TokenError("invalid_request", text).body()["error_description"]

    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", cleaned)
    assert not set(cleaned) & set("<>")
    assert len(cleaned) <= MAX_DESCRIPTION


def test_a_description_stays_readable():
    assert clean('Service "<b>Kalender\u00fc</b>"\r\nis\tgone\\\0') == "Service 'bKalender?/b'  is gone?"
    assert clean("x" * 501) == "x" * 497 + "..."
    assert clean("x" * 500) == "x" * 500


def test_the_body_is_the_two_members_of_section_5_2():
    error = TokenError("invalid_scope", "Scope must be an array or a string")

    assert error.status == 400
    assert json.loads(json.dumps(error.body())) == {
        "error": "invalid_scope",
        "error_description": "Scope must be an array or a string",
    }


def test_more_members_are_cleaned_too():
    body = TokenError("unauthorized_client", "No.").body(error_uri='https://x/?"<')

    assert body["error_uri"] == "https://x/?'"


@pytest.mark.parametrize("code", STATUS)
def test_every_code_is_spelled_as_the_specification_allows(code):
    assert re.fullmatch(r"[a-z_]+", code)
    assert 400 <= TokenError(code, "").status < 600


def test_a_status_may_be_given():
    assert TokenError("invalid_request", "Use POST.", status=405, headers={"Allow": "POST"}).status == 405


def test_a_code_that_is_not_in_the_table_cannot_be_sent():
    with pytest.raises(KeyError):
        TokenError("invalid_reqest", "", status=400)


def test_who_tried_the_authorization_header_is_told_its_scheme():
    assert client_authentication_failed(challenge=True).headers["WWW-Authenticate"].startswith("Basic ")
    assert client_authentication_failed(challenge=False).headers == {}
    assert client_authentication_failed(challenge=False).status == 401
