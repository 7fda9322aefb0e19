"""What an access token says, per profile; no database, no clock of its own."""

import re
import secrets
from collections.abc import Sequence
from typing import Any

from tokens.facts import ProtectedAPI

RFC9068 = frozenset({"rfc9068_profile", "rfc9068_profile_authz"})
AUTHZ = frozenset({"access_token_authz", "rfc9068_profile_authz"})

MICROSECONDS = 1_000_000
_WITHIN_SECOND = re.compile(r"\.([0-9]{6})\Z")


def client_credentials_claims(
    api: ProtectedAPI, client_id: str, issuer: str, scopes: Sequence[str], at: int
) -> dict[str, Any]:
    """Return the claims of an access token that `client_id` gets for itself.

    at: microseconds since 1970 UTC. `iat` and `exp` are whole seconds of it (RFC 7519 §2, NumericDate), the rest is in
    `jti`; see `issued_at`. `exp` is `iat` plus the API's lifetime. `sub` is "<client_id>@clients", which no user's can
    equal. `scope` is left out when there are none.
    RFC 9068 §2.2 for the profiles of that name; Auth0's access-token profile otherwise.
    """
    second, microsecond = divmod(at, MICROSECONDS)
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": f"{client_id}@clients",
        "aud": api.identifier,
        "iat": second,
        "exp": second + api.token_lifetime,
    }
    if scopes:
        claims["scope"] = " ".join(scopes)
    claims["jti"] = f"{secrets.token_urlsafe(16)}.{microsecond:06d}"
    if api.token_dialect in RFC9068:
        claims["client_id"] = client_id
    else:
        claims["gty"] = "client-credentials"
        claims["azp"] = client_id
    if api.token_dialect in AUTHZ and api.enforce_policies:
        claims["permissions"] = list(scopes)
    return claims


def issued_at(claims: dict[str, Any]) -> int:
    """Return when a token of ours was issued, in microseconds since 1970 UTC; for claims whose signature holds.

    `iat` says the second. A `jti` that ends in a dot and six digits says where in it; any other counts as its
    beginning, so that what cannot be placed is older than a stamp of the same second, and revoked by it.
    """
    end = _WITHIN_SECOND.search(str(claims.get("jti")))
    return int(claims["iat"]) * MICROSECONDS + (int(end[1]) if end else 0)


def token_type(api: ProtectedAPI) -> str:
    """Return the `typ` header: "at+jwt" for RFC 9068 (§2.1), "JWT" for Auth0's profile."""
    return "at+jwt" if api.token_dialect in RFC9068 else "JWT"
