"""Read a compact JWS strictly, and check its signature with one key and one algorithm.

Both sides that look at somebody's token use this: the Test tab (our own access tokens) and client authentication
(assertions). A key is always chosen by the caller; nothing in a header is ever followed (RFC 8725 §3.10).
"""

import base64
import json
import re
from typing import Any, NamedTuple, TypeGuard

from jwcrypto import jwk, jws
from jwcrypto.common import JWException

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


class Malformed(ValueError):
    """Not a compact JWS; the message is a sentence."""


class Compact(NamedTuple):
    """What a compact JWS says before anything of it is believed."""

    header: dict[str, Any]
    payload: bytes


def read(token: str) -> Compact:
    """Return header and payload of a compact JWS, unverified.

    Raises Malformed for JSON serialization, padding, stray bits (two spellings of one token), headers that are no
    JSON object or name a member twice. RFC 7515 §5.2, §7.1.
    """
    match = _COMPACT.fullmatch(token)
    if match is None:
        raise Malformed("It is not three base64url parts joined by dots.")
    header, payload, _signature = (_decode(part) for part in match.groups())
    return Compact(json_object(header, "header"), payload)


def json_object(content: bytes, what: str) -> dict[str, Any]:
    """Return `content` as a JSON object whose names are unique (RFC 7519 §4). Raises Malformed naming `what`."""
    try:
        found = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed(f"Its {what} is not a JSON object with unique names.") from None
    if not isinstance(found, dict):
        raise Malformed(f"Its {what} is not a JSON object.")
    return found


def is_numeric_date(value: Any) -> TypeGuard[float]:
    """Return whether `value` is seconds since 1970 (RFC 7519 §2) before the year 10000; true and infinity are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 253_402_300_800


def is_signed_by(token: str, key: jwk.JWK, alg: str) -> bool:
    """Return whether `key` made the signature of `token` with `alg` and no other algorithm (RFC 8725 §3.1)."""
    signature = jws.JWS()
    signature.allowed_algs = [alg]
    try:
        signature.deserialize(token)
        signature.verify(key, alg)
    # jwcrypto's own errors are many; a token that makes the library stumble is a token that does not verify.
    except (JWException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return True


def _decode(part: str) -> bytes:
    if len(part) % 4 == 1:
        raise Malformed("One of its parts is not base64url.")
    content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        raise Malformed("One of its parts is not canonical base64url.")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
