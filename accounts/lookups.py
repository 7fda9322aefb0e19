"""Find rows by what an address or a search field says, which may be anything."""

from typing import Any

from django.db import models
from django.http import Http404

LONGEST_ID = 300


def find_or_404(rows: Any, **fields: str | int) -> Any:
    """Return the one row of a queryset or relation with these values, or raise Http404.

    A text that no row can hold is not found either: PostgreSQL refuses to compare with NUL, and nothing here has an
    id of more than 300 characters.
    """
    if any("\x00" in str(value) or len(str(value)) > LONGEST_ID for value in fields.values()):
        raise Http404
    queryset = rows if isinstance(rows, models.QuerySet) else rows.all()
    row = queryset.filter(**fields).first()
    if row is None:
        raise Http404
    return row


def search_text(value: str | None) -> str:
    """Return what somebody typed into a search field, without control characters and no longer than a name can be."""
    return "".join(letter for letter in value or "" if letter.isprintable()).strip()[:600]
