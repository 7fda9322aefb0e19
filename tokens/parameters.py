"""Read what a client posts to an OAuth endpoint: a form, or JSON as Auth0's libraries send it, by one set of rules."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from django.utils.http import parse_header_parameters

from tokens.errors import TokenError

MAX_BODY = 64 * 1024
MAX_PARAMETERS = 200

# Every parameter that means something at one of our endpoints. All others are ignored (RFC 6749 §3.2).
KNOWN = frozenset(
    """
    grant_type client_id client_secret client_assertion client_assertion_type scope audience resource organization
    authorization_details code redirect_uri code_verifier refresh_token device_code username password realm otp
    oob_code binding_code recovery_code mfa_token assertion subject_token subject_token_type actor_token
    actor_token_type requested_token_type connection login_hint token token_type_hint response_type response_mode state
    nonce code_challenge code_challenge_method prompt max_age display ui_locales id_token_hint acr_values claims
    claims_locales request request_uri dpop_jkt screen_hint invitation
    """.split()
)

_PERCENT_SIGN_ALONE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read(query: str, content_type: str, body: bytes | None) -> dict[str, str]:
    """Return the known parameters of a posted body; empty ones and JSON nulls are absent (RFC 6749 §3.2).

    query: the query string, which may not hold any. body: None for one that is larger than `MAX_BODY`.
    Raises TokenError, always 400 and without an echo of what was sent: another content type, a charset other than
    UTF-8, a body too large, a parameter given twice, NUL, a value that is not text, parameters in the query string.
    """
    if query:
        _refuse_query_string(query)
    parse = PARSERS.get(content_type) or _parser(content_type)
    if body is None or len(body) > MAX_BODY:
        raise _invalid("The request body is too large, or could not be read.")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _invalid("The request body is not UTF-8.") from None
    return {name: value for name, value in parse(text).items() if value != ""}


def _refuse_query_string(query: str) -> None:
    """Secrets in addresses end up in logs, so none is read from there (RFC 6749 §2.3.1)."""
    if any(name in KNOWN for name, _value in parse_qsl(query, keep_blank_values=True)):
        raise _invalid("Parameters belong in the request body, not in the query string.")


def _parser(content_type: str) -> Any:
    try:
        kind, options = parse_header_parameters(content_type)
    except (ValueError, LookupError):
        raise _invalid("The Content-Type header cannot be read.") from None
    if options.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise _invalid("The charset of the request body must be UTF-8.")
    if kind in PARSERS:
        return PARSERS[kind]
    raise _invalid("The Content-Type must be application/x-www-form-urlencoded or application/json.")


def _form(text: str) -> dict[str, str]:
    """RFC 6749 Appendix B, strictly: a percent sign that begins no byte and bytes that are no UTF-8 are refused."""
    if text.count("&") >= MAX_PARAMETERS:
        raise _invalid("The request body has too many parameters.")
    if _PERCENT_SIGN_ALONE.search(text):
        raise _invalid("The request body is not percent-encoded correctly.")
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    try:
        decoded = [
            (unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict"))
            for name, _equals, value in pairs
        ]
    except UnicodeDecodeError:
        raise _invalid("The request body is not UTF-8.") from None
    return {name: _text(name, value) for name, value in _unique(decoded).items() if name in KNOWN}


def _json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _invalid("The request body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise _invalid("The request body must be a JSON object.")
    return {name: _text(name, value) for name, value in found.items() if name in KNOWN and value is not None}


def _text(name: str, value: Any) -> str:
    """Return one parameter's value as text that can be stored, compared and logged."""
    if name == "scope":
        value = _scope(value)
    if not isinstance(value, str):
        raise _invalid(f"The parameter {name} must be a string.")
    # A NUL in a secret makes it a wrong secret, answered as one; anywhere else it is a database's error to be.
    if "\0" in value and name != "client_secret":
        raise _invalid(f"The parameter {name} contains a NUL character.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _invalid(f"The parameter {name} is not valid Unicode.") from None
    return value


def _scope(value: Any) -> str:
    """Return the scope as RFC 6749 §3.3 writes it; Auth0's libraries may send a JSON array."""
    if isinstance(value, list) and all(isinstance(scope, str) for scope in value):
        return " ".join(value)
    if isinstance(value, str):
        return value
    raise TokenError("invalid_scope", "Scope must be an array or a string")


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict; a name given twice is refused whatever it is (RFC 6749 §3.2)."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            # RFC 8707 §2 lets a client name several resources; a token here is for one.
            error = "invalid_target" if name == "resource" else "invalid_request"
            what = f"The parameter {name}" if name in KNOWN else "A parameter"
            raise TokenError(error, f"{what} is given more than once.")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _invalid(description: str) -> TokenError:
    return TokenError("invalid_request", description)


PARSERS = {"application/x-www-form-urlencoded": _form, "application/json": _json}
