"""Every write to APIs and their scopes."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F

from accounts.changes import assign, change, lock, stale, stamp
from accounts.models import Tenant
from apis.models import API, MANAGEMENT_API_NAME, SCOPES_PER_API, Scope, new_signing_secret
from apis.system import MANAGEMENT_API_SCOPES, management_api_identifier
from audit.actors import Actor

# The system API is what tools rely on to manage the tenant; only this much of it is the tenant's to decide.
SYSTEM_API_MAY_CHANGE = {"token_lifetime", "token_lifetime_for_web", "skip_consent_for_verifiable_first_party_clients"}


def create_api(tenant: Tenant, by: Actor, **fields: Any) -> API:
    """Return the new API; HS256 ones get a signing secret. Raises ValidationError for what a rule refuses.

    Without `token_lifetime_for_web` that lifetime is the default one, or `token_lifetime` where that is shorter.
    """
    with change(tenant, by) as work:
        api = API(tenant=tenant, **fields)
        if "token_lifetime_for_web" not in fields and isinstance(api.token_lifetime, int):
            api.token_lifetime_for_web = min(api.token_lifetime_for_web, max(api.token_lifetime, 1))
        if api.uses_secret:
            api.seal_signing_secret(new_signing_secret())
        api.full_clean()
        api.save(force_insert=True)
        work.done("api.created", api, after=fields)
    return api


def update_api(api: API, by: Actor, revision: int | None = None, **fields: Any) -> API:
    """Return the API with `fields` saved.

    revision: the one the editor saw, to be told of a change in between. A `token_lifetime` below that of browser flows
    takes the latter along, unless both are given. Raises ValidationError: permanent fields, the
    system API beyond its lifetimes and consent, and whatever the model's rules refuse.
    """
    with change(api.tenant, by) as work:
        fresh = lock(api, revision)
        lifetime = fields.get("token_lifetime")
        if "token_lifetime_for_web" not in fields and isinstance(lifetime, int):
            fields["token_lifetime_for_web"] = min(fresh.token_lifetime_for_web, max(lifetime, 1))
        difference = assign(fresh, fields)
        if fresh.is_system and set(difference["after"]) - SYSTEM_API_MAY_CHANGE:
            raise ValidationError("System resource servers cannot be patched.", code="system")
        fresh.revision += 1
        fresh.full_clean()
        fresh.save()
        if difference["after"].keys() - {"name"}:
            work.takes_away()
        work.done("api.updated", fresh, **difference)
    return fresh


def delete_api(api: API, by: Actor) -> None:
    """Delete an API with its scopes and every authorization for it. Tokens already issued live until they expire."""
    with change(api.tenant, by) as work:
        api = lock(api)
        if api.is_system:
            raise ValidationError("System resource servers cannot be deleted.", code="system")
        work.done("api.deleted", api, before={"name": api.name, "identifier": api.identifier}, lost_by=_holders(api))
        api.delete()
        work.takes_away()


def rotate_signing_secret(api: API, by: Actor) -> str:
    """Return the new signing secret of an HS256 API. Its tokens of before verify no more."""
    with change(api.tenant, by) as work:
        api = lock(api)
        if not api.uses_secret:
            raise ValidationError(f"{api} signs with the tenant's keys; it has no secret.", code="no_secret")
        secret = new_signing_secret()
        api.seal_signing_secret(secret)
        api.save(update_fields=["signing_secret", "updated_at"])
        work.done("api.signing_secret_rotated", api)
        work.takes_away()
    return secret


def revoke_issued_for_api(api: API, by: Actor) -> API:
    """Return the API with every token that was issued for it until now revoked; new ones are issued as before."""
    with change(api.tenant, by) as work:
        api = lock(api)
        api.not_before = stamp(api.not_before)
        api.save(update_fields=["not_before"])
        work.done("api.tokens_revoked", api)
        work.takes_away()
    return api


def note_signing_secret_seen(api: API, by: Actor) -> None:
    """Write into the history that somebody looked at the signing secret."""
    with change(api.tenant, by) as work:
        work.done("api.signing_secret_revealed", api)


def add_scopes(api: API, by: Actor, scopes: Iterable[tuple[str, str]]) -> list[Scope]:
    """Return the new scopes, given as (value, description). All of them are added or, on ValidationError, none."""
    with change(api.tenant, by) as work:
        api = _own(lock(api))
        added = []
        for value, description in scopes:
            scope = Scope(api=api, value=value, description=description)
            scope.full_clean()
            scope.save(force_insert=True)
            added.append(scope)
        if api.scopes.count() > SCOPES_PER_API:
            raise ValidationError(f"An API has at most {SCOPES_PER_API} scopes.", code="too_many_scopes")
        work.done("api.scopes_added", api, after={"scopes": [scope.value for scope in added]})
    return added


def describe_scope(scope: Scope, by: Actor, description: str, seen: str | None = None) -> Scope:
    """Return the scope with its new description. Its value is what tokens carry, and stays.

    seen: the description the editor saw, to be told of a change in between (ValidationError, code "stale").
    """
    with change(scope.api.tenant, by) as work:
        scope = lock(scope)
        _own(scope.api)
        if seen is not None and seen != scope.description:
            raise stale()
        difference = assign(scope, {"description": description})
        scope.full_clean()
        scope.save(update_fields=["description"])
        work.done("scope.described", scope, api=scope.api.name, **difference)
    return scope


def delete_scope(scope: Scope, by: Actor) -> None:
    """Delete a scope; the authorizations that held it lose it in the same transaction."""
    with change(scope.api.tenant, by) as work:
        scope = lock(scope)
        _own(scope.api)
        work.done("scope.deleted", scope, api=scope.api.name, before={"scope": scope.value}, lost_by=_holders(scope))
        scope.delete()
        work.takes_away()


def create_management_api(tenant: Tenant, by: Actor) -> API:
    """Return the system API that every tenant is born with, with all its scopes."""
    with change(tenant, by) as work:
        api = API(tenant=tenant, name=MANAGEMENT_API_NAME, identifier=management_api_identifier(tenant), is_system=True)
        api.full_clean()
        api.save(force_insert=True)
        Scope.objects.bulk_create(
            Scope(api=api, value=value, description=text) for value, text in MANAGEMENT_API_SCOPES
        )
        work.done("api.created", api, after={"name": api.name, "identifier": api.identifier})
    return api


def change_issuer(tenant: Tenant, by: Actor, issuer: str) -> Tenant:
    """Return the tenant at its new public address; the system API's identifier moves with it, also as default audience.

    Tokens issued before name the old issuer, so applications and APIs must be told the new one.
    """
    with change(tenant, by) as work:
        fresh = lock(tenant)
        fields = {"issuer": issuer}
        system = fresh.apis.filter(is_system=True)
        moved = management_api_identifier(Tenant(issuer=issuer))
        if fresh.default_audience and system.filter(identifier=fresh.default_audience).exists():
            fields["default_audience"] = moved
        difference = assign(fresh, fields)
        fresh.domain = issuer.partition("://")[2].rstrip("/")
        # Settings pages that were open before must not bring the old address back.
        fresh.revision += 1
        fresh.full_clean()
        fresh.save()
        system.update(identifier=moved, revision=F("revision") + 1)
        work.done("tenant.issuer_changed", fresh, **difference)
        work.takes_away()
    return fresh


def _own(api: API) -> API:
    if api.is_system:
        raise ValidationError("The scopes of a system API cannot be changed.", code="system")
    return api


def _holders(thing: Any) -> list[str]:
    """Return the names of the applications that an API's or scope's authorizations belong to."""
    return sorted({grant.application.name for grant in thing.client_grants.select_related("application")})
