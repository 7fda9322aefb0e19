"""The history is chained: what is changed, inserted or removed in it shows."""

import pytest
from django.db import IntegrityError, transaction

from apis.operations import create_api, delete_api, update_api
from audit.chain import first_break
from audit.models import Event


@pytest.fixture
def history(tenant, by):
    api = create_api(tenant, by, name="Calendar", identifier="https://calendar.example/")
    update_api(api, by, name="Diary")
    delete_api(api, by)
    return Event.objects.of(tenant.name)


def test_a_whole_chain_has_no_break(history, tenant, other_tenant):
    assert first_break(tenant.name) is None
    assert first_break(other_tenant.name) is None


def test_a_changed_event_is_found(history, tenant):
    event = history.get(type="api.updated")
    Event.objects.filter(pk=event.pk).update(actor_name="Nobody")

    assert first_break(tenant.name) == event


def test_a_removed_event_is_found(history, tenant):
    event = history.get(type="api.updated")
    after = history.get(sequence=event.sequence + 1)
    Event.objects.filter(pk=event.pk).delete()

    assert first_break(tenant.name) == after


def test_an_event_moved_to_another_tenant_is_found(history, tenant, other_tenant):
    event = history.newest_first().first()
    Event.objects.filter(pk=event.pk).update(tenant="other", sequence=Event.objects.of("other").count() + 1)

    assert first_break("other") is not None


def test_two_events_never_share_a_place(history, tenant):
    event = history.first()
    event.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        event.save(force_insert=True)


def test_before_and_after_are_kept(history):
    event = history.get(type="api.updated")

    assert event.changes == [("name", "Calendar", "Diary")]
    assert event.actor_name == "test@example.com"


def test_an_operation_that_fails_leaves_no_trace(tenant, by):
    from django.core.exceptions import ValidationError

    create_api(tenant, by, name="Calendar", identifier="https://calendar.example/")
    tenant.refresh_from_db()
    events, version = Event.objects.count(), tenant.config_version

    with pytest.raises(ValidationError):
        create_api(tenant, by, name="Again", identifier="https://calendar.example/")

    tenant.refresh_from_db()
    assert (Event.objects.count(), tenant.config_version) == (events, version)


def test_a_secret_never_enters_the_history(tenant, by, billing_app):
    from audit.operations import record

    with transaction.atomic():
        record(
            tenant.name,
            by,
            "test",
            "api",
            "1",
            "x",
            before={"signing_secret": "s3cr3t"},
            after={"client_secret": "s3cr3t", "name": "n"},
        )

    everything = str(list(Event.objects.values()))
    assert "s3cr3t" not in everything
    assert billing_app.secret not in everything


@pytest.mark.parametrize(
    "spelling", ["2001:DB8::1", "2001:0db8:0:0::1", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.1"]
)
def test_an_address_in_any_spelling_leaves_the_chain_whole(tenant, by, spelling):
    from dataclasses import replace

    create_api(tenant, replace(by, ip=spelling), name="Calendar", identifier="https://calendar.example/")

    assert first_break(tenant.name) is None
