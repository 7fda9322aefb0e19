"""What the server's own commands share: one line for whatever is in the way, exit code 1, no traceback."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.models import Tenant
from accounts.sealing import CannotUnseal


class OperatorCommand(BaseCommand):
    """A command for whoever runs the server. Subclasses write `run`; what it raises becomes one line."""

    def run(self, **options: Any) -> str | None:
        """Do it; returns what to print last."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> str | None:
        try:
            return self.run(**options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except (CannotUnseal, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            said = first_line(error).rstrip(".")
            raise CommandError(
                f"The database refused: {said}. Is it there, and has manage.py setup been run?"
            ) from None


def first_line(error: Exception) -> str:
    """Return the first line of what a library says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()


def find_tenant(name: str | None) -> Tenant:
    """Return the tenant of that name, or the first one when there is none. Raises CommandError."""
    tenants = Tenant.objects.order_by("id")
    if name is None:
        tenant = tenants.first()
        if tenant is None:
            raise CommandError("There is no tenant yet. Run manage.py setup first.")
        return tenant
    if "\x00" in name or not (found := tenants.filter(name=name).first()):
        raise CommandError(
            f"There is no tenant {name!r}. There are: {', '.join(t.name for t in tenants[:20]) or 'none'}."
        )
    return found
