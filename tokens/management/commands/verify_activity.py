"""Check that nobody has changed history."""

from typing import Any

from django.core.management.base import CommandError

from accounts.command_line import OperatorCommand
from audit.chain import first_break
from audit.models import Event


class Command(OperatorCommand):
    help = "Recompute the chain of hashes through every tenant's activity. Exit code 1 at the first break."

    def run(self, **options: Any) -> str | None:
        for tenant in Event.objects.order_by("tenant").values_list("tenant", flat=True).distinct():
            name = tenant or "the server itself"
            broken = first_break(tenant)
            if broken is not None:
                event = f"event {broken.sequence} ({broken.type}, {broken.at.isoformat()})"
                raise CommandError(
                    f"The activity of {name} is broken at {event}: "
                    "it, or the one before it, was changed, inserted or removed."
                )
            last = Event.objects.of(tenant).newest_first().first()
            if last is not None:
                self.stdout.write(f"{name}: {last.sequence} events, whole. Newest hash {last.hash}")
        return None
