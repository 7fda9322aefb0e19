"""Which browser origins may read the token endpoint's answers: those an application of the tenant registered."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts.models import Tenant
from applications.callbacks import validate_origins


def preflight(tenant: Tenant, request: HttpRequest) -> HttpResponse:
    """Answer a CORS preflight. A foreign origin gets no permission, and no other sign either."""
    response = HttpResponse(status=204)
    if allow_registered_origin(tenant, request, response).has_header("Access-Control-Allow-Origin"):
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "authorization, auth0-client, content-type, dpop"
        response["Access-Control-Max-Age"] = "600"
    return response


def allow_registered_origin(tenant: Tenant, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return `response`, readable by the request's origin if it is registered; never with credentials."""
    origin = request.headers.get("Origin", "")
    response["Vary"] = "Origin"
    if origin and len(origin) <= 1000 and "\x00" not in origin and _is_registered(tenant, origin):
        response["Access-Control-Allow-Origin"] = origin
    return response


def _is_registered(tenant: Tenant, origin: str) -> bool:
    try:
        validate_origins(origin)
    except ValidationError:
        # Nobody could have registered it; a prefix such as "https://" would read the rows of every application.
        return False
    candidates = tenant.applications.filter(allowed_origins__contains=origin).values_list("allowed_origins", flat=True)
    return any(origin in text.split() for text in candidates.iterator())
