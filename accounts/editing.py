"""What every page does when an operation refuses: the refusal goes onto the form, or into a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.http import HttpRequest


@contextmanager
def refusals_on(form: forms.BaseForm) -> Iterator[None]:
    """Run the body; a ValidationError it raises is shown by `form`, at the field it names or above the form."""
    try:
        yield
    except ValidationError as error:
        refuse(form, error)


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """Run the body of a page without a form; a ValidationError it raises becomes a message on the next page."""
    try:
        yield
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))


def refuse(form: forms.BaseForm, error: ValidationError) -> None:
    """Put `error` on `form`. What it says about a field that the form does not have stands above the form."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, refusals in by_field.items():
        form.add_error(name if name in form.fields else None, refusals)


def is_stale(form: forms.BaseForm) -> bool:
    """Return whether `form` was refused because somebody else saved in between."""
    return form.has_error(NON_FIELD_ERRORS, code="stale")


def show_saved(form: forms.BaseForm, saved: models.Model) -> None:
    """Say at each field that differs what is saved now, and let the next save of this form replace it."""
    for name in [name for name in form.cleaned_data if hasattr(saved, name) and name != "revision"]:
        if form.cleaned_data[name] != getattr(saved, name):
            form.add_error(name, ValidationError(f"Saved by somebody else: {in_words(saved, name)}", code="saved"))
    data = form.data.copy()  # type: ignore[attr-defined]
    data[form.add_prefix("revision")] = str(saved.revision)  # type: ignore[attr-defined]
    form.data = data


def in_words(row: models.Model, name: str) -> str:
    """Return a field's value as the page shows it: the label of a choice, on or off for a switch."""
    value: Any = getattr(row, name)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    display = getattr(row, f"get_{name}_display", None)
    return str(display() if display else value) or "nothing"
