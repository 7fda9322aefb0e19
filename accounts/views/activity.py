from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from accounts.access import ConsoleRequest, console_page
from accounts.activity import Entry, Page, page_of
from accounts.lookups import find_or_404, search_text
from accounts.sentences import KINDS
from audit.chain import first_break, is_intact
from audit.models import Event


@console_page(section="activity")
def activity(request: ConsoleRequest) -> HttpResponse:
    text, kind = search_text(request.GET.get("q")), request.GET.get("kind", "")
    events = Event.objects.of(request.tenant.name)
    if text:
        named = Q(actor_name__icontains=text) | Q(target_name__icontains=text)
        events = events.filter(named | Q(type__icontains=text) | Q(target_id=text) | Q(actor_id=text))
    if kind in KINDS:
        events = events.filter(type__startswith=f"{kind}.")
    page: Page = page_of(request.tenant, events, request.GET)
    values = {"page": page, "q": text, "kind": kind, "kinds": KINDS}
    return render(request, "accounts/activity.html", values)


@console_page(section="activity")
def event(request: ConsoleRequest, event_id: int) -> HttpResponse:
    found = find_or_404(Event.objects.of(request.tenant.name), pk=event_id)
    values = {"entry": Entry.of(request.tenant, found), "event": found, "intact": is_intact(found)}
    if "check" in request.GET:
        # The whole history is read for this, so it happens when somebody asks.
        values |= {"checked": True, "broken": first_break(request.tenant.name)}
    return render(request, "accounts/activity_event.html", values)
