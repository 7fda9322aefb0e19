"""After scopes were added: to which of the applications authorized already they could be given at once."""

import re
from dataclasses import dataclass
from typing import Any

from apis.models import API, Scope

MOST_APPLICATIONS = 100


@dataclass(frozen=True)
class Offer:
    """The new scopes, and the authorizations that do not hold them yet."""

    added: str
    scopes: list[Scope]
    grants: list[Any]


def address_part(scopes: list[Scope]) -> str:
    """Return the part of an address that names scopes added together."""
    return f"?added={scopes[0].pk}-{scopes[-1].pk}" if scopes else ""


def scopes_added(api: API, text: str) -> list[Scope]:
    """Return the scopes an address names: those of `api` from the first id to the last.

    The changes of a tenant queue up, so an API's scopes that were added together have ids with none of its own
    between them.
    """
    ends = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", text)
    return list(api.scopes.filter(pk__range=(int(ends[1]), int(ends[2])))) if ends else []


def offer_for(api: API, text: str) -> Offer | None:
    """Return what could be granted now, or None when nothing was added or nobody would get it."""
    scopes = [] if api.is_system else scopes_added(api, text)
    if not scopes:
        return None
    grants = api.client_grants.filter(subject_type="client", allow_all_scopes=False).exclude(scopes=scopes[-1])
    found = list(grants.select_related("application").order_by("application__name")[:MOST_APPLICATIONS])
    return Offer(text, scopes, found) if found else None
