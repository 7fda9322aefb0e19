"""What the five tabs of an API's page share."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest

from accounts.access import ConsoleRequest
from accounts.lookups import find_or_404
from apis.models import API

PER_PAGE = 50
NAMES_SHOWN = 20
ADMINS_ONLY = "Only an admin decides who may use the Management API."


@dataclass(frozen=True)
class Holders:
    """The applications that lose something: how many, the first names, and how many those leave out."""

    count: int
    names: list[str]

    @property
    def more(self) -> int:
        return self.count - len(self.names)


def holders(grants: Any) -> Holders:
    """Return whose these authorizations are."""
    names = grants.order_by("application__name", "application_id").values_list("application__name", "application_id")
    distinct = names.distinct()
    return Holders(distinct.count(), [name for name, _ in distinct[:NAMES_SHOWN]])


def find_api(request: ConsoleRequest, api_id: str) -> API:
    """Return the API of the tenant in the address, or raise Http404."""
    return find_or_404(request.tenant.apis.select_related("tenant"), pk=api_id)


def can_authorize(request: ConsoleRequest, api: API) -> bool:
    """Return whether this member may decide who gets tokens for `api`.

    Tokens for a system API change members, keys and settings: whoever hands them out has an admin's powers.
    """
    return request.membership.can_administer if api.is_system else request.membership.can_edit


def may_authorize(request: ConsoleRequest, api: API) -> None:
    """Raise PermissionDenied, with the reason, for an editor who would decide about a system API."""
    if api.is_system and not request.membership.can_administer:
        raise PermissionDenied(ADMINS_ONLY)


def api_page(request: HttpRequest, api: API, tab: str, **values: Any) -> dict[str, Any]:
    """Return the context of one tab: the API, the counts behind the tabs' names, which tab this is, and `values`.

    tab: "quick_start", "settings", "scopes", "machine_to_machine" or "test".
    """
    counts = API.objects.filter(pk=api.pk).counted().values("scope_count", "authorized_count").first() or {}  # type: ignore[misc]
    return {"api": api, "tab": tab, **counts, **values}


def page_of(rows: Any, number: str | None, count: int | None = None) -> Page:
    """Return the page of `rows` that an address asks for; the first or last one when it asks for nonsense.

    count: how many rows there are, where that is known already.
    """
    paginator = Paginator(rows, PER_PAGE)
    if count is not None:
        paginator.count = count
    return paginator.get_page(number)
