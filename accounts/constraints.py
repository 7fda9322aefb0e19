"""Say in the words of a model's constraints what the database refuses, at the field that people can change."""

from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models


class ConstraintsAtFields:
    """Lets a model's constraints complain at the field that people can change: message → field."""

    CONSTRAINT_FIELDS: dict[str, str] = {}

    def validate_constraints(self, exclude: Any = None) -> None:
        try:
            super().validate_constraints(exclude)  # type: ignore[misc]
        except ValidationError as error:
            raise at_fields(error, self.CONSTRAINT_FIELDS) from None


def at_fields(error: ValidationError, fields: dict[str, str]) -> ValidationError:
    """Return `error` with each message that `fields` knows moved from the whole form to the field named for it."""
    placed: dict[str, list[ValidationError]] = {}
    for name, refusals in error.error_dict.items():
        for refusal in refusals:
            field = fields.get(refusal.message, name) if name == NON_FIELD_ERRORS else name  # type: ignore[arg-type]
            placed.setdefault(field, []).append(refusal)
    return ValidationError(placed)


def refusal_of(error: IntegrityError) -> ValidationError | None:
    """Return what the violated constraint says to people, or None when it is not one of our models'.

    The rules look before an operation writes; this is for the other writer who came between. PostgreSQL names the
    constraint (a unique column's is `<table>_<column>_key`), SQLite a check's name but a unique constraint's columns.
    """
    said = str(error)
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            table, column = model._meta.db_table, field.column
            spelled = said == f"UNIQUE constraint failed: {table}.{column}" or name == f"{table}_{column}_key"
            if field.unique and not field.primary_key and spelled:
                return ValidationError({field.name: model().unique_error_message(model, (field.name,))})
        for constraint in model._meta.constraints:
            if constraint.name == name or said in _spellings(model, constraint):
                refusal = ValidationError(constraint.get_violation_error_message(), code="constraint")
                return at_fields(
                    ValidationError({NON_FIELD_ERRORS: [refusal]}), getattr(model, "CONSTRAINT_FIELDS", {})
                )
    return None


def _spellings(model: type[models.Model], constraint: models.BaseConstraint) -> set[str]:
    spellings = {f"CHECK constraint failed: {constraint.name}"}
    if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
        columns: list[Any] = [model._meta.get_field(name).column for name in constraint.fields]  # type: ignore[union-attr]
        table = model._meta.db_table
        spellings.add("UNIQUE constraint failed: " + ", ".join(f"{table}.{column}" for column in columns))
    return spellings
