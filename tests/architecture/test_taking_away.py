"""Whoever is told that something was taken away can rely on it: the answer waits until every process follows."""

import time

import pytest

from accounts.changes import change
from accounts.operations import update_tenant
from accounts.versions import BOUND, versions
from apis.operations import update_api
from applications.operations import delete_application, update_application
from tests.architecture.test_operations import World, operations, prepared

TAKES_AWAY = {
    "change_issuer",
    "deauthorize_application",
    "delete_api",
    "delete_application",
    "delete_credential",
    "delete_scope",
    "revoke_issued_for_api",
    "revoke_issued_to_application",
    "revoke_issued_to_user",
    "revoke_issued_under_grant",
    "revoke_secret",
    "revoke_signing_key",
    "roll_secret",
    "rotate_secret",
    "rotate_signing_keys",
    "rotate_signing_secret",
    "set_authentication_method",
    "update_client_grant",
}


@pytest.fixture
def world(request):
    return World(request)


@pytest.fixture
def waits(django_capture_on_commit_callbacks):
    """Tell whether a call, once stored, waits for the other processes."""

    def waits(call):
        with django_capture_on_commit_callbacks() as after:
            call()
        return versions.settle in after

    return waits


@pytest.mark.parametrize("name", sorted(operations() - {"create_tenant"}))
def test_an_operation_waits_if_it_takes_something_away(world, waits, name):
    assert waits(prepared(world)[name]) == (name in TAKES_AWAY)


def test_a_change_of_settings_waits_unless_it_only_changes_words(world, waits):
    by, api, app = world.by, world.calendar_api, world.billing_app.row

    assert waits(lambda: update_application(app, by, enabled=False))
    assert waits(lambda: update_api(api, by, token_lifetime=60))
    assert waits(lambda: update_tenant(world.tenant, by, default_audience=api.identifier))
    assert not waits(lambda: update_application(app, by, name="Other", description="Words"))


@pytest.mark.django_db(transaction=True)
def test_only_a_process_that_serves_waits(billing_app, web_app, by, monkeypatch):
    began = time.monotonic()
    delete_application(web_app.row, by)
    # Generous: a shell command is not to be slowed down by what it need not know.
    assert time.monotonic() - began < BOUND

    monkeypatch.setattr(type(versions), "is_watched", True)
    began = time.monotonic()
    delete_application(billing_app.row, by)
    assert time.monotonic() - began >= BOUND


@pytest.mark.django_db(transaction=True)
def test_a_change_that_fails_is_refused_at_once(tenant, by, monkeypatch):
    monkeypatch.setattr(type(versions), "is_watched", True)
    began = time.monotonic()

    with pytest.raises(RuntimeError), change(tenant, by) as work:
        work.takes_away()
        raise RuntimeError

    assert time.monotonic() - began < BOUND
