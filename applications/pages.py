"""What the three tabs of an application's page share."""

from typing import Any

from accounts.access import ConsoleRequest
from accounts.lookups import find_or_404
from applications.models import Application


def find_application(request: ConsoleRequest, client_id: str) -> Application:
    """Return the application of the tenant in the address, or raise Http404."""
    return find_or_404(request.tenant.applications.select_related("tenant"), client_id=client_id)


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
