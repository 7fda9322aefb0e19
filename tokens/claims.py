"""What an access token says, per profile; no database, no clock of its own."""

import secrets
from collections.abc import Sequence
from typing import Any

from tokens.facts import ProtectedAPI

RFC9068 = frozenset({"rfc9068_profile", "rfc9068_profile_authz"})
AUTHZ = frozenset({"access_token_authz", "rfc9068_profile_authz"})


def client_credentials_claims(
    api: ProtectedAPI, client_id: str, issuer: str, scopes: Sequence[str], now: float
) -> dict[str, Any]:
    """Return the claims of an access token that `client_id` gets for itself.

    `iat` and `exp` are whole seconds since 1970 UTC (RFC 7519 §2, NumericDate); `exp` is `iat` plus the API's
    lifetime. `sub` is "<client_id>@clients", which no user's can equal. `scope` is left out when there are none.
    RFC 9068 §2.2 for the profiles of that name; Auth0's access-token profile otherwise.
    """
    issued_at = int(now)
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": f"{client_id}@clients",
        "aud": api.identifier,
        "iat": issued_at,
        "exp": issued_at + api.token_lifetime,
    }
    if scopes:
        claims["scope"] = " ".join(scopes)
    claims["jti"] = secrets.token_urlsafe(16)
    if api.token_dialect in RFC9068:
        claims["client_id"] = client_id
    else:
        claims["gty"] = "client-credentials"
        claims["azp"] = client_id
    if api.token_dialect in AUTHZ and api.enforce_policies:
        claims["permissions"] = list(scopes)
    return claims


def token_type(api: ProtectedAPI) -> str:
    """Return the `typ` header: "at+jwt" for RFC 9068 (§2.1), "JWT" for Auth0's profile."""
    return "at+jwt" if api.token_dialect in RFC9068 else "JWT"
