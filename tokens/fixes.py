"""What the buttons under a denial change before the test runs again: one operation each, and a sentence about it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accounts.models import Tenant
from apis.models import API, ClientPolicy
from apis.operations import add_scopes, update_api
from applications.models import Application, ClientGrant, GrantType
from applications.operations import (
    authorize_application,
    deauthorize_application,
    update_application,
    update_client_grant,
)
from audit.actors import Actor


@dataclass(frozen=True)
class Change:
    """What a fix did. undo: the fix that takes it back, if there is one; scopes: those it was about."""

    sentence: str
    undo: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """The two parties of a test, what was asked for, and who presses the button."""

    tenant: Tenant
    api: API
    client_id: str
    scopes: tuple[str, ...]
    by: Actor
    changed: tuple[str, ...] = ()

    @property
    def application(self) -> Application:
        """Return the application, or raise ValidationError when it is gone."""
        found = self.tenant.applications.filter(client_id=self.client_id).first()
        if found is None:
            raise ValidationError("This application no longer exists.", code="gone")
        return found

    @property
    def grant(self) -> ClientGrant:
        """Return the authorization between the two, or raise ValidationError when it is gone."""
        grants = self.api.client_grants.for_clients()
        found = grants.filter(application__client_id=self.client_id).first()
        if found is None:
            raise ValidationError("This authorization no longer exists.", code="gone")
        return found

    @property
    def known(self) -> tuple[str, ...]:
        """Return the scopes asked for that the API has."""
        return tuple(self.api.scopes.filter(value__in=self.scopes).values_list("value", flat=True))


def apply(name: str, place: Place) -> Change | None:
    """Return what the fix `name` changed, None for a fix that changes nothing. Raises ValidationError."""
    return FIXES[name](place)


def _run(place: Place) -> None:
    return None


def _authorize(place: Place) -> Change:
    application, scopes = place.application, place.known
    authorize_application(application, place.api, place.by, scopes=scopes)
    what = f"with {', '.join(scopes)}" if scopes else "without any scopes"
    return Change(f"{application} is now authorized for {place.api} {what}.", "unauthorize")


def _unauthorize(place: Place) -> Change:
    deauthorize_application(place.grant, place.by)
    return Change(f"{place.application} is no longer authorized for {place.api}.")


def _grant(place: Place) -> Change:
    grant = place.grant
    added = tuple(scope for scope in place.known if scope not in grant.scope_values())
    update_client_grant(grant, place.by, scopes=[*grant.scope_values(), *added])
    return Change(f"{grant.application} may now use {', '.join(added) or 'what it could before'}.", "ungrant", added)


def _ungrant(place: Place) -> Change:
    grant = place.grant
    kept = [scope for scope in grant.scope_values() if scope not in place.changed]
    update_client_grant(grant, place.by, scopes=kept)
    return Change(f"{grant.application} may no longer use {', '.join(place.changed)}.")


def _renew(place: Place) -> Change:
    grant = update_client_grant(place.grant, place.by, expires_at=None)
    return Change(f"The authorization of {grant.application} for {place.api} has no end now.")


def _enable_application(place: Place) -> Change:
    return Change(f"{update_application(place.application, place.by, enabled=True)} is switched on.")


def _enable_grant_type(place: Place) -> Change:
    application = place.application
    grant_types = list(dict.fromkeys([*application.grant_types, GrantType.CLIENT_CREDENTIALS.value]))
    update_application(application, place.by, grant_types=grant_types)
    return Change(f"{application} may use client credentials now.")


def _allow_access(place: Place) -> Change:
    update_api(place.api, place.by, client_policy=ClientPolicy.REQUIRE_CLIENT_GRANT)
    return Change(f"{place.api} is open to authorized applications.")


def _add_scope(place: Place) -> Change:
    new = [scope for scope in place.scopes if scope not in place.known]
    add_scopes(place.api, place.by, [(scope, "") for scope in new])
    return Change(
        f"{place.api} now offers {', '.join(new)}. Describe {'it' if len(new) == 1 else 'them'} on the Scopes tab."
    )


FIXES: dict[str, Callable[[Place], Change | None]] = {
    "run": _run,
    "authorize": _authorize,
    "unauthorize": _unauthorize,
    "grant": _grant,
    "ungrant": _ungrant,
    "renew": _renew,
    "enable_application": _enable_application,
    "enable_grant_type": _enable_grant_type,
    "allow_access": _allow_access,
    "add_scope": _add_scope,
}
