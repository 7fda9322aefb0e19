from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.access import ConsoleRequest, console_page
from accounts.lookups import search_text
from apis.models import SigningAlgorithm
from apis.pages import find_api, page_of

SORTS = {"name": Lower("name"), "scopes": "scope_count", "apps": "authorized_count"}


@console_page(section="apis")
def api_list(request: ConsoleRequest) -> HttpResponse:
    q, alg, sort = search_text(request.GET.get("q")), request.GET.get("alg", ""), request.GET.get("sort", "name")
    apis = request.tenant.apis.counted().matching(q)
    if alg in SigningAlgorithm.values:
        apis = apis.filter(signing_alg=alg)
    page = page_of(apis.order_by(*_order(sort)), request.GET.get("page"))
    usage = request.tenant.usage.last_day("api_id", [api.pk for api in page])
    for api in page:
        api.last_day = usage[api.pk]
    filtered = bool(q or alg)
    return render(
        request,
        "apis/list.html",
        {
            "page": page,
            "q": q,
            "alg": alg,
            "sort": sort,
            "filtered": filtered,
            "algorithms": SigningAlgorithm.choices,
            # Every tenant has the system API, so a new tenant's list is not empty; it has none of its own.
            "first_steps": not filtered and page.number == 1 and all(api.is_system for api in page),
        },
    )


@console_page(section="apis")
def open_api(request: ConsoleRequest, api_id: str) -> HttpResponse:
    return redirect("apis:quick_start", request.tenant.name, find_api(request, api_id).pk)


def _order(sort: str) -> list:
    key = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    if sort.startswith("-"):
        return [key.desc() if isinstance(key, Lower) else f"-{key}", "id"]
    return [key, "id"]
