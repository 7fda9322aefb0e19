"""The same-tenant rule in the database itself, below every door: triggers that refuse what `ClientGrant.clean` refuses.

A client grant joins an application and an API of its own tenant, and holds scopes of its own API only. What the check
looks at (whose an application or API is, which API a scope or grant is for) can never change, so two transactions
cannot slip past it together.

They are made after `migrate` and taken away before it, not by a migration of their own: on SQLite a migration that
changes a table makes it anew, which loses the table's triggers without a word and stumbles over those of others.
"""

from typing import Any

from django.db import connections, transaction

_GRANT_TENANT = "client grant: application and API must belong to its tenant"
_GRANT_SCOPE = "client grant: a scope must be one of its API"
_PERMANENT = "what a row belongs to is permanent"

# table, columns that are permanent
_FIXED = {
    "applications_application": ["tenant_id"],
    "apis_api": ["tenant_id"],
    "apis_scope": ["api_id"],
    "applications_clientgrant": ["tenant_id", "application_id", "api_id"],
}
# table, what of a new or changed row must not be, refusal
_CHECKED = {
    "applications_clientgrant": (
        "NOT EXISTS (SELECT 1 FROM applications_application"
        " WHERE id = NEW.application_id AND tenant_id = NEW.tenant_id)"
        " OR NOT EXISTS (SELECT 1 FROM apis_api WHERE id = NEW.api_id AND tenant_id = NEW.tenant_id)",
        _GRANT_TENANT,
    ),
    "applications_clientgrant_scopes": (
        "NOT EXISTS (SELECT 1 FROM applications_clientgrant g JOIN apis_scope s ON s.api_id = g.api_id"
        " WHERE g.id = NEW.clientgrant_id AND s.id = NEW.scope_id)",
        _GRANT_SCOPE,
    ),
}


_TABLES = {*_FIXED, *_CHECKED}
_NAMES = {f"{table}_same_tenant_{event}" for table in _CHECKED for event in ("insert", "update")}
_NAMES |= {f"{table}_permanent" for table in _FIXED}


def before_migrate(using: str, plan: list[Any], **kwargs: Any) -> None:
    """Take the triggers out of the way of migrations that are about to run."""
    if plan:
        remove(connections[using])


def after_migrate(using: str, **kwargs: Any) -> None:
    """See that the triggers are there, once the tables are."""
    connection = connections[using]
    if not _TABLES - set(connection.introspection.table_names()) and _NAMES - _found(connection):
        install(connection)


def install(connection: Any) -> None:
    """Create the triggers; those of the same name are replaced."""
    with transaction.atomic(using=connection.alias):
        remove(connection)
        for table, (wrong, refusal) in _CHECKED.items():
            for event in ("INSERT", "UPDATE"):
                _create(connection, f"{table}_same_tenant_{event.lower()}", event, table, wrong, refusal)
        for table, columns in _FIXED.items():
            changed = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in columns)
            event = f"UPDATE OF {', '.join(columns)}"
            _create(connection, f"{table}_permanent", event, table, changed, _PERMANENT)


def remove(connection: Any) -> None:
    """Drop the triggers."""
    for name in sorted(_NAMES):
        if connection.vendor == "postgresql":
            # The trigger goes with the function it calls.
            _execute(connection, f"DROP FUNCTION IF EXISTS {name}() CASCADE")
        else:
            _execute(connection, f"DROP TRIGGER IF EXISTS {name}")


def _create(connection: Any, name: str, event: str, table: str, wrong: str, refusal: str) -> None:
    if connection.vendor == "postgresql":
        _execute(
            connection,
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {wrong} THEN"
            f" RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';"
            " END IF; RETURN NEW; END $$",
        )
        body = f"EXECUTE FUNCTION {name}()"
    else:
        body = f"WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    _execute(connection, f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {body}")


def _found(connection: Any) -> set[str]:
    if connection.vendor == "postgresql":
        statement = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    else:
        statement = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {name for (name,) in cursor.fetchall()}


def _execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
