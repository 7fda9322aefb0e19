"""The Test tab of an API: ask for a token as one of the tenant's applications, and see all there is to see."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.access import EDITOR, VIEWER, ConsoleRequest, console_page
from apis.models import API
from apis.pages import api_page, can_authorize, find_api, may_authorize
from tokens import fixes, results, runs
from tokens.run_form import LISTED, RunForm, chosen_application, from_address

# Servers and browsers refuse longer ones.
LONGEST_ADDRESS = 4000


@console_page(read=VIEWER, write=EDITOR, section="apis")
def test(request: ConsoleRequest, api_id: str) -> HttpResponse:
    """Show the form; run what it says when it is posted. The token is in this one answer and nowhere else."""
    api = find_api(request, api_id)
    if request.method == "POST":
        may_authorize(request, api)
        return _run(request, api)
    return _page(request, api, from_address(request.GET))


def _run(request: ConsoleRequest, api: API) -> HttpResponse:
    form = RunForm(request.POST)
    if not form.is_valid():
        return _page(request, api, from_address(request.POST), form, status=422)
    asked = form.cleaned_data
    if "audience" not in request.POST:
        asked["audience"] = api.identifier
    wait = runs.seconds_to_wait(request.actor)
    if wait:
        return _page(request, api, asked, status=429, wait=wait)
    scopes = tuple(dict.fromkeys(asked["scope"]))
    place = fixes.Place(request.tenant, api, asked["application"], scopes, request.actor, tuple(asked["changed"]))
    audience = asked["audience"] or request.tenant.default_audience
    try:
        _refuse_other_api(request, api, audience)
        change = fixes.apply(asked["fix"] or "run", place)
    except ValidationError as error:
        return _page(request, api, asked, status=422, problems=error.messages)
    # The fix may have changed any of them.
    api = find_api(request, api.pk)
    run = runs.run(request.tenant, request.actor, place.client_id, audience, scopes or None, asked["client_secret"])
    shown = results.shown(request.tenant, api, run, asked["address"] or results.address_of(api))
    return _page(request, api, asked, change=change, **shown)


def _refuse_other_api(request: ConsoleRequest, api: API, audience: str) -> None:
    other = request.tenant.apis.filter(identifier=audience).exclude(pk=api.pk).first() if audience else None
    if other:
        raise ValidationError(f"{audience} is the identifier of {other}. Test it on that API's own tab.", code="other")


def _page(
    request: ConsoleRequest,
    api: API,
    asked: dict[str, Any],
    form: RunForm | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Return the tab with the form filled in as asked, and the result if there is one."""
    authorized = Exists(api.client_grants.for_clients().filter(application=OuterRef("pk")))
    applications = request.tenant.applications.annotate(authorized=authorized)
    machines = applications.filter(uses_client_credentials=True)
    offered = list(machines.order_by("-authorized", "name", "id")[:LISTED])
    asked["application"] = client_id = asked.get("application") or chosen_application(offered, api)
    asked.setdefault("audience", api.identifier)
    chosen = next((one for one in offered if one.client_id == client_id), None)
    if chosen is None and client_id:
        # An address may name one that cannot normally be chosen; then it can be tried and is explained.
        chosen = applications.filter(client_id=client_id).first()
        offered += [chosen] if chosen else []
    grant = api.client_grants.for_clients().filter(application=chosen).first() if chosen else None
    form = form or RunForm(initial=asked)
    form.offer(api, offered, grant, client_id, asked["scope"])
    as_json = asked.get("body") == "json"
    context = api_page(
        request,
        api,
        "test",
        form=form,
        read_only=not can_authorize(request, api),
        chosen=chosen,
        grant=grant,
        grant_expired=bool(grant and grant.expires_at and grant.expires_at <= timezone.now()),
        asked=asked,
        link=_link(request, api, asked),
        requests=results.request_panels(request.tenant, client_id, asked["audience"], asked["scope"], as_json),
        last_runs=results.last_runs(request.tenant, api),
        **more,
    )
    response = render(request, "tokens/test.html", context, status=status)
    if request.method == "POST" and len(context["link"]) <= LONGEST_ADDRESS:
        # What the address bar holds can be reloaded and sent to a colleague; the token is not in it.
        response["HX-Replace-Url"] = context["link"]
    return response


def _link(request: ConsoleRequest, api: API, asked: dict[str, Any]) -> str:
    """Return the address that opens the tab with the same values."""
    query = [("application", asked["application"]), *(("scope", scope) for scope in asked["scope"])]
    query += [("body", "json")] if asked.get("body") == "json" else []
    query += [("audience", asked["audience"])] if asked["audience"] != api.identifier else []
    return f"{reverse('tokens:test', args=[request.tenant.name, api.pk])}?{urlencode(query)}"
