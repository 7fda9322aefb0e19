"""What every console template may use besides its own values."""

from typing import Any

from django.db.models import Count, IntegerField, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import cached_property

THEMES = {"light", "dark"}


def console(request: HttpRequest) -> dict[str, Any]:
    """Return tenant, membership, role answers, counts for the sidebar, and the theme chosen by cookie."""
    theme = request.COOKIES.get("theme", "")
    values: dict[str, Any] = {"theme": theme if theme in THEMES else "", "section": getattr(request, "section", "")}
    membership = getattr(request, "membership", None)
    if membership is not None:
        values |= {
            "tenant": membership.tenant,
            "membership": membership,
            "memberships": request.memberships,  # type: ignore[attr-defined]
            "can_edit": membership.can_edit,
            "can_administer": membership.can_administer,
            "counts": Counts(membership.tenant),
        }
    return values


class Counts:
    """How many APIs and applications a tenant has, counted with one query when a template asks."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant

    def apis(self) -> int:
        return self._both[0]

    def applications(self) -> int:
        return self._both[1]

    @cached_property
    def _both(self) -> tuple[int, int]:
        of_tenant = type(self.tenant)._default_manager.filter(pk=self.tenant.pk)
        numbers = {
            name: Subquery(
                getattr(self.tenant, name).order_by().values("tenant").annotate(n=Count("pk")).values("n"),
                output_field=IntegerField(),
            )
            for name in ("apis", "applications")
        }
        found = of_tenant.values_list(*(Coalesce(number, 0) for number in numbers.values())).first()
        return found or (0, 0)
