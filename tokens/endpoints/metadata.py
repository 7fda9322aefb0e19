"""What clients and APIs read about a tenant: discovery (OIDC Discovery §4, RFC 8414 §3) and keys (RFC 7517 §5)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from applications.models import AuthenticationMethod, GrantType
from tokens import keys
from tokens.client_authentication import CLIENT_ALGORITHMS
from tokens.endpoints.answers import public_json
from tokens.models import SigningKey
from tokens.operations import JWKS_MAX_AGE

METADATA_MAX_AGE = 300


@require_safe
def authorization_server(request: HttpRequest) -> HttpResponse:
    """Answer with the tenant's metadata, the same at both well-known addresses. It names only what exists."""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return public_json(request, metadata(tenant), METADATA_MAX_AGE)


def metadata(tenant: Tenant) -> dict[str, object]:
    """Return the tenant's metadata; every address is under its issuer, whatever host was asked (RFC 8414 §2)."""
    base = tenant.issuer.rstrip("/")
    return {
        "issuer": tenant.issuer,
        "token_endpoint": base + reverse("oauth:token"),
        "jwks_uri": jwks_address(tenant),
        "grant_types_supported": [GrantType.CLIENT_CREDENTIALS],
        "response_types_supported": [],
        "scopes_supported": [],
        "subject_types_supported": ["public"],
        # Real verifiers take their list of access-token algorithms from here.
        "id_token_signing_alg_values_supported": ["RS256", "RS512", "PS256", "ES256", "EdDSA", "HS256"],
        "token_endpoint_auth_methods_supported": [
            AuthenticationMethod.BASIC,
            AuthenticationMethod.POST,
            AuthenticationMethod.PRIVATE_KEY_JWT,
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "claims_supported": ["aud", "azp", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """Answer with the tenant's public keys: current, next and previous ones."""
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return public_json(request, key_set(tenant), JWKS_MAX_AGE)


def jwks_address(tenant: Tenant) -> str:
    """Return where the tenant's key set is published."""
    return tenant.issuer.rstrip("/") + reverse("oauth:jwks")


def key_set(tenant: Tenant) -> dict[str, Any]:
    """Return the tenant's key set document, as its APIs read it."""
    return keys.jwks([key.public_jwk for key in SigningKey.objects.filter(tenant=tenant).published()])
