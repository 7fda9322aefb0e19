"""Read what a decision needs from the database, as plain facts."""

import datetime

from accounts.versions import House
from apis.models import API
from apis.quotas import TokenQuota
from applications.models import Application, ClientGrant
from tokens.facts import Client, Grant, Limits, ProtectedAPI, PublicKey, Secret

LONGEST_CLIENT_ID = 255
EPOCH, MICROSECOND = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(microseconds=1)


def client(house: House, client_id: str) -> Client | None:
    """Return the tenant's application with this client id, or None. Compared byte for byte."""
    if not client_id or len(client_id) > LONGEST_CLIENT_ID:
        return None
    applications = Application.objects.filter(tenant_id=house.pk, client_id=client_id)
    application = applications.prefetch_related("secrets", "credentials").first()
    return client_facts(application) if application and application.client_id == client_id else None


def api(house: House, identifier: str) -> ProtectedAPI | None:
    """Return the tenant's API with this identifier, or None. Compared byte for byte (RFC 3986 §6.2.1)."""
    apis = API.objects.filter(tenant_id=house.pk, identifier=identifier).prefetch_related("scopes")
    found = apis.first() if identifier else None
    return api_facts(found) if found and found.identifier == identifier else None


def grant(house: House, client_id: str, api_id: str) -> Grant | None:
    """Return the client grant between the two, or None."""
    found = (
        ClientGrant.objects.for_clients()
        .filter(tenant_id=house.pk, application__client_id=client_id, api_id=api_id)
        .prefetch_related("scopes")
        .first()
    )
    return grant_facts(found) if found else None


def client_facts(application: Application) -> Client:
    return Client(
        client_id=application.client_id,
        name=application.name,
        app_type=application.app_type,
        type_label=application.get_app_type_display(),
        enabled=application.enabled,
        is_public=application.is_public,
        grant_types=tuple(application.grant_types),
        token_endpoint_auth_method=application.token_endpoint_auth_method,
        secrets=tuple(
            Secret(row.pk, row.digest, row.hint, _seconds(row.expires_at)) for row in application.secrets.all()
        ),
        keys=tuple(
            PublicKey(row.pk, row.public_jwk, _seconds(row.expires_at)) for row in application.credentials.all()
        ),
        not_before=_stamp(application.not_before),
        quota=_limits(application),
    )


def api_facts(api: API) -> ProtectedAPI:
    return ProtectedAPI(
        id=api.id,
        name=api.name,
        identifier=api.identifier,
        signing_alg=api.signing_alg,
        token_lifetime=api.token_lifetime,
        token_dialect=api.token_dialect,
        enforce_policies=api.enforce_policies,
        client_policy=api.client_policy,
        scopes=frozenset(scope.value for scope in api.scopes.all()),
        not_before=_stamp(api.not_before, api.created_at),
        quota=_limits(api),
    )


def grant_facts(grant: ClientGrant) -> Grant:
    return Grant(
        id=grant.id,
        scopes=frozenset(scope.value for scope in grant.scopes.all()),
        allow_all_scopes=grant.allow_all_scopes,
        expires_at=_seconds(grant.expires_at),
        not_before=_stamp(grant.not_before, grant.created_at),
    )


def _limits(row: TokenQuota) -> Limits | None:
    if row.quota_per_hour is None and row.quota_per_day is None:
        return None
    return Limits(row.quota_per_hour, row.quota_per_day, row.quota_enforce)


def _stamp(*moments: datetime.datetime | None) -> int:
    """Return the latest of these, in microseconds since 1970.

    A deleted API or authorization takes its stamp along. Counting from the birth of the next one of that name keeps
    dead what the old one issued.
    """
    return max(((moment - EPOCH) // MICROSECOND for moment in moments if moment), default=0)


def _seconds(moment: datetime.datetime | None) -> float | None:
    return moment.timestamp() if moment else None
