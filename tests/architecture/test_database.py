"""What the toolkit must not bring along: tables of its own, and migrations that nobody has written."""

import pytest
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db
def test_the_migrations_are_complete():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_the_toolkit_has_no_table():
    tables = connection.introspection.table_names()

    assert "applications_application" in tables
    assert [table for table in tables if table.startswith("oauth2_provider")] == []
