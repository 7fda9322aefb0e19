"""Two people at once: whoever comes second is told and leaves no event; so are the database's own refusals."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models.signals import pre_save

from accounts.models import Role, Tenant
from accounts.operations import change_role, create_tenant, invite, remove_member, revoke_invitation
from apis.operations import change_issuer, delete_scope, describe_scope
from applications.operations import add_credential, deauthorize_application, delete_credential, revoke_secret
from audit.models import Event
from tests.architecture.test_operations import public_key


@pytest.fixture
def rows(tenant, by, ada, bea, calendar_api, billing_app, billing_grant):
    """What can be taken away, each with the operation that does it."""
    member = bea.memberships.select_related("tenant").get()
    scope = calendar_api.scopes.select_related("api__tenant").get(value="write:appointments")
    return {
        "delete_scope": (delete_scope, scope),
        "describe_scope": (lambda row, by: describe_scope(row, by, "New"), scope),
        "deauthorize_application": (deauthorize_application, billing_grant),
        "revoke_secret": (revoke_secret, billing_app.row.secrets.get()),
        "delete_credential": (delete_credential, add_credential(billing_app.row, by, public_key())),
        "remove_member": (remove_member, member),
        "change_role": (lambda row, by: change_role(row, by, Role.EDITOR), member),
        "revoke_invitation": (revoke_invitation, invite(tenant, by, Role.VIEWER)[0]),
    }


@pytest.mark.parametrize(
    "name",
    [
        "delete_scope",
        "describe_scope",
        "deauthorize_application",
        "revoke_secret",
        "delete_credential",
        "remove_member",
        "change_role",
        "revoke_invitation",
    ],
)
def test_what_is_gone_already_is_told_and_leaves_no_event(rows, by, name):
    operation, row = rows[name]
    type(row).objects.filter(pk=row.pk).delete()
    before = Event.objects.count()

    with pytest.raises(ValidationError) as refusal:
        operation(row, by)

    assert refusal.value.code == "gone"
    assert Event.objects.count() == before


@pytest.fixture
def somebody_faster():
    """Let somebody else write a tenant after the rules have looked and before it is stored."""
    receivers = []

    def somebody_faster(**fields):
        def write(sender, instance, **_):
            Tenant.objects.bulk_create([Tenant(domain=fields["issuer"].split("/")[2], **fields)])

        receivers.append(write)
        pre_save.connect(write, sender=Tenant, weak=False)

    yield somebody_faster
    for receiver in receivers:
        pre_save.disconnect(receiver, sender=Tenant)


@pytest.mark.parametrize(
    ("theirs", "field"),
    [
        ({"name": "third", "issuer": "https://elsewhere.example/"}, "name"),
        ({"name": "else", "issuer": "https://third.example/"}, "issuer"),
    ],
)
def test_a_tenant_that_somebody_made_meanwhile_is_told_at_its_field(db, by, somebody_faster, theirs, field):
    somebody_faster(**theirs)

    with pytest.raises(ValidationError) as refusal:
        create_tenant("third", "https://third.example/", by)

    assert "already exists" in " ".join(refusal.value.messages)
    assert set(refusal.value.message_dict) <= {field, "domain"}
    assert not Tenant.objects.filter(name="third").exists() and not Event.objects.exists()


def test_an_issuer_that_somebody_took_meanwhile_is_told(tenant, by, somebody_faster):
    somebody_faster(name="else", issuer="https://auth.example.com/")
    before = Event.objects.count()

    with pytest.raises(ValidationError, match="already exists"):
        change_issuer(tenant, by, "https://auth.example.com/")

    tenant.refresh_from_db()
    assert (tenant.issuer, Event.objects.count()) == ("http://localhost:8000/", before)


def test_the_system_audience_moves_with_the_issuer_and_open_pages_are_told(tenant, by):
    system = tenant.apis.get(is_system=True)
    Tenant.objects.filter(pk=tenant.pk).update(default_audience=system.identifier)

    moved = change_issuer(tenant, by, "https://auth.example.com/")

    new = moved.apis.get(is_system=True)
    assert moved.default_audience == new.identifier == "https://auth.example.com/api/v2/"
    assert (moved.revision, new.revision) == (tenant.revision + 1, system.revision + 1)


def test_another_default_audience_stays(tenant, by, calendar_api):
    Tenant.objects.filter(pk=tenant.pk).update(default_audience=calendar_api.identifier)

    assert change_issuer(tenant, by, "https://auth.example.com/").default_audience == calendar_api.identifier
