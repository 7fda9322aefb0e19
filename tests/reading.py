"""Read a token the way an API does: with PyJWT, and nothing of ours but the published keys."""

from typing import Any

import jwt
from django.test import Client

from accounts.models import Tenant


def header_of(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


def published_keys(tenant: Tenant) -> dict[str, Any]:
    """Return the tenant's JWKS as its host serves it."""
    return Client(HTTP_HOST=tenant.domain).get("/.well-known/jwks.json").json()


def claims_of(token: str, tenant: Tenant, audience: str | None = None) -> dict[str, Any]:
    """Return the verified claims of a token: signature, issuer, dates, and audience if one is given."""
    header = header_of(token)
    key = jwt.PyJWKSet.from_dict(published_keys(tenant))[header["kid"]]
    return jwt.decode(
        token,
        key,
        algorithms=[header["alg"]],
        issuer=tenant.issuer,
        audience=audience,
        options={"verify_aud": audience is not None, "require": ["iss", "sub", "aud", "iat", "exp", "jti"]},
    )
