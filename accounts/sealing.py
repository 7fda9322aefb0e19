"""Seal secrets before they are stored: what is in the database is useless without GATEHOUSE_ENCRYPTION_KEYS.

A sealed text is a compact JWE (RFC 7516), `dir` with `A256GCM`, whose protected header names the key it is under and
the place it belongs to. Moving it to another row, or changing one bit, makes it refuse to open.
"""

import base64
import json
import re
from functools import lru_cache

from django.conf import settings
from jwcrypto import jwe, jwk
from jwcrypto.common import JWException

MAX_PLAINTEXT = 65536
KEY_BYTES = 32

# Shorter than a key in base64url, so that a key written in the place of an id is never taken for one, and shown.
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_ALGORITHMS = {"alg": "dir", "enc": "A256GCM"}


class CannotUnseal(Exception):
    """A sealed text that does not open. The message says which of the three reasons it is, and holds no secret."""


def seal(plain: str, purpose: str) -> str:
    """Return `plain` as a compact JWE under the first key of the ring, good for `purpose` only.

    purpose: the place it is stored in, such as "signing-key:<kid>". The same words are needed to open it.
    Raises ValueError when `plain` is empty or longer than MAX_PLAINTEXT bytes.
    """
    content = plain.encode()
    if not 1 <= len(content) <= MAX_PLAINTEXT:
        raise ValueError(f"A sealed text holds 1 to {MAX_PLAINTEXT} bytes.")
    if not purpose:
        raise ValueError("A sealed text needs a purpose.")
    ring = _ring()
    primary = next(iter(ring))
    header = json.dumps({**_ALGORITHMS, "kid": primary, "ctx": purpose})
    envelope = jwe.JWE(content, header, algs=list(_ALGORITHMS.values()))
    envelope.add_recipient(ring[primary])
    return envelope.serialize(compact=True)


def unseal(sealed: str, purpose: str) -> str:
    """Return the text that was sealed for `purpose`. Raises CannotUnseal."""
    header = _header(sealed)
    key = _ring().get(header["kid"])
    if key is None:
        raise CannotUnseal(
            f"This is sealed with the key {header['kid']!r}, which GATEHOUSE_ENCRYPTION_KEYS does not hold."
        )
    if header["ctx"] != purpose:
        raise CannotUnseal(f"This was sealed for {header['ctx']!r} and has been moved from there to {purpose!r}.")
    envelope = jwe.JWE(algs=list(_ALGORITHMS.values()))
    try:
        envelope.deserialize(sealed)
        envelope.decrypt(key, max_plaintext=MAX_PLAINTEXT)
        return envelope.payload.decode()
    except (JWException, ValueError):
        raise _damaged() from None


def sealed_with(sealed: str) -> str:
    """Return the id of the key that `sealed` is under, without opening it. Raises CannotUnseal if it is damaged."""
    return _header(sealed)["kid"]


def reseal(sealed: str, purpose: str) -> str:
    """Return the same secret under the first key of the ring: the very same text if it is there already."""
    if sealed_with(sealed) == next(iter(_ring())):
        return sealed
    return seal(unseal(sealed, purpose), purpose)


def parse_ring(text: str) -> dict[str, bytes]:
    """Return the keys of "id:base64url of 32 bytes, id:…" in the order given; the first is the one that seals.

    Raises ValueError naming the entry and what is wrong with it. A key never appears in a message.
    """
    entries = [entry.strip() for entry in text.split(",")]
    if entries == [""]:
        raise ValueError("There is no encryption key: give at least one, as id:base64url of 32 bytes.")
    ring: dict[str, bytes] = {}
    for position, entry in enumerate(entries, start=1):
        key_id, colon, encoded = entry.partition(":")
        # A malformed entry is named by its place: what should be its id may be the key itself.
        if not colon:
            raise ValueError(f"Entry {position} has no colon between its id and its key.")
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"The id of entry {position} must be 1 to 32 of A-Z a-z 0-9 . _ -")
        if key_id in ring:
            raise ValueError(f"The id {key_id!r} is given twice.")
        ring[key_id] = _key_bytes(key_id, encoded)
        if list(ring.values()).count(ring[key_id]) > 1:
            raise ValueError(f"The key of {key_id!r} is the same as that of an entry before it.")
    return ring


def _key_bytes(key_id: str, encoded: str) -> bytes:
    digits = encoded.rstrip("=")
    if not _BASE64URL.fullmatch(digits) or len(digits) % 4 == 1:
        raise ValueError(f"The key of {key_id!r} is not base64url.")
    key = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    if len(key) != KEY_BYTES:
        raise ValueError(f"The key of {key_id!r} has {len(key)} bytes; it must have {KEY_BYTES}.")
    return key


def _ring() -> dict[str, jwk.JWK]:
    return _keys(settings.GATEHOUSE_ENCRYPTION_KEYS)


@lru_cache(maxsize=4)
def _keys(text: str) -> dict[str, jwk.JWK]:
    return {
        key_id: jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(key).rstrip(b"=").decode())
        for key_id, key in parse_ring(text).items()
    }


def _header(sealed: str) -> dict[str, str]:
    """Return the protected header, which is exactly ours or it is not ours. Nothing is decrypted yet."""
    encoded = sealed.split(".", 1)[0]
    if sealed.count(".") != 4 or not _BASE64URL.fullmatch(encoded):
        raise _damaged()
    try:
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        raise _damaged() from None
    if not isinstance(header, dict) or header.keys() != {"alg", "enc", "kid", "ctx"}:
        raise _damaged()
    if not all(isinstance(value, str) for value in header.values()):
        raise _damaged()
    return header


def _damaged() -> CannotUnseal:
    return CannotUnseal("This sealed text is damaged: it has been changed or cut since it was sealed.")
