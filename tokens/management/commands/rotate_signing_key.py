"""Rotate a tenant's signing keys: next signs, current stays published for the tokens it signed."""

from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from accounts.command_line import OperatorCommand, find_tenant
from audit.actors import command
from tokens.models import KeyState, SigningKey
from tokens.operations import revoke_signing_key, rotate_signing_keys


class Command(OperatorCommand):
    help = "Make the next signing keys current. Tokens signed before verify on, unless --revoke-previous."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", help="name of the tenant (the first one)")
        parser.add_argument(
            "--emergency", action="store_true", help="do not wait until verifiers have had time to fetch the next key"
        )
        parser.add_argument(
            "--revoke-previous", action="store_true", help="take every previous key out of the JWKS: their tokens end"
        )

    def run(self, **options: Any) -> str | None:
        by, tenant = command("rotate_signing_key"), find_tenant(options["tenant"])
        with transaction.atomic():
            current = rotate_signing_keys(tenant, by, emergency=options["emergency"])
            lines = [f"{key.alg} {key.kid} signs for {tenant.name} now." for key in current]
            if options["revoke_previous"]:
                for key in SigningKey.objects.filter(tenant=tenant, state=KeyState.PREVIOUS).order_by("created_at"):
                    revoke_signing_key(key, by)
                    lines.append(f"{key.alg} {key.kid} is revoked: the tokens it signed verify no more.")
        return "\n".join(lines)
