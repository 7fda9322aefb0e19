from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import ConsoleRequest, console_page
from accounts.lookups import search_text
from apis.pages import page_of
from applications.models import ApplicationType, SubjectType
from applications.pages import find_application

SORTS: dict[str, Any] = {"name": Lower("name"), "type": "app_type", "apis": "authorized_count"}


@console_page(section="applications")
def application_list(request: ConsoleRequest) -> HttpResponse:
    q, app_type = search_text(request.GET.get("q")), request.GET.get("type", "")
    sort = request.GET.get("sort", "name")
    counted = Count("client_grants", filter=Q(client_grants__subject_type=SubjectType.CLIENT))
    applications = request.tenant.applications.matching(q).annotate(authorized_count=counted)  # type: ignore[attr-defined]
    if app_type in ApplicationType.values:
        applications = applications.filter(app_type=app_type)
    page = page_of(applications.order_by(*_order(sort)), request.GET.get("page"))
    usage = request.tenant.usage.last_day("client_id", [application.client_id for application in page])
    for application in page:
        application.last_day = usage[application.client_id]
    values = {
        "page": page,
        "q": q,
        "type": app_type,
        "sort": sort,
        "types": ApplicationType.choices,
        "first_steps": not (q or app_type or page.object_list),
    }
    return render(request, "applications/list.html", values)


@console_page(section="applications")
def open_application(request: ConsoleRequest, client_id: str) -> HttpResponse:
    return redirect("applications:settings", request.tenant.name, find_application(request, client_id).client_id)


def _order(sort: str) -> list[Any]:
    key = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    if sort.startswith("-"):
        return [key.desc() if isinstance(key, Lower) else f"-{key}", "id"]
    return [key, "id"]
