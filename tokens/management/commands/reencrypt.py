"""Change the key that secrets are encrypted with: the step between adding the new one and removing the old one."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from accounts.command_line import OperatorCommand
from accounts.sealing import parse_ring
from tokens.reencryption import SEALED_COLUMNS, keys_in_use, reencrypt


class Command(OperatorCommand):
    help = "Encrypt every stored secret with the first of GATEHOUSE_ENCRYPTION_KEYS, while the server runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit code 1 if there is something to do"
        )

    def run(self, **options: Any) -> str | None:
        ring = list(parse_ring(settings.GATEHOUSE_ENCRYPTION_KEYS))
        left = 0
        for column in SEALED_COLUMNS:
            changed = 0 if options["check"] else reencrypt(column)
            count = keys_in_use(column)
            left += sum(count.values()) - count[ring[0]]
            shown = ", ".join(f"{number} under {key!r}" for key, number in sorted(count.items())) or "nothing stored"
            self.stdout.write(f"{column}: {shown}" + ("" if options["check"] else f"; {changed} encrypted anew"))
            unknown = sorted(count.keys() - set(ring))
            if unknown:
                raise CommandError(
                    f"{column} holds secrets under {', '.join(map(repr, unknown))}, "
                    "which GATEHOUSE_ENCRYPTION_KEYS does not hold. Put that key back."
                )
        if left:
            raise CommandError(f"{left} under other keys than {ring[0]!r}. Run manage.py reencrypt.")
        return f"All under {ring[0]!r}. Any other key may be removed from GATEHOUSE_ENCRYPTION_KEYS."
