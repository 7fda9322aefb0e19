"""Remember for a few minutes, in the person's session, an authorization that was just taken away."""

import time
from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from apis.models import API
from applications.models import ClientGrant

KEY = "authorization_taken_away"
SECONDS = 600


def terms(grant: ClientGrant) -> dict[str, Any]:
    """Return what an authorization allows, as a session can keep it."""
    return {
        "api": grant.api_id,
        "client_id": grant.application.client_id,
        "name": grant.application.name,
        "scopes": [scope.value for scope in grant.scopes.all()],
        "allow_all_scopes": grant.allow_all_scopes,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else "",
    }


def remember(request: HttpRequest, taken: dict[str, Any]) -> None:
    """Keep the terms of an authorization that is gone now. Only the last one is kept."""
    request.session[KEY] = {**taken, "at": time.time()}


def remembered(request: HttpRequest, api: API) -> dict[str, Any] | None:
    """Return the terms kept for `api` in the last minutes, if any."""
    kept = request.session.get(KEY)
    return kept if kept and kept["api"] == api.pk and time.time() - kept["at"] < SECONDS else None


def forget(request: HttpRequest) -> None:
    """Keep nothing any more: it was undone, or something else was done since."""
    request.session.pop(KEY, None)


def again(kept: dict[str, Any], api: API) -> dict[str, Any]:
    """Return what `authorize_application` takes; scopes that were deleted in between are left out."""
    return {
        "scopes": list(api.scopes.filter(value__in=kept["scopes"]).values_list("value", flat=True)),
        "allow_all_scopes": kept["allow_all_scopes"],
        "expires_at": parse_datetime(kept["expires_at"]) if kept["expires_at"] else None,
    }
