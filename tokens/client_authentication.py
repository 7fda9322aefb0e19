"""How a client says who it is: which method it used, and whether an assertion holds. RFC 6749 §2.3, RFC 7523.

Whether the method is the one the client is registered with, and whether the secret is right, is the caller's to decide.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from jwcrypto import jwk

from applications.public_keys import CLIENT_ALGORITHMS
from tokens import compact
from tokens.errors import TokenError, client_authentication_failed

BASIC, POST, ASSERTION, NONE = "client_secret_basic", "client_secret_post", "private_key_jwt", "none"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

MAX_HEADER = 4096
MAX_ASSERTION = 2048
MAX_LIFETIME = 300
SKEW = 10
MAX_JTI = 128

# RFC 6749 Appendix A.1: VSCHAR. No client has an id of other characters, and no database should be asked for one.
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,255}")
_PERCENT_SIGN_ALONE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Presented:
    """What a request offers as its client's identity; nothing of it is verified yet."""

    method: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


class AssertionRefused(Exception):
    """An assertion that does not hold. `reason` is a sentence for the admin's log; the client is told nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def presented(authorization_header: str | None, parameters: dict[str, str]) -> Presented:
    """Return who the request says it is from, and by which method. parameters: what `parameters.read` returned.

    Raises TokenError:
    - invalid_request when it uses two methods, or names two clients (RFC 6749 §2.3), or no client at all;
    - invalid_client, 401 with a challenge, for an Authorization header that cannot be read: the client has tried to
      authenticate through it and failed (RFC 6749 §5.2), which is also what a wrong secret is answered with;
    - invalid_client, 401, for an assertion that names no client.
    """
    header = (authorization_header or "").strip()
    secret, assertion = parameters.get("client_secret"), parameters.get("client_assertion")
    if sum((header != "", secret is not None, assertion is not None)) > 1:
        raise TokenError("invalid_request", "Use one method of client authentication, not several.")
    if (assertion is not None or "client_assertion_type" in parameters) and (
        parameters.get("client_assertion_type") != ASSERTION_TYPE
    ):
        raise TokenError("invalid_request", f"The client_assertion_type must be {ASSERTION_TYPE}.")
    if header:
        return _basic(header, parameters.get("client_id"))
    if assertion is not None:
        client_id = parameters.get("client_id") or _subject(assertion)
        return Presented(ASSERTION, _known_characters(client_id), assertion=assertion)
    if "client_assertion_type" in parameters:
        raise TokenError("invalid_request", "Missing required parameter: client_assertion")
    if "client_id" not in parameters:
        raise TokenError("invalid_request", "Missing required parameter: client_id")
    client_id = _known_characters(parameters["client_id"])
    return Presented(NONE if secret is None else POST, client_id, secret=secret)


def _basic(header: str, client_id_in_body: str | None) -> Presented:
    """RFC 6749 §2.3.1: both halves are form-encoded before RFC 7617 §2 joins them with a colon."""
    failed = client_authentication_failed(challenge=True)
    scheme, _blank, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > MAX_HEADER:
        raise failed
    try:
        text = base64.b64decode(encoded.strip().encode("ascii"), validate=True).decode()
        if ":" not in text or _PERCENT_SIGN_ALONE.search(text):
            raise failed
        client_id, secret = (unquote_plus(half, errors="strict") for half in text.split(":", 1))
    except (binascii.Error, UnicodeError):
        raise failed from None
    if not _CLIENT_ID.fullmatch(client_id):
        raise failed
    if client_id_in_body not in {None, client_id}:
        raise TokenError("invalid_request", "The client_id is not that of the Authorization header.")
    return Presented(BASIC, client_id, secret=secret)


def _known_characters(client_id: str) -> str:
    if not _CLIENT_ID.fullmatch(client_id):
        raise client_authentication_failed(challenge=False)
    return client_id


def _subject(assertion: str) -> str:
    """Return the client id an assertion claims, only to find the client whose keys then decide. RFC 7521 §4.2."""
    try:
        subject = _claims(_read(assertion)).get("sub")
    except AssertionRefused:
        raise client_authentication_failed(challenge=False) from None
    return subject if isinstance(subject, str) else ""


def verify_assertion(
    assertion: str,
    client_id: str,
    keys: list[dict[str, Any]],
    issuer: str,
    now: float,
    used: Callable[[str, int], bool],
) -> dict[str, Any]:
    """Return the key with which `assertion` proves that its sender is `client_id`, or raise AssertionRefused.

    RFC 7523 §3.

    keys: the client's public JWKs, each with the alg it is registered for. issuer: the tenant's.
    now: seconds since 1970 UTC. used: called last, with the jti and the second from which it may be forgotten;
    answers whether this client has used that jti before, and remembers it.
    """
    token = _read(assertion)
    key = _check_signature(assertion, token.header, keys)
    claims = _claims(token)
    _check_parties(claims, client_id, issuer)
    expires = _check_dates(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI or not jti.isprintable():
        raise AssertionRefused(f"jti must be a string of 1 to {MAX_JTI} printable characters.")
    if used(jti, math.ceil(expires) + SKEW):
        raise AssertionRefused("This assertion has been used before (its jti is known).")
    return key


def _read(assertion: str) -> compact.Compact:
    # Measured before anything is parsed: this text comes from somebody not yet known.
    if len(assertion) > MAX_ASSERTION or not assertion.isascii():
        raise AssertionRefused(f"The assertion is longer than {MAX_ASSERTION} bytes, or not ASCII.")
    try:
        return compact.read(assertion)
    except compact.Malformed as error:
        raise AssertionRefused(f"The assertion cannot be read. {error}") from None


def _claims(token: compact.Compact) -> dict[str, Any]:
    try:
        return compact.json_object(token.payload, "payload")
    except compact.Malformed as error:
        raise AssertionRefused(f"The assertion cannot be read. {error}") from None


def _check_signature(assertion: str, header: dict[str, Any], keys: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the key that made the signature.

    The algorithm is the key's, never the header's choice (RFC 8725 §3.1); keys come from the client's row only.
    """
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in CLIENT_ALGORITHMS:
        raise AssertionRefused(f"The header's alg must be one of {', '.join(CLIENT_ALGORITHMS)}.")
    for member in ("crit", "b64", "jwk", "jku", "x5u"):
        if member in header:
            raise AssertionRefused(f"The header holds {member}, which is never followed.")
    if not keys:
        raise AssertionRefused("The application has no public key.")
    named = keys if kid is None else [key for key in keys if key.get("kid") == kid]
    if not named:
        raise AssertionRefused("The header's kid is not that of any of the application's keys.")
    fitting = [key for key in named if key.get("alg") == alg]
    if not fitting:
        raise AssertionRefused(f"The assertion is signed with {alg}; the application's key is for another algorithm.")
    for key in fitting:
        if compact.is_signed_by(assertion, jwk.JWK(**key), alg):
            return key
    raise AssertionRefused("The signature was not made by the application's key.")


def _check_parties(claims: dict[str, Any], client_id: str, issuer: str) -> None:
    for name in ("iss", "sub"):
        if claims.get(name) != client_id:
            raise AssertionRefused(f"{name} is not the client_id of the application.")
    base = issuer.rstrip("/")
    # Auth0's libraries address the issuer; OpenID Connect Core §9 asks for the token endpoint. No other spelling.
    accepted = (base, f"{base}/", f"{base}/oauth/token")
    audience = claims.get("aud")
    if not any(one in accepted for one in (audience if isinstance(audience, list) else [audience])):
        raise AssertionRefused(f"aud is neither {base}/ nor {base}/oauth/token.")


def _check_dates(claims: dict[str, Any], now: float) -> float:
    """Return exp. RFC 7523 §3; clocks may differ by ten seconds, and an assertion lives five minutes at most."""
    expires = claims.get("exp")
    if not compact.is_numeric_date(expires):
        raise AssertionRefused("exp is missing or not a number of seconds.")
    if expires <= now - SKEW:
        raise AssertionRefused(f"The assertion expired {int(now - expires)} seconds ago.")
    if expires > now + MAX_LIFETIME + SKEW:
        raise AssertionRefused(f"exp is more than {MAX_LIFETIME} seconds ahead.")
    for name in ("nbf", "iat"):
        value = claims.get(name, 0)
        if not compact.is_numeric_date(value):
            raise AssertionRefused(f"{name} is not a number of seconds.")
        if value > now + SKEW:
            raise AssertionRefused(f"{name} is more than {SKEW} seconds in the future.")
    return expires
