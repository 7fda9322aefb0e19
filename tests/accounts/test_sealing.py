"""Secrets at rest open in their own place, with a key of the ring, unchanged; and in no other case."""

import base64
import json

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwe, jwk

from accounts.sealing import MAX_PLAINTEXT, CannotUnseal, parse_ring, reseal, seal, sealed_with, unseal

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PURPOSE = "signing-key:abc"


def encoded(key):
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def ring(*entries):
    text = ",".join(f"{key_id}:{encoded(key)}" for key_id, key in entries)
    return override_settings(GATEHOUSE_ENCRYPTION_KEYS=text)


@pytest.fixture(autouse=True)
def one_key():
    with ring(("2026-01", OLD)):
        yield


texts = st.text(st.characters(codec="utf-8"), min_size=1)


@given(texts, texts)
def test_what_is_sealed_opens_in_its_place(plain, purpose):
    with ring(("2026-01", OLD)):
        assert unseal(seal(plain, purpose), purpose) == plain


def test_a_sealed_text_does_not_show_the_secret():
    sealed = seal("correct horse", PURPOSE)

    assert "correct horse" not in sealed
    assert encoded(b"correct horse") not in sealed


def test_two_seals_of_one_secret_differ():
    assert seal("secret", PURPOSE) != seal("secret", PURPOSE)


def test_a_sealed_text_is_a_compact_jwe_that_names_its_key_and_place():
    sealed = seal("secret", PURPOSE)

    opened = jwe.JWE(algs=["dir", "A256GCM"])
    opened.deserialize(sealed, jwk.JWK(kty="oct", k=encoded(OLD)))
    assert opened.payload == b"secret"
    assert json.loads(opened.objects["protected"]) == {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": "2026-01",
        "ctx": PURPOSE,
    }


def test_a_sealed_text_moved_to_another_place_does_not_open():
    with pytest.raises(CannotUnseal, match="moved from there to 'signing-key:xyz'"):
        unseal(seal("secret", PURPOSE), "signing-key:xyz")


def test_a_sealed_text_with_its_place_rewritten_does_not_open():
    with pytest.raises(CannotUnseal, match="damaged"):
        unseal(with_header(seal("secret", PURPOSE), ctx="signing-key:xyz"), "signing-key:xyz")


def test_a_key_that_is_not_in_the_ring_is_named():
    sealed = seal("secret", PURPOSE)

    with (
        ring(("2026-07", NEW)),
        pytest.raises(CannotUnseal, match="the key '2026-01', which GATEHOUSE_ENCRYPTION"),
    ):
        unseal(sealed, PURPOSE)


def test_another_key_under_the_same_id_does_not_open_it():
    sealed = seal("secret", PURPOSE)

    with ring(("2026-01", NEW)), pytest.raises(CannotUnseal, match="damaged"):
        unseal(sealed, PURPOSE)


@given(st.data())
def test_a_single_changed_character_does_not_open(data):
    with ring(("2026-01", OLD)):
        sealed = seal("a secret", PURPOSE)
        place = data.draw(st.sampled_from([i for i, letter in enumerate(sealed) if letter != "."]))
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "Q") + sealed[place + 1 :]

        try:
            opened = unseal(changed, PURPOSE)
        except CannotUnseal:
            return
        # The last character of a part has bits that base64url does not use.
        assert opened == "a secret"
        assert changed[place + 1 : place + 2] in {"", "."}


@pytest.mark.parametrize("cut", [0, 1, 10, 60, -1])
def test_a_cut_text_does_not_open(cut):
    with pytest.raises(CannotUnseal, match="damaged"):
        unseal(seal("secret", PURPOSE)[:cut], PURPOSE)


@pytest.mark.parametrize(
    "text", ["", "....", "secret", "e30....", "W10....", "bnVsbA....", "AA....", "é....", "A....", "eyJ....x"]
)
def test_what_was_never_sealed_does_not_open(text):
    with pytest.raises(CannotUnseal, match="damaged"):
        unseal(text, PURPOSE)


@pytest.mark.parametrize(
    "change", [{"alg": "A256KW"}, {"enc": "A128GCM"}, {"zip": "DEF"}, {"kid": ["2026-01"]}, {"ctx": None}]
)
def test_a_header_that_is_not_ours_does_not_open(change):
    with pytest.raises(CannotUnseal, match="damaged"):
        unseal(with_header(seal("secret", PURPOSE), **change), PURPOSE)


def with_header(sealed, **change):
    head, rest = sealed.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | change
    return encoded(json.dumps(header).encode()) + "." + rest


def test_an_empty_or_too_long_text_is_not_sealed():
    assert unseal(seal("x" * MAX_PLAINTEXT, PURPOSE), PURPOSE) == "x" * MAX_PLAINTEXT
    for plain in ("", "x" * (MAX_PLAINTEXT + 1), "ü" * (MAX_PLAINTEXT // 2 + 1)):
        with pytest.raises(ValueError, match="1 to 65536 bytes"):
            seal(plain, PURPOSE)


def test_a_seal_without_a_purpose_is_refused():
    with pytest.raises(ValueError, match="needs a purpose"):
        seal("secret", "")


def test_the_first_key_seals_and_all_open():
    sealed = seal("secret", PURPOSE)

    with ring(("2026-07", NEW), ("2026-01", OLD)):
        assert unseal(sealed, PURPOSE) == "secret"
        assert sealed_with(sealed) == "2026-01"
        assert sealed_with(seal("secret", PURPOSE)) == "2026-07"


def test_resealing_moves_a_secret_under_the_first_key():
    sealed = seal("secret", PURPOSE)

    with ring(("2026-07", NEW), ("2026-01", OLD)):
        moved = reseal(sealed, PURPOSE)
    with ring(("2026-07", NEW)):
        assert unseal(moved, PURPOSE) == "secret"


def test_resealing_under_the_same_key_returns_the_same_text():
    sealed = seal("secret", PURPOSE)

    assert reseal(sealed, PURPOSE) == sealed


def test_resealing_checks_the_place():
    sealed = seal("secret", PURPOSE)

    with ring(("2026-07", NEW), ("2026-01", OLD)), pytest.raises(CannotUnseal, match="moved"):
        reseal(sealed, "signing-key:xyz")


def test_a_ring_keeps_its_order_and_may_have_blanks():
    text = f" 2026-07:{encoded(NEW)} , 2026-01:{encoded(OLD)}= "

    assert list(parse_ring(text).items()) == [("2026-07", NEW), ("2026-01", OLD)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no encryption key: give at least one, as id:base64url of 32 bytes."),
        (f"{encoded(OLD)}", "Entry 1 has no colon between its id and its key."),
        (f"a:{encoded(OLD)},", "Entry 2 has no colon between its id and its key."),
        (f"a b:{encoded(OLD)}", "The id of entry 1 must be 1 to 32 of A-Z a-z 0-9 . _ -"),
        (f":{encoded(OLD)}", "The id of entry 1 must be 1 to 32 of A-Z a-z 0-9 . _ -"),
        (f"a:{encoded(OLD)},a:{encoded(NEW)}", "The id 'a' is given twice."),
        (f"a:{encoded(OLD)},b:{encoded(OLD)}", "The key of 'b' is the same as that of an entry before it."),
        (f"a:{encoded(OLD[:31])}", "The key of 'a' has 31 bytes; it must have 32."),
        (f"a:{encoded(OLD * 2)}", "The key of 'a' has 64 bytes; it must have 32."),
        ("a:", "The key of 'a' is not base64url."),
        (f"a:{encoded(OLD)[:-1]}!", "The key of 'a' is not base64url."),
        (f"a:{encoded(OLD)[:-2]}", "The key of 'a' is not base64url."),
    ],
)
def test_a_ring_that_cannot_be_read_is_refused_by_name(text, message):
    with pytest.raises(ValueError) as refused:
        parse_ring(text)

    assert str(refused.value) == message


@given(st.text(max_size=120))
def test_a_refused_ring_never_shows_a_key(key):
    with pytest.raises(ValueError) as refused:
        parse_ring(f"first:{encoded(OLD)},{encoded(NEW)}{key}:")

    assert encoded(OLD) not in str(refused.value)
    assert encoded(NEW) not in str(refused.value)
