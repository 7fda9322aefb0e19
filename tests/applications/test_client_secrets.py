import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications import secrets

SECRET = secrets.generate()
STORED = secrets.digest(SECRET)


def test_a_secret_is_64_characters_that_need_no_encoding_anywhere():
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", SECRET)


def test_secrets_differ_and_use_the_whole_alphabet():
    made = [secrets.generate() for _ in range(200)]

    assert len(set(made)) == 200
    assert set("".join(made)) == set(string.ascii_letters + string.digits + "_-")


def test_what_is_stored_does_not_show_the_secret():
    assert re.fullmatch(r"sha256\$[0-9a-f]{32}\$[0-9a-f]{64}", STORED)
    assert SECRET not in STORED


def test_one_secret_is_stored_differently_each_time():
    assert secrets.digest(SECRET) != STORED
    assert secrets.matches(SECRET, secrets.digest(SECRET))


def test_the_secret_matches():
    assert secrets.matches(SECRET, STORED)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        SECRET[:-1],
        SECRET + "A",
        SECRET + " ",
        SECRET + "\0",
        SECRET + "\n",
        SECRET.swapcase(),
        SECRET[::-1],
        STORED,
        STORED.split("$")[2],
        SECRET + "\ud800",
        "é" * 64,
    ],
)
def test_anything_else_does_not_match(presented):
    assert not secrets.matches(presented, STORED)


@pytest.mark.parametrize("stored", ["", "$$", "sha256$$", SECRET, "md5$" + STORED[7:], STORED + "$", STORED[:-1]])
def test_nothing_matches_what_is_no_digest(stored):
    assert not secrets.matches(SECRET, stored)
    assert not secrets.matches("", stored)


@given(st.text(), st.text())
def test_only_the_same_text_matches(presented, other):
    assert secrets.matches(presented, secrets.digest(other or "x")) == (presented == (other or "x"))


def test_an_empty_secret_is_never_stored():
    with pytest.raises(ValueError, match="never empty"):
        secrets.digest("")


def test_the_hint_is_the_end():
    assert secrets.hint("abcdefgh") == "efgh"
