"""A further tenant, which answers on its own host at once."""

import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from accounts import invitations
from accounts.command_line import OperatorCommand
from accounts.models import Role
from accounts.operations import invite
from audit.actors import command
from tokens.setup import create_tenant


class Command(OperatorCommand):
    help = "Create a tenant with its keys and its Management API. It answers on the issuer's host at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--issuer", required=True, help="its public address, such as https://auth.example.com/")
        parser.add_argument("--name", help="its name in console addresses (made from the issuer's host)")
        parser.add_argument("--friendly-name", default="", help="what people call it")

    def run(self, **options: Any) -> str | None:
        by = command("create_tenant")
        tenant = create_tenant(
            options["name"] or name_of(options["issuer"]), options["issuer"], by, friendly_name=options["friendly_name"]
        )
        _, token = invite(tenant, by, Role.ADMIN)
        console = settings.GATEHOUSE_CONSOLE_URL.rstrip("/")
        return (
            f"The tenant {tenant.name} answers at {tenant.issuer}\n"
            f"Its first admin joins with this link. It works once:\n{console}{invitations.path(token)}"
        )


def name_of(issuer: str) -> str:
    """Return a name for the tenant at `issuer`: its host with hyphens, and its port if it has one."""
    host = issuer.lower().partition("://")[2].partition("/")[0]
    return re.sub(r"[^a-z0-9]+", "-", host).strip("-")[:63].strip("-")
