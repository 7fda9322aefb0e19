"""What a tenant and an API are born with, and what a server has after its first start."""

from typing import Any

from django.core.management import call_command
from django.db import transaction

from accounts.models import Tenant
from accounts.operations import create_tenant as create_tenant_row
from apis.models import API
from apis.operations import change_issuer, create_api, create_management_api
from applications.models import Application, ApplicationType
from applications.operations import authorize_application, create_application
from audit.actors import Actor, command
from tokens.operations import ensure_signing_keys

FIRST_TENANT = "main"


def prepare_database() -> None:
    """Bring the tables up to date, quietly, and make the table of the shared cache. Safe to repeat."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


@transaction.atomic
def create_tenant(name: str, issuer: str, by: Actor, friendly_name: str = "") -> Tenant:
    """Return the new tenant with its RS256 keys and its Management API. Raises ValidationError."""
    tenant = create_tenant_row(name, issuer, by, friendly_name=friendly_name)
    ensure_signing_keys(tenant, "RS256", by)
    create_management_api(tenant, by)
    return tenant


@transaction.atomic
def set_up_api(
    tenant: Tenant, by: Actor, test_application: bool = True, **fields: Any
) -> tuple[API, Application | None]:
    """Return the new API, ready to issue tokens: the keys of its algorithm exist.

    With `test_application` also a machine application that is authorized for all its scopes, also future ones; it has
    no secret yet. Raises ValidationError; then nothing of all this exists.
    """
    api = create_api(tenant, by, **fields)
    ensure_signing_keys(tenant, api.signing_alg, by)
    if not test_application:
        return api, None
    application, _ = create_application(
        tenant,
        by,
        with_secret=False,
        name=f"{api.name} (Test Application)",
        app_type=ApplicationType.NON_INTERACTIVE,
    )
    authorize_application(application, api, by, allow_all_scopes=True)
    return api, application


def ensure_first_tenant(issuer: str) -> Tenant:
    """Return the first tenant, made now if there is none, answering at `issuer`.

    Safe to repeat. A later start with another issuer (a new port, a public address) moves the first tenant there.
    """
    by = command("setup")
    tenant = Tenant.objects.order_by("id").first()
    if tenant is None:
        return create_tenant(FIRST_TENANT, issuer, by, friendly_name="Main")
    return tenant if tenant.issuer == issuer else change_issuer(tenant, by, issuer)
