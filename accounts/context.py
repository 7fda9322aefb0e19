"""What every console template may use besides its own values."""

from typing import Any

from django.http import HttpRequest

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
    """How many APIs and applications a tenant has, counted when a template asks."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant

    def apis(self) -> int:
        return self.tenant.apis.count()

    def applications(self) -> int:
        return self.tenant.applications.count()
