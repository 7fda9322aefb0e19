"""What an operator changes goes through the operations: one event each, by the operator, and refusals are said."""

import datetime
import json

import pytest
from django.contrib.admin.models import LogEntry

from accounts.models import Invitation, Membership, Role, Tenant
from accounts.operations import invite
from apis.models import API, Scope
from apis.operations import describe_scope, update_api
from applications.models import Application, ClientGrant, ClientSecret
from applications.operations import update_client_grant
from audit.chain import first_break
from audit.models import Event


def last(tenant="main"):
    return Event.objects.of(tenant).newest_first().first()


def errors(answer):
    return [message for field in answer.context["adminform"].form.errors.values() for message in field]


def settings_of(client, address):
    """What the change page would send back, unchanged."""
    form = client.get(address).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_a_tenant_is_born_with_keys_and_answers_at_once(as_opal):
    answer = as_opal.post(
        "/admin/accounts/tenant/add/",
        {"name": "second", "issuer": "https://second.example/", "friendly_name": "Second"},
    )

    assert answer.status_code == 302
    second = Tenant.objects.get(name="second")
    assert second.signing_keys.count() == 2 and second.apis.get().is_system
    assert as_opal.get("/.well-known/jwks.json", headers={"host": "second.example"}).status_code == 200
    assert last("second").actor_name == "opal@example.com" and first_break("second") is None


def test_a_tenants_settings_are_changed_but_not_its_issuer(as_opal, tenant):
    address = f"/admin/accounts/tenant/{tenant.pk}/change/"

    as_opal.post(
        address, settings_of(as_opal, address) | {"friendly_name": "Renamed", "issuer": "https://evil.example/"}
    )

    tenant.refresh_from_db()
    assert (tenant.friendly_name, tenant.issuer) == ("Renamed", "http://localhost:8000/")
    assert last().type == "tenant.updated" and last().details["after"] == {"friendly_name": "Renamed"}


def test_a_taken_issuer_is_said_at_the_form(as_opal, tenant):
    answer = as_opal.post("/admin/accounts/tenant/add/", {"name": "main", "issuer": tenant.issuer})

    assert answer.status_code == 200 and any("already exists" in message for message in errors(answer))
    assert Tenant.objects.get() == tenant


def test_a_person_is_switched_off_and_that_is_in_the_servers_own_history(as_opal, bea):
    as_opal.post(f"/admin/accounts/user/{bea.pk}/change/", {"name": "Bea"})

    bea.refresh_from_db()
    assert not bea.is_active and last("").type == "member.updated" and last("").details["after"]["is_active"] is False
    assert first_break("") is None


def test_the_last_operator_stays_one(as_opal, opal):
    answer = as_opal.post(f"/admin/accounts/user/{opal.pk}/change/", {"name": "Opal", "is_active": "on"})

    assert any("at least one operator" in message for message in errors(answer))
    opal.refresh_from_db()
    assert opal.is_staff and opal.name == ""


def test_an_operator_gives_membership_changes_it_and_takes_it(as_opal, opal, other_tenant, cal):
    added = {"tenant": other_tenant.pk, "user": opal.pk, "role": "admin"}
    assert as_opal.post("/admin/accounts/membership/add/", added).status_code == 302
    membership = Membership.objects.get(user=opal, tenant=other_tenant)

    as_opal.post(f"/admin/accounts/membership/{membership.pk}/change/", {"role": "viewer"})
    membership.refresh_from_db()
    assert membership.role == Role.VIEWER and last("other").type == "member.role_changed"

    as_opal.post(f"/admin/accounts/membership/{membership.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.filter(pk=membership.pk).exists() and last("other").type == "member.removed"


def test_a_membership_is_not_given_twice(as_opal, tenant, ada):
    answer = as_opal.post("/admin/accounts/membership/add/", {"tenant": tenant.pk, "user": ada.pk, "role": "viewer"})

    assert answer.status_code == 200 and errors(answer)


@pytest.mark.parametrize("way", ["page", "list"])
def test_the_last_admin_of_a_tenant_stays(as_opal, other_tenant, cal, way):
    membership = Membership.objects.get(user=cal)
    before = Event.objects.count()

    if way == "page":
        answer = as_opal.post(f"/admin/accounts/membership/{membership.pk}/delete/", {"post": "yes"}, follow=True)
    else:
        answer = bulk_delete(as_opal, "/admin/accounts/membership/", [membership.pk])

    assert "needs at least one admin" in answer.content.decode()
    assert Membership.objects.filter(pk=membership.pk).exists() and Event.objects.count() == before


def test_an_invitation_is_revoked(as_opal, tenant, by):
    invitation, _ = invite(tenant, by, Role.VIEWER)

    as_opal.post(f"/admin/accounts/invitation/{invitation.pk}/delete/", {"post": "yes"})

    assert not Invitation.objects.exists() and last().type == "invitation.revoked"


def test_an_api_is_made_changed_and_deleted(as_opal, tenant):
    made = {
        "tenant": tenant.pk,
        "name": "Orders",
        "identifier": "https://orders.example/",
        "signing_alg": "HS256",
        "token_dialect": "access_token",
        "token_lifetime": "3600",
    }
    assert as_opal.post("/admin/apis/api/add/", made).status_code == 302
    api = API.objects.get(name="Orders")
    assert api.signing_secret and last().type == "api.created"

    address = f"/admin/apis/api/{api.pk}/change/"
    as_opal.post(address, settings_of(as_opal, address) | {"name": "Orders 2", "identifier": "https://new.example/"})
    api.refresh_from_db()
    assert (api.name, api.identifier) == ("Orders 2", "https://orders.example/")
    assert last().details["after"] == {"name": "Orders 2"}

    as_opal.post(f"/admin/apis/api/{api.pk}/delete/", {"post": "yes"})
    assert not API.objects.filter(pk=api.pk).exists() and last().type == "api.deleted"


def test_an_api_with_authorizations_is_deleted_whole(as_opal, calendar_api, billing_grant):
    as_opal.post(f"/admin/apis/api/{calendar_api.pk}/delete/", {"post": "yes"})

    assert not ClientGrant.objects.exists() and last().details["lost_by"] == ["Billing"]


@pytest.mark.parametrize("way", ["page", "list"])
def test_the_system_api_is_not_deleted(as_opal, calendar_api, tenant, way):
    system = tenant.apis.get(is_system=True)
    before = Event.objects.count()

    if way == "page":
        answer = as_opal.post(f"/admin/apis/api/{system.pk}/delete/", {"post": "yes"}, follow=True)
    else:
        answer = bulk_delete(as_opal, "/admin/apis/api/", [calendar_api.pk, system.pk])

    assert "System resource servers cannot be deleted." in answer.content.decode()
    assert tenant.apis.count() == 2 and Event.objects.count() == before


def test_several_at_once_leave_an_event_each(as_opal, tenant, calendar_api):
    keys = list(calendar_api.scopes.values_list("pk", flat=True))

    bulk_delete(as_opal, "/admin/apis/scope/", keys)

    assert not calendar_api.scopes.exists()
    assert [event.type for event in Event.objects.of("main").newest_first()[:2]] == ["scope.deleted"] * 2


def test_an_editor_who_saves_second_is_told_and_can_save_again(as_opal, calendar_api, by):
    address = f"/admin/apis/api/{calendar_api.pk}/change/"
    opened = settings_of(as_opal, address)
    update_api(calendar_api, by, name="Somebody else's name")

    answer = as_opal.post(address, opened | {"name": "Mine"})
    assert any("Somebody else saved" in message for message in errors(answer))
    assert "Saved by somebody else: Somebody else&#x27;s name" in answer.content.decode()

    form = answer.context["adminform"].form
    as_opal.post(address, opened | {"name": "Mine", "revision": form["revision"].value()})
    calendar_api.refresh_from_db()
    assert calendar_api.name == "Mine"


def test_scopes_are_added_described_and_deleted(as_opal, calendar_api):
    added = {"api": calendar_api.pk, "value": "delete:appointments", "description": ""}
    assert as_opal.post("/admin/apis/scope/add/", added).status_code == 302
    scope = Scope.objects.get(value="delete:appointments")

    as_opal.post(f"/admin/apis/scope/{scope.pk}/change/", {"value": "renamed", "description": "Delete them"})
    scope.refresh_from_db()
    assert (scope.value, scope.description) == ("delete:appointments", "Delete them")

    as_opal.post(f"/admin/apis/scope/{scope.pk}/delete/", {"post": "yes"})
    assert last().type == "scope.deleted"


def test_an_application_is_made_without_a_secret(as_opal, tenant):
    made = {"tenant": tenant.pk, "name": "Nightly", "app_type": "non_interactive"}
    as_opal.post("/admin/applications/application/add/", made)

    application = Application.objects.get()
    assert application.grant_types == ["client_credentials"]
    assert not ClientSecret.objects.exists()
    assert last().type == "application.created"


def test_an_application_is_switched_off_and_deleted(as_opal, billing_app):
    address = f"/admin/applications/application/{billing_app.row.pk}/change/"
    sent = settings_of(as_opal, address)
    sent.pop("enabled")

    as_opal.post(address, sent)
    billing_app.row.refresh_from_db()
    assert not billing_app.row.enabled and last().details["after"] == {"enabled": False}

    as_opal.post(f"/admin/applications/application/{billing_app.row.pk}/delete/", {"post": "yes"})
    assert not Application.objects.exists() and last().type == "application.deleted"


def test_a_client_grant_is_made_changed_and_deleted(as_opal, billing_app, calendar_api):
    made = {"application": billing_app.row.pk, "api": calendar_api.pk, "scopes": "read:appointments"}
    assert as_opal.post("/admin/applications/clientgrant/add/", made).status_code == 302
    grant = ClientGrant.objects.get()
    assert grant.scope_values() == ["read:appointments"]

    address = f"/admin/applications/clientgrant/{grant.pk}/change/"
    as_opal.post(address, settings_of(as_opal, address) | {"scopes": "read:appointments\nwrite:appointments"})
    assert grant.scope_values() == ["read:appointments", "write:appointments"] and last().type == "client_grant.updated"

    as_opal.post(f"/admin/applications/clientgrant/{grant.pk}/delete/", {"post": "yes"})
    assert not ClientGrant.objects.exists() and last().type == "client_grant.deleted"


def test_djangos_own_log_holds_names_and_no_values(as_opal, calendar_api):
    address = f"/admin/apis/api/{calendar_api.pk}/change/"
    as_opal.post(address, settings_of(as_opal, address) | {"name": "New name"})

    assert json.loads(LogEntry.objects.get().change_message) == [{"changed": {"fields": ["Name"]}}]


def bulk_delete(client, address, keys):
    sent = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    return client.post(address, sent, follow=True)


def test_an_expiry_that_has_passed_is_refused_unless_it_is_the_saved_one(as_opal, billing_grant, by):
    address = f"/admin/applications/clientgrant/{billing_grant.pk}/change/"
    past = datetime.datetime(2020, 1, 1, 12, 0, 5, 67, tzinfo=datetime.UTC)

    answer = as_opal.post(address, settings_of(as_opal, address) | {"expires_at": "2020-01-01T00:00"})
    assert errors(answer) == ["Choose a moment that has not passed yet."]

    update_client_grant(billing_grant, by, expires_at=past)
    sent = settings_of(as_opal, address) | {"expires_at": "2020-01-01T12:00:05", "scopes": "write:appointments"}
    assert as_opal.post(address, sent).status_code == 302
    billing_grant.refresh_from_db()
    assert billing_grant.expires_at == past and billing_grant.scope_values() == ["write:appointments"]


def test_a_grant_is_not_changed_without_saying_which_one_was_seen(as_opal, billing_grant, by):
    address = f"/admin/applications/clientgrant/{billing_grant.pk}/change/"
    opened = settings_of(as_opal, address)

    answer = as_opal.post(address, opened | {"scopes": "", "revision": ""})
    assert "revision" in answer.context["adminform"].form.errors

    update_client_grant(billing_grant, by, scopes=["write:appointments"])
    answer = as_opal.post(address, opened | {"scopes": ""})
    assert "Saved by somebody else: write:appointments." in errors(answer)
    again = {"scopes": "", "revision": answer.context["adminform"].form["revision"].value()}
    assert as_opal.post(address, opened | again).status_code == 302
    assert billing_grant.scope_values() == []


def test_a_scope_that_somebody_else_described_is_told(as_opal, calendar_api, by):
    scope = calendar_api.scopes.first()
    address = f"/admin/apis/scope/{scope.pk}/change/"
    opened = settings_of(as_opal, address)
    describe_scope(scope, by, "Theirs")

    answer = as_opal.post(address, opened | {"description": "Mine"})

    assert "Saved by somebody else: Theirs" in answer.content.decode()
    scope.refresh_from_db()
    assert scope.description == "Theirs"
