"""No page of the console asks the database more than `MOST` times, however much its tenant has."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from accounts.models import Role
from accounts.operations import create_member, invite
from apis.operations import add_scopes, create_api
from applications.models import Credential
from applications.operations import authorize_application
from audit.models import Event
from tests.conftest import PASSWORD, make_app
from tokens.operations import write_log

MOST = 12
SIZES = (3, 30)
TENANT = "t/{tenant}/"
# The same pages again, as their filters and their open rows show them.
VARIANTS = {
    "apis/{api_id}/machine-to-machine/": ["?open={client_id}", "?show=authorized", "?q=Application&page=1"],
    "apis/{api_id}/scopes/": ["?q=read"],
    "apis/": ["?q=API"],
    "applications/": ["?q=Application", "?type=non_interactive"],
    "logs/": ["?outcome=denied&application={client_id}", "?q=No"],
    "activity/": ["?q=api"],
}


def addresses(resolver: Any, before: str = "") -> Iterator[str]:
    """Yield every address, with {names} where something varies."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", before + str(pattern.pattern))


def console_pages() -> list[str]:
    """Return all pages of a tenant, found by their addresses, so that a new one is looked at too."""
    pages = [address.removeprefix(TENANT) for address in addresses(get_resolver()) if address.startswith(TENANT)]
    return [page + variant for page in dict.fromkeys(pages) for variant in ["", *VARIANTS.get(page, [])]]


class House:
    """A tenant that grows: as many of everything as it is told to have."""

    def __init__(self, tenant: Any, by: Any, public_jwk: dict[str, Any]) -> None:
        self.tenant, self.by, self.public_jwk, self.size = tenant, by, public_jwk, 0
        self.api = create_api(tenant, by, name="API", identifier="https://api.example/")
        self.application = make_app(tenant, by, name="Application").row
        self.grant = authorize_application(self.application, self.api, by)

    def grow(self, size: int) -> None:
        for number in range(self.size, size):
            api = create_api(self.tenant, self.by, name=f"API {number}", identifier=f"https://api-{number}.example/")
            application = make_app(self.tenant, self.by, name=f"Application {number}").row
            add_scopes(self.api, self.by, [(f"read:{number}", "")])
            authorize_application(application, self.api, self.by, scopes=[f"read:{number}"])
            authorize_application(self.application, api, self.by)
            create_member(self.tenant, self.by, f"member-{number}@example.com", PASSWORD, Role.VIEWER)
            invite(self.tenant, self.by, Role.VIEWER, f"guest-{number}@example.com")
            write_log(self.tenant, type="feccft", description="No", client_id=application.client_id)
        self.grant.scopes.set(self.api.scopes.all())
        self.size = size

    def names(self) -> dict[str, Any]:
        """Return one of everything that an address can be about."""
        key = self.tenant.signing_keys.filter(state="current").get()
        credential, _ = Credential.objects.get_or_create(
            application=self.application, kid="one", defaults={"alg": "RS256", "public_jwk": self.public_jwk}
        )
        return {
            "tenant": self.tenant.name,
            "api_id": self.api.pk,
            "client_id": self.application.client_id,
            "scope_id": self.api.scopes.earliest("pk").pk,
            "secret_id": self.application.secrets.get().pk,
            "credential_id": credential.pk,
            "membership_id": self.tenant.memberships.latest("pk").pk,
            "invitation_id": self.tenant.invitations.latest("pk").pk,
            "event_id": Event.objects.latest("pk").pk,
            "kid": key.kid,
            "log_id": self.tenant.log_entries.latest("log_id").pk,
        }


@pytest.fixture
def house(tenant, by):
    key = tenant.signing_keys.filter(state="current").get()
    return House(tenant, by, key.public_jwk)


def queries_of(browser: Any, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        answer = browser.get(address)
    # 302: a page that only leads to another; 405: one that only takes a POST.
    assert answer.status_code in {200, 302, 405}, (address, answer.status_code)
    return len(found)


def test_every_page_stays_within_its_queries_at_any_size(as_ada, house):
    seen: dict[str, list[int]] = {}
    for size in SIZES:
        house.grow(size)
        names = house.names()
        for page in console_pages():
            address = "/" + (TENANT + page).format(**names)
            seen.setdefault(page, []).append(queries_of(as_ada, address))

    assert len(seen) > 50
    assert {page: found for page, found in seen.items() if max(found) > MOST} == {}
    assert {page: found for page, found in seen.items() if found[0] != found[1]} == {}
