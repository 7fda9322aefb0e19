"""What the three tabs of an application's page share."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Max

from accounts.access import ConsoleRequest
from accounts.lookups import find_or_404
from applications.models import Application

ADMINS_ONLY = "This application may use the Management API, so only an admin changes how it authenticates."


def find_application(request: ConsoleRequest, client_id: str) -> Application:
    """Return the application of the tenant in the address, or raise Http404."""
    return find_or_404(request.tenant.applications.select_related("tenant"), client_id=client_id)


def can_change_credentials(request: ConsoleRequest, application: Application) -> bool:
    """Return whether this member may give the application secrets and keys, and so be it.

    With one that may use a system API, that takes an admin: else an editor could act as one through it.
    """
    if request.membership.can_administer:
        return True
    return request.membership.can_edit and not application.client_grants.filter(api__is_system=True).exists()


def find_to_authenticate(request: ConsoleRequest, client_id: str) -> Application:
    """Return the application in the address, whose credentials this member may change, or raise PermissionDenied."""
    application = find_application(request, client_id)
    if not can_change_credentials(request, application):
        raise PermissionDenied(ADMINS_ONLY)
    return application


def application_page(application: Application, tab: str, **values: Any) -> dict[str, Any]:
    """Return the context of one tab: the application, the count behind a tab's name, which tab this is, and `values`.

    tab: "settings", "credentials" or "apis".
    """
    return {
        "application": application,
        "tab": tab,
        "authorized_count": application.client_grants.for_clients().count(),
        **values,
    }


def authorized_apis(application: Application) -> list[str]:
    """Return the names of the APIs that it is authorized for, in alphabetical order."""
    return sorted(application.client_grants.for_clients().values_list("api__name", flat=True))


def longest_lifetime(application: Application) -> int | None:
    """Return how many seconds its tokens can live, by the API whose tokens live longest; None without any."""
    found = application.client_grants.for_clients().aggregate(longest=Max("api__token_lifetime"))
    return found["longest"]
