"""The database refuses a grant between two tenants by itself: rows are written here without any model's rules."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_migrate, pre_migrate

from apis.operations import add_scopes, create_api
from applications import same_tenant
from applications.models import ClientGrant
from tests.conftest import make_app


def insert_grant(tenant, application, api):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO applications_clientgrant (id, tenant_id, application_id, api_id, subject_type,"
            " allow_all_scopes, revision, created_at, updated_at)"
            " VALUES ('cgr_raw', %s, %s, %s, 'client', %s, 1, %s, %s)",
            [tenant.pk, application.pk, api.pk, False, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
        )


def execute(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def foreign_api(other_tenant, by):
    api = create_api(other_tenant, by, name="Foreign API", identifier="https://foreign.example/")
    add_scopes(api, by, [("read:secrets", "")])
    return api


@pytest.fixture
def foreign_app(other_tenant, by):
    return make_app(other_tenant, by, name="Foreign app", app_type="non_interactive")


def refused():
    return pytest.raises(IntegrityError, match="client grant|permanent")


def test_a_raw_grant_within_one_tenant_is_stored(tenant, billing_app, calendar_api):
    insert_grant(tenant, billing_app.row, calendar_api)

    assert ClientGrant.objects.get().api == calendar_api


def test_a_raw_grant_for_a_foreign_api_is_refused(tenant, billing_app, foreign_api):
    with refused(), transaction.atomic():
        insert_grant(tenant, billing_app.row, foreign_api)

    assert not ClientGrant.objects.exists()


def test_a_raw_grant_for_a_foreign_application_is_refused(tenant, calendar_api, foreign_app):
    with refused(), transaction.atomic():
        insert_grant(tenant, foreign_app.row, calendar_api)

    assert not ClientGrant.objects.exists()


def test_a_raw_grant_under_a_third_tenant_is_refused(other_tenant, billing_app, calendar_api):
    with refused(), transaction.atomic():
        insert_grant(other_tenant, billing_app.row, calendar_api)

    assert not ClientGrant.objects.exists()


@pytest.mark.parametrize("column", ["api_id", "application_id", "tenant_id"])
def test_a_grant_is_not_moved_to_another_tenant(column, billing_grant, foreign_api, foreign_app, other_tenant):
    elsewhere = {"api_id": foreign_api.pk, "application_id": foreign_app.row.pk, "tenant_id": other_tenant.pk}

    with refused(), transaction.atomic():
        execute(f"UPDATE applications_clientgrant SET {column} = %s", elsewhere[column])

    assert getattr(ClientGrant.objects.get(), column) == getattr(billing_grant, column)


@pytest.mark.parametrize("table", ["apis_api", "applications_application"])
def test_what_a_grant_joins_stays_with_its_tenant(table, billing_grant, other_tenant):
    with refused(), transaction.atomic():
        execute(f"UPDATE {table} SET tenant_id = %s WHERE tenant_id = %s", other_tenant.pk, billing_grant.tenant_id)


def test_a_scope_of_another_api_cannot_be_put_into_a_grant(billing_grant, foreign_api):
    scope = foreign_api.scopes.get()

    with refused(), transaction.atomic():
        ClientGrant.scopes.through.objects.create(clientgrant=billing_grant, scope=scope)
    with refused(), transaction.atomic():
        execute("UPDATE applications_clientgrant_scopes SET scope_id = %s", scope.pk)

    assert billing_grant.scope_values() == ["read:appointments"]


def test_a_scope_is_not_moved_to_another_api(billing_grant, foreign_api):
    with refused(), transaction.atomic():
        execute("UPDATE apis_scope SET api_id = %s WHERE value = 'read:appointments'", foreign_api.pk)


def test_migrations_find_the_triggers_gone_and_leave_them_in_place(tenant, billing_app, foreign_api):
    config = apps.get_app_config("applications")

    pre_migrate.send(config, using="default", plan=["a migration"], app_config=config)
    without = trigger_names()
    post_migrate.send(config, using="default", plan=["a migration"], app_config=config)

    assert without == set() and len(trigger_names()) == 8
    with refused(), transaction.atomic():
        insert_grant(tenant, billing_app.row, foreign_api)


def trigger_names():
    return {name for name in same_tenant._found(connection) if name in same_tenant._NAMES}
