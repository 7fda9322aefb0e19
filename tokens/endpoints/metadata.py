"""What clients and APIs read about a tenant: discovery (OIDC Discovery §4, RFC 8414 §3) and keys (RFC 7517 §5)."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from accounts.versions import House
from applications.models import AuthenticationMethod, GrantType
from tokens import keys, memory
from tokens.client_authentication import CLIENT_ALGORITHMS
from tokens.endpoints.answers import public_json
from tokens.models import SigningKey
from tokens.operations import JWKS_MAX_AGE

METADATA_MAX_AGE = 300


@require_safe
def authorization_server(request: HttpRequest) -> HttpResponse:
    """Answer with the tenant's metadata, the same at both well-known addresses. It names only what exists."""
    return public_json(request, metadata(request.house), METADATA_MAX_AGE)  # type: ignore[attr-defined]


def metadata(tenant: Tenant | House) -> dict[str, object]:
    """Return the tenant's metadata; every address is under its issuer, whatever host was asked (RFC 8414 §2)."""
    base = tenant.issuer.rstrip("/")
    # The same for each endpoint that a client authenticates at.
    authentication = {
        "auth_methods_supported": [
            AuthenticationMethod.BASIC,
            AuthenticationMethod.POST,
            AuthenticationMethod.PRIVATE_KEY_JWT,
        ],
        "auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
    }
    endpoints = ("token_endpoint", "revocation_endpoint", "introspection_endpoint")
    return {
        "issuer": tenant.issuer,
        "token_endpoint": base + reverse("oauth:token"),
        "revocation_endpoint": base + reverse("oauth:revoke"),
        "introspection_endpoint": base + reverse("oauth:introspect"),
        "jwks_uri": jwks_address(tenant),
        "grant_types_supported": [GrantType.CLIENT_CREDENTIALS],
        "response_types_supported": [],
        "scopes_supported": [],
        "subject_types_supported": ["public"],
        # Real verifiers take their list of access-token algorithms from here.
        "id_token_signing_alg_values_supported": ["RS256", "RS512", "PS256", "ES256", "EdDSA", "HS256"],
        **{f"{endpoint}_{name}": value for endpoint in endpoints for name, value in authentication.items()},
        "claims_supported": ["aud", "azp", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """Answer with the tenant's public keys: current, next and previous ones."""
    house: House = request.house  # type: ignore[attr-defined]
    return public_json(request, published_keys(house), JWKS_MAX_AGE)


# The last key set of each tenant that could be read: better than none while the database is away.
_last_known: dict[int, dict[str, Any]] = {}


def published_keys(house: House) -> dict[str, Any]:
    """Return the tenant's key set from memory, or the last one known when the database does not answer."""
    try:
        found = memory.of(house).document("jwks", lambda: key_set(house))
    except Error:
        if house.pk not in _last_known:
            raise
        return _last_known[house.pk]
    _last_known[house.pk] = found
    return found


# How many key sets are looked up at once, so that the look at the versions is never late.
_AT_ONCE = 50
_kept_at: dict[int, int] = {}


def keep_published_keys(houses: Iterable[House]) -> None:
    """Look up the key sets that changed, so that they can be published when the database is away; see Versions.watch.

    Otherwise a process that nobody has asked for keys yet would have none then.
    """
    changed = (house for house in houses if _kept_at.get(house.pk) != house.version)
    for house in islice(changed, _AT_ONCE):
        _last_known[house.pk] = key_set(house)
        _kept_at[house.pk] = house.version


def jwks_address(tenant: Tenant | House) -> str:
    """Return where the tenant's key set is published."""
    return tenant.issuer.rstrip("/") + reverse("oauth:jwks")


def key_set(tenant: Tenant | House) -> dict[str, Any]:
    """Return the tenant's key set document, as its APIs read it."""
    return keys.jwks([key.public_jwk for key in SigningKey.objects.filter(tenant_id=tenant.pk).published()])
