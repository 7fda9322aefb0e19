"""A house with something in every room, built once and then only looked at."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Membership, Role, Tenant, User
from accounts.operations import add_member, create_member, invite, update_tenant
from apis.models import API
from apis.operations import add_scopes, create_api, update_api
from applications.models import Application
from applications.operations import add_credential, add_secret, authorize_application, create_application, roll_secret
from audit.actors import Actor
from tests.conftest import PASSWORD
from tokens import demo, keys
from tokens.models import KeyState
from tokens.operations import revoke_signing_key, rotate_signing_keys
from tokens.setup import create_tenant

BY = Actor(id="auth0|test", name="rita@example.com", ip="192.0.2.1", user_agent="Mozilla/5.0 (X11; Linux x86_64)")
MANY = 60


@dataclass
class House:
    """main is the demo with more in it; empty has nothing of its own; crowded has much, with the longest names."""

    url: str
    main: Tenant
    empty: Tenant
    crowded: Tenant
    ada: User
    eve: User
    bea: User
    gone: str  # the token of an invitation that has expired
    open: str  # that of one that works
    apis: dict[str, API] = field(default_factory=dict)
    apps: dict[str, Application] = field(default_factory=dict)

    def at(self, name: str, *arguments: Any, tenant: Tenant | None = None, query: str = "") -> str:
        """Return the path of a console page of `tenant`, main if none is given."""
        return reverse(name, args=[(tenant or self.main).name, *arguments]) + query


def build(url: str) -> House:
    """Return the house that answers at `url`, without a slash at the end."""
    main = create_tenant("main", f"{url}/", BY, friendly_name="Riverside Practice")
    empty = create_tenant("empty", "https://empty.example/", BY, friendly_name="Nothing yet")
    crowded = create_tenant("crowded", "https://crowded.example/", BY, friendly_name="W" * 100)
    ada = create_member(main, BY, "ada@example.com", PASSWORD, Role.ADMIN, operator=True)
    for tenant in (empty, crowded):
        add_member(tenant, BY, ada, Role.ADMIN)
    eve = create_member(main, BY, "eve@example.com", PASSWORD, Role.EDITOR)
    bea = create_member(main, BY, "bea@example.com", PASSWORD, Role.VIEWER)
    _, gone = invite(main, BY, Role.VIEWER)
    Invitation.objects.update(expires_at=timezone.now() - datetime.timedelta(days=1))
    _, token = invite(main, BY, Role.EDITOR, "carol@example.com")
    house = House(url, main, empty, crowded, ada, eve, bea, gone, token)
    demo.fill(main)
    _live_in(house)
    _crowd(house)
    house.apis |= {api.name: api for api in main.apis.all()}
    house.apps |= {application.name: application for application in main.applications.all()}
    return house


def _live_in(house: House) -> None:
    """Leave what use leaves: changed keys, rolled secrets, a client's key, changed settings, a closed API."""
    main = house.main
    rotate_signing_keys(main, BY, emergency=True)
    revoke_signing_key(main.signing_keys.filter(alg="RS256", state=KeyState.PREVIOUS).get(), BY)
    web = main.applications.get(name="Booking website")
    roll_secret(web.secrets.get(), BY, datetime.timedelta(hours=1))
    lab = main.applications.get(name="Laboratory gateway")
    for alg, name in (("RS256", "Production 2026"), ("ES256", "Standby")):
        add_credential(lab, BY, keys.generate(alg)[1], name)
    add_secret(main.applications.get(name="Nightly invoices"), BY)
    update_tenant(main, BY, support_email="help@example.com")
    closed = create_api(main, BY, name="Archive", identifier="https://archive.example/")
    update_api(closed, BY, client_policy="deny_all", token_lifetime=600, token_lifetime_for_web=600)


def _crowd(house: House) -> None:
    """Fill a tenant with many rows, the longest names first."""
    crowded, longest = house.crowded, "W" * 200
    api = create_api(crowded, BY, name=longest, identifier="https://" + "w" * 592)
    add_scopes(api, BY, [("w" * 280, "W" * 400)] + [(f"read:things-{n}", f"Read things {n}") for n in range(MANY)])
    application, _ = create_application(crowded, BY, name="W" * 255, app_type="non_interactive", description="W" * 140)
    authorize_application(application, api, BY, allow_all_scopes=True)
    for number in range(MANY):
        create_api(crowded, BY, name=f"API {number}", identifier=f"https://{number}.example/")
        create_application(crowded, BY, with_secret=False, name=f"Service {number}", app_type="non_interactive")
    house.apis["crowded api"], house.apps["crowded app"] = api, application


def membership(house: House, user: User) -> Membership:
    return house.main.memberships.get(user=user)
