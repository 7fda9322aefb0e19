"""Which browser origins may read the token endpoint's answers: those an application of the tenant registered."""

from accounts.versions import House
from applications.models import Application
from tokens import memory
from tokens.endpoints.calls import Answer, Call


def preflight(house: House, call: Call) -> Answer:
    """Answer a CORS preflight. A foreign origin gets no permission, and no other sign either."""
    headers = [("Vary", "Origin")]
    if is_registered(house, call.origin):
        headers += [
            ("Access-Control-Allow-Origin", call.origin),
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Allow-Headers", "authorization, auth0-client, content-type, dpop"),
            ("Access-Control-Max-Age", "600"),
        ]
    return Answer(204, headers, b"")


def readable_by_registered_origin(house: House, call: Call, answer: Answer) -> Answer:
    """Return the answer, readable by the call's origin if it is registered; never with credentials."""
    if is_registered(house, call.origin):
        answer.headers.append(("Access-Control-Allow-Origin", call.origin))
    return answer


def is_registered(house: House, origin: str) -> bool:
    """Return whether an application of the tenant lists this origin (RFC 6454 §7), compared byte for byte."""
    return bool(origin) and origin in memory.of(house).document("origins", lambda: _registered(house))


def _registered(house: House) -> frozenset[str]:
    applications = Application.objects.filter(tenant_id=house.pk).exclude(allowed_origins="")
    return frozenset(
        origin for text in applications.values_list("allowed_origins", flat=True) for origin in text.split()
    )
