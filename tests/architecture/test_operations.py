"""Every operation leaves exactly one event, by whoever did it, and moves the tenant's version by one."""

import datetime
import inspect
import json

import pytest
from django.utils import timezone

from accounts import operations as accounts
from accounts.models import Role, Tenant, User
from apis import operations as apis
from applications import operations as applications
from applications.public_keys import public_jwk_from_pem
from audit.chain import first_break
from audit.models import Event
from tests.conftest import PASSWORD
from tokens import keys
from tokens import operations as tokens

MODULES = [accounts, apis, applications, tokens]
# Functions in those files that change nothing about a tenant, and why they are there.
NO_CHANGE = {
    "hash_token": "computes",
    "ready_at": "computes",
    "revoke_token": "ends one token, at the request of the application that has it",
    "use_assertion": "notes what a client sent, at every token request",
    "add_usage": "counts requests, without an end",
    "note_uses": "notes when credentials were used, without an end",
    "lease_quota": "counts tokens of a quota",
    "adjust_quota": "counts tokens of a quota",
    "prune": "clears away what is old",
    "write_log": "writes the log of requests, which is another one than the history of changes",
}
NOBODY_BUMPED = {
    "create_tenant": "there was no tenant before",
    "update_member": "a person belongs to no tenant",
    "reset_password": "a person belongs to no tenant",
}


class World:
    """The cast, and one way to drive each operation. Whatever has to be there first is made before counting."""

    def __init__(self, request):
        for name in ("tenant", "by", "ada", "bea", "cal", "calendar_api", "billing_app", "web_app", "billing_grant"):
            setattr(self, name, request.getfixturevalue(name))
        self.hs256 = apis.create_api(
            self.tenant, self.by, name="HS", identifier="https://hs.example/", signing_alg="HS256"
        )
        self.invitation, _ = accounts.invite(self.tenant, self.by, Role.VIEWER)
        self.key = applications.add_credential(self.web_app.row, self.by, public_key())
        self.tenant.signing_keys.update(created_at=timezone.now() - datetime.timedelta(days=1))

    @property
    def scope(self):
        return self.calendar_api.scopes.get(value="read:appointments")

    @property
    def secret(self):
        return self.billing_app.row.secrets.get()

    def membership(self, user):
        return user.memberships.select_related("tenant").get()

    def rotated(self):
        tokens.rotate_signing_keys(self.tenant, self.by)
        return self.tenant.signing_keys.get(state="previous")


def public_key():
    return public_jwk_from_pem(json.dumps(keys.generate("ES256")[1]), "ES256")


def prepared(w):
    """Return for each operation a call that is ready to go: what it needs is made now, not by the call."""
    t, by, api, app = w.tenant, w.by, w.calendar_api, w.billing_app.row
    hour = datetime.timedelta(hours=1)
    return {
        "create_tenant": lambda: accounts.create_tenant("third", "https://third.example/", by),
        "update_tenant": lambda: accounts.update_tenant(t, by, friendly_name="New name"),
        "invite": lambda: accounts.invite(t, by, Role.EDITOR, "new@example.com"),
        "revoke_invitation": lambda: accounts.revoke_invitation(w.invitation, by),
        "accept_invitation": lambda: accounts.accept_invitation(w.invitation, by, "n@example.com", "N", PASSWORD),
        "join": lambda: accounts.join(w.invitation, by, w.cal),
        "create_member": lambda: accounts.create_member(t, by, "m@example.com", PASSWORD, Role.EDITOR),
        "add_member": lambda: accounts.add_member(t, by, w.cal, Role.VIEWER),
        "revoke_issued_to_user": lambda: accounts.revoke_issued_to_user(end_user(t), by),
        "update_member": lambda: accounts.update_member(w.bea, by, name="Bea B."),
        "reset_password": lambda: accounts.reset_password(w.bea, by, "another long sentence"),
        "change_role": lambda: accounts.change_role(w.membership(w.bea), by, Role.EDITOR),
        "remove_member": lambda: accounts.remove_member(w.membership(w.bea), by),
        "create_api": lambda: apis.create_api(t, by, name="Orders", identifier="https://orders.example/"),
        "update_api": lambda: apis.update_api(api, by, name="New name"),
        "delete_api": lambda: apis.delete_api(api, by),
        "rotate_signing_secret": lambda: apis.rotate_signing_secret(w.hs256, by),
        "revoke_issued_for_api": lambda: apis.revoke_issued_for_api(api, by),
        "note_signing_secret_seen": lambda: apis.note_signing_secret_seen(w.hs256, by),
        "add_scopes": lambda: apis.add_scopes(api, by, [("a:b", ""), ("c:d", "")]),
        "describe_scope": lambda: apis.describe_scope(w.scope, by, "New words"),
        "delete_scope": lambda: apis.delete_scope(w.scope, by),
        "create_management_api": lambda: apis.create_management_api(without_apis(t), by),
        "change_issuer": lambda: apis.change_issuer(t, by, "https://auth.example.com/"),
        "create_application": lambda: applications.create_application(t, by, name="Nightly"),
        "update_application": lambda: applications.update_application(app, by, name="New name"),
        "delete_application": lambda: applications.delete_application(app, by),
        "revoke_issued_to_application": lambda: applications.revoke_issued_to_application(app, by),
        "revoke_issued_under_grant": lambda: applications.revoke_issued_under_grant(w.billing_grant, by),
        "add_secret": lambda: applications.add_secret(app, by),
        "roll_secret": lambda: applications.roll_secret(w.secret, by, hour),
        "revoke_secret": lambda: applications.revoke_secret(w.secret, by),
        "rotate_secret": lambda: applications.rotate_secret(app, by),
        "set_authentication_method": lambda: applications.set_authentication_method(
            w.web_app.row, by, "private_key_jwt"
        ),
        "add_credential": lambda: applications.add_credential(app, by, public_key()),
        "delete_credential": lambda: applications.delete_credential(w.key, by),
        "authorize_application": lambda: applications.authorize_application(app, w.hs256, by),
        "update_client_grant": lambda: applications.update_client_grant(w.billing_grant, by, scopes=[]),
        "grant_scopes": lambda: applications.grant_scopes(api, by, [app.client_id], ["write:appointments"]),
        "deauthorize_application": lambda: applications.deauthorize_application(w.billing_grant, by),
        "ensure_signing_keys": lambda: tokens.ensure_signing_keys(t, "ES256", by),
        "rotate_signing_keys": lambda: tokens.rotate_signing_keys(t, by),
        "revoke_signing_key": lambda previous=None: tokens.revoke_signing_key(previous or w.rotated(), by),
    }


def end_user(tenant):
    return User.objects.create_user("guest@example.com", tenant=tenant)


def without_apis(tenant):
    tenant.apis.all().delete()
    return tenant


def operations():
    return {
        name
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    } - NO_CHANGE.keys()


@pytest.fixture
def world(request):
    return World(request)


@pytest.mark.parametrize("name", sorted(operations()))
def test_an_operation_leaves_one_event_and_one_step_of_the_version(world, name):
    call = prepared(world)[name]
    if name == "revoke_signing_key":
        previous = world.rotated()
        call = lambda: tokens.revoke_signing_key(previous, world.by)  # noqa: E731
    events, version = Event.objects.count(), Tenant.objects.get(name="main").config_version

    call()

    assert Event.objects.count() == events + 1
    last = Event.objects.order_by("-pk").first()
    assert (last.actor_id, last.actor_name, last.ip) == (world.by.id, world.by.name, world.by.ip)
    steps = 0 if name in NOBODY_BUMPED else 1
    assert Tenant.objects.get(name="main").config_version == version + steps
    assert first_break(last.tenant) is None


def test_no_event_holds_a_secret(world):
    secret = applications.add_secret(world.billing_app.row, world.by)
    hs256 = apis.rotate_signing_secret(world.hs256, world.by)
    _, link = accounts.invite(world.tenant, world.by, Role.VIEWER)
    accounts.create_member(world.tenant, world.by, "m@example.com", PASSWORD, Role.VIEWER)

    history = json.dumps(list(Event.objects.values_list("details", flat=True)))

    stored = User.objects.get(email="m@example.com").password
    assert not [text for text in (secret, hs256, link, PASSWORD, stored, world.billing_app.secret) if text in history]
