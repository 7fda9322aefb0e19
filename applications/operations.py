"""Every write to applications, what they authenticate with, and what they are authorized for."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.changes import assign, change, lock, stamp
from accounts.models import Tenant
from apis.models import API, Scope
from applications import secrets
from applications.models import (
    DEFAULT_GRANT_TYPES,
    LIVE_KEYS,
    LIVE_SECRETS,
    SECRET_METHODS,
    Application,
    ApplicationType,
    AuthenticationMethod,
    ClientGrant,
    ClientSecret,
    Credential,
    authentication_method_for,
)
from audit.actors import Actor

# What an application is called takes nothing away from it, whatever is written.
WORDS = {"name", "description", "logo_uri"}


def create_application(
    tenant: Tenant, by: Actor, with_secret: bool = True, **fields: Any
) -> tuple[Application, str | None]:
    """Return the new application and its first secret in clear, shown now or never; None for a public one.

    with_secret: False leaves it without one, for when nobody would see it; it can be added later. Grant types and
    authentication method follow the type unless given. Raises ValidationError.
    """
    app_type = fields.get("app_type", ApplicationType.NON_INTERACTIVE)
    fields.setdefault("app_type", app_type)
    fields.setdefault("grant_types", list(DEFAULT_GRANT_TYPES.get(app_type, [])))
    with change(tenant, by) as work:
        application = Application(tenant=tenant, **fields)
        if application.is_public:
            application.token_endpoint_auth_method = AuthenticationMethod.NONE
        application.full_clean()
        application.save(force_insert=True)
        needs_secret = with_secret and application.token_endpoint_auth_method in SECRET_METHODS
        secret = _new_secret(application) if needs_secret else None
        work.done("application.created", application, after=fields)
    return application, secret


def update_application(application: Application, by: Actor, revision: int | None = None, **fields: Any) -> Application:
    """Return the application with `fields` saved.

    revision: the one the editor saw. A change of type brings that type's authentication method with it when the old
    one does not fit; a public one loses its secrets and keys. Taking client credentials away ends the authorizations
    that need them.
    """
    with change(application.tenant, by) as work:
        fresh = lock(application, revision)
        difference = assign(fresh, fields)
        fresh.token_endpoint_auth_method = authentication_method_for(fresh.app_type, fresh.token_endpoint_auth_method)
        fresh.revision += 1
        fresh.full_clean()
        fresh.save()
        if fresh.is_public:
            # Otherwise they would come back to life the day the type is changed back.
            fresh.secrets.all().delete()
            fresh.credentials.all().delete()
        if difference["after"].keys() - WORDS:
            work.takes_away()
        lost = [] if fresh.uses_client_credentials else _end_client_grants(fresh)
        work.done("application.updated", fresh, **difference, **({"no_longer_authorized_for": lost} if lost else {}))
    return fresh


def delete_application(application: Application, by: Actor) -> None:
    """Delete an application with its credentials and authorizations. Its live tokens last until they expire."""
    with change(application.tenant, by) as work:
        application = lock(application)
        apis = sorted(grant.api.name for grant in application.client_grants.select_related("api"))
        work.done("application.deleted", application, before={"name": application.name}, authorized_for=apis)
        application.delete()
        work.takes_away()


def revoke_issued_to_application(application: Application, by: Actor) -> Application:
    """Return the application with every token issued to it until now revoked. Its credentials go on working."""
    with change(application.tenant, by) as work:
        application = lock(application)
        application.not_before = stamp(application.not_before)
        application.save(update_fields=["not_before"])
        work.done("application.tokens_revoked", application)
        work.takes_away()
    return application


def add_secret(application: Application, by: Actor) -> str:
    """Return a further secret in clear: shown now or never. At most two are live at once."""
    with change(application.tenant, by) as work:
        application = _with_secrets(application)
        if application.secrets.live().count() >= LIVE_SECRETS:
            raise ValidationError(
                f"{application} has {LIVE_SECRETS} live secrets already. Revoke one first.", code="too_many_secrets"
            )
        secret = _new_secret(application)
        work.done("application.secret_added", application, hint=secrets.hint(secret))
    return secret


def roll_secret(old: ClientSecret, by: Actor, grace: datetime.timedelta) -> str:
    """Return the new secret in clear; the old one stops working after `grace` (zero: at once).

    Raises ValidationError when two others are live, so that an application never has more than two.
    """
    with change(old.application.tenant, by) as work:
        application = _with_secrets(old.application)
        fresh = application.secrets.live().filter(pk=old.pk).first()
        if fresh is None:
            raise ValidationError("This secret does not work any more.", code="gone")
        old = fresh
        if grace and application.secrets.live().count() >= LIVE_SECRETS:
            raise ValidationError(
                f"{application} has {LIVE_SECRETS} live secrets already. Revoke one, or stop the old one now.",
                code="too_many_secrets",
            )
        secret = _new_secret(application)
        old.expires_at = timezone.now() + grace
        old.save(update_fields=["expires_at"])
        work.done(
            "application.secret_rolled",
            application,
            hint=secrets.hint(secret),
            old_hint=old.hint,
            old_works_until=old.expires_at,
        )
        work.takes_away()
    return secret


def revoke_secret(secret: ClientSecret, by: Actor) -> None:
    """End a secret at once."""
    with change(secret.application.tenant, by) as work:
        secret = lock(secret)
        work.done("application.secret_revoked", secret.application, hint=secret.hint)
        secret.delete()
        work.takes_away()


def rotate_secret(application: Application, by: Actor) -> str:
    """Return a new secret in clear that replaces all others at once, as Auth0's rotate-secret does."""
    with change(application.tenant, by) as work:
        application = _with_secrets(application)
        application.secrets.all().delete()
        secret = _new_secret(application)
        work.done("application.secret_rotated", application, hint=secrets.hint(secret))
        work.takes_away()
    return secret


def set_authentication_method(application: Application, by: Actor, method: str) -> tuple[Application, str | None]:
    """Return the application, and its new secret when it had none and now needs one.

    Switching to `private_key_jwt` needs a public key and ends all secrets: a client uses its registered kind only.
    """
    with change(application.tenant, by) as work:
        application = lock(application)
        difference = assign(application, {"token_endpoint_auth_method": method})
        application.revision += 1
        application.full_clean()
        if method == AuthenticationMethod.PRIVATE_KEY_JWT:
            if not application.credentials.live().exists():
                raise ValidationError("Add a public key first.", code="no_key")
            application.secrets.all().delete()
        application.save()
        secret = None
        if method in SECRET_METHODS and not application.secrets.live().exists():
            secret = _new_secret(application)
        work.done("application.authentication_method_changed", application, **difference)
        work.takes_away()
    return application, secret


def add_credential(
    application: Application,
    by: Actor,
    public_jwk: dict[str, Any],
    name: str = "",
    expires_at: datetime.datetime | None = None,
) -> Credential:
    """Return the stored public key. At most two are live, so that keys can be changed without an outage."""
    with change(application.tenant, by) as work:
        application = lock(application)
        if application.is_public:
            raise ValidationError("A public application does not authenticate.", code="public_client")
        if application.credentials.live().count() >= LIVE_KEYS:
            raise ValidationError(
                f"{application} has {LIVE_KEYS} live keys already. Delete one first.", code="too_many_keys"
            )
        credential = Credential(
            application=application,
            name=name,
            kid=public_jwk["kid"],
            alg=public_jwk["alg"],
            public_jwk=public_jwk,
            expires_at=expires_at,
        )
        credential.full_clean()
        credential.save(force_insert=True)
        work.done("application.key_added", application, kid=credential.kid, alg=credential.alg, name=name)
    return credential


def delete_credential(credential: Credential, by: Actor) -> None:
    """Delete a public key. The last one of an application that signs JWTs stays, or it could not get in any more."""
    with change(credential.application.tenant, by) as work:
        application = lock(credential.application)
        credential = lock(credential)
        signs = application.token_endpoint_auth_method == AuthenticationMethod.PRIVATE_KEY_JWT
        if signs and not application.credentials.live().exclude(pk=credential.pk).exists():
            raise ValidationError(
                f"This is the only key {application} signs with. Add another, or change the method first.",
                code="last_key",
            )
        work.done("application.key_deleted", application, kid=credential.kid)
        credential.delete()
        work.takes_away()


def authorize_application(
    application: Application, api: API, by: Actor, scopes: Iterable[str] = (), **fields: Any
) -> ClientGrant:
    """Return the new client grant of `application` for `api` with the scopes named by value."""
    with change(api.tenant, by) as work:
        grant = ClientGrant(tenant=api.tenant, application=application, api=api, **fields)
        grant.full_clean()
        grant.save(force_insert=True)
        grant.scopes.set(_scopes(api, scopes))
        work.done("client_grant.created", grant, after={"scopes": _said(grant)})
    return grant


def update_client_grant(
    grant: ClientGrant, by: Actor, revision: int | None = None, scopes: Iterable[str] | None = None, **fields: Any
) -> ClientGrant:
    """Return the client grant with its scopes (by value; None leaves them) and other fields saved."""
    with change(grant.tenant, by) as work:
        fresh = lock(grant, revision)
        before = _said(fresh)
        difference = assign(fresh, fields)
        fresh.revision += 1
        fresh.full_clean()
        fresh.save()
        if scopes is not None:
            fresh.scopes.set(_scopes(fresh.api, scopes))
        after = _said(fresh)
        if before != after:
            difference["before"]["scopes"], difference["after"]["scopes"] = before, after
        work.done("client_grant.updated", fresh, **difference)
        work.takes_away()
    return fresh


def grant_scopes(api: API, by: Actor, client_ids: Iterable[str], scopes: Iterable[str]) -> list[ClientGrant]:
    """Return the authorizations for `api` of the named applications, with `scopes` added to what each holds.

    All of them get all the scopes or, on ValidationError, none does: for an application that is not authorized.
    """
    with change(api.tenant, by) as work:
        wanted = list(dict.fromkeys(client_ids))
        grants = api.client_grants.for_clients().select_for_update(of=("self",)).select_related("application")
        found = list(grants.filter(application__client_id__in=_comparable(wanted)))
        if len(found) < len(wanted):
            raise ValidationError("Not all of these applications are authorized any more.", code="gone")
        added = _scopes(api, scopes)
        for grant in found:
            grant.scopes.add(*added)
            grant.revision += 1
            grant.save(update_fields=["revision", "updated_at"])
        names = sorted(grant.application.name for grant in found)
        work.done("client_grant.scopes_added", api, scopes=[scope.value for scope in added], applications=names)
    return found


def revoke_issued_under_grant(grant: ClientGrant, by: Actor) -> ClientGrant:
    """Return the client grant with every token issued under it until now revoked. The authorization itself stays."""
    with change(grant.tenant, by) as work:
        grant = lock(grant)
        grant.not_before = stamp(grant.not_before)
        grant.save(update_fields=["not_before"])
        work.done("client_grant.tokens_revoked", grant)
        work.takes_away()
    return grant


def deauthorize_application(grant: ClientGrant, by: Actor) -> None:
    """Delete a client grant. Tokens already issued last until they expire."""
    with change(grant.tenant, by) as work:
        grant = lock(grant)
        work.done("client_grant.deleted", grant, before={"scopes": _said(grant)})
        grant.delete()
        work.takes_away()


def _scopes(api: API, values: Iterable[str]) -> list[Scope]:
    wanted = list(dict.fromkeys(values))
    found = {scope.value: scope for scope in api.scopes.filter(value__in=_comparable(wanted))}
    unknown = [value for value in wanted if value not in found]
    if unknown:
        raise ValidationError(
            {"scopes": ValidationError(f"{api} has no scope {', '.join(unknown)[:300]}.", code="unknown_scope")}
        )
    return list(found.values())


def _comparable(texts: list[str]) -> list[str]:
    # PostgreSQL refuses to compare with NUL, which no id and no scope holds.
    return [text for text in texts if "\x00" not in text]


def _said(grant: ClientGrant) -> Any:
    return "all, also future ones" if grant.allow_all_scopes else grant.scope_values()


def _new_secret(application: Application) -> str:
    secret = secrets.generate()
    ClientSecret.objects.create(application=application, digest=secrets.digest(secret), hint=secrets.hint(secret))
    return secret


def _with_secrets(application: Application) -> Application:
    application = lock(application)
    if application.token_endpoint_auth_method not in SECRET_METHODS:
        raise ValidationError(
            f"{application} does not authenticate with a secret. Change its method first.", code="auth_method"
        )
    return application


def _end_client_grants(application: Application) -> list[str]:
    grants = application.client_grants.for_clients().select_related("api")
    names = sorted(grant.api.name for grant in grants)
    grants.delete()
    return names
