"""Model fields that several apps share."""

from typing import Any

from django.db import models


class WebAddressField(models.URLField):
    """A URL; what is typed without a scheme is taken for https. In the database and migrations it is a URLField."""

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        return super().formfield(**{"assume_scheme": "https", **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs
