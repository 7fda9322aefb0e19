"""Bring every sealed text under the first key of the ring, while the server runs.

The same secret under another key is no change anybody can see: no rule looks at it and no event tells of it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models, transaction

from accounts import sealing
from apis.models import API
from tokens.models import SigningKey

BATCH = 50


@dataclass(frozen=True)
class SealedColumn:
    """A column that holds sealed texts (or ""), and what a row's is bound to."""

    model: type[models.Model]
    name: str
    purpose: Callable[[Any], str]

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    @property
    def rows(self) -> models.QuerySet[Any]:
        return self.model._default_manager.exclude(**{self.name: ""}).order_by("pk")


SEALED_COLUMNS = [
    SealedColumn(API, "signing_secret", lambda api: api.secret_purpose),
    SealedColumn(SigningKey, "private_jwk", lambda key: key.purpose),
]


def keys_in_use(column: SealedColumn) -> Counter[str]:
    """Return how many texts of the column are under each key, by the key's id. Raises sealing.CannotUnseal."""
    count: Counter[str] = Counter()
    for row in column.rows.only("pk", column.name).iterator(chunk_size=500):
        count[_said_of(column, row, sealing.sealed_with)] += 1
    return count


def reencrypt(column: SealedColumn) -> int:
    """Return how many texts of the column were brought under the first key; one that is there is left as it is.

    A batch of rows is locked for as long as it takes, so it may run beside the server, and again, and twice at once.
    Raises sealing.CannotUnseal, naming the row, when a text does not open; the batches before it are done by then.
    """
    changed = 0
    keys = list(column.rows.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        with transaction.atomic():
            for row in column.rows.select_for_update().filter(pk__in=keys[start : start + BATCH]):
                old = getattr(row, column.name)
                new = _said_of(column, row, partial(sealing.reseal, purpose=column.purpose(row)))
                if new != old:
                    column.model._default_manager.filter(pk=row.pk).update(**{column.name: new})
                    changed += 1
    return changed


def _said_of(column: SealedColumn, row: Any, question: Callable[[str], str]) -> str:
    try:
        return question(getattr(row, column.name))
    except sealing.CannotUnseal as error:
        raise sealing.CannotUnseal(f"{column}, row {row.pk}: {error}") from None
