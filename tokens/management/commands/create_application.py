"""An application for a script or tool: how they get in without the console."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.command_line import OperatorCommand, find_tenant
from apis.models import API
from applications.operations import authorize_application, create_application
from audit.actors import command


class Command(OperatorCommand):
    help = "Create a machine-to-machine application and print its secret, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="what people call it")
        parser.add_argument("--tenant", help="name of the tenant (the first one)")
        parser.add_argument("--management-api", action="store_true", help="authorize it for the Management API")
        parser.add_argument(
            "--scope", action="append", default=[], help="with --management-api: this scope only; may be repeated (all)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def run(self, **options: Any) -> str | None:
        if options["scope"] and not options["management_api"]:
            raise CommandError("--scope needs --management-api: it names scopes of that API.")
        by, tenant = command("create_application"), find_tenant(options["tenant"])
        api = API.objects.get(tenant=tenant, is_system=True)
        with transaction.atomic():
            application, secret = create_application(tenant, by, name=options["name"])
            if options["management_api"]:
                scopes = options["scope"]
                authorize_application(application, api, by, scopes=scopes, allow_all_scopes=not scopes)
        found = {
            "issuer": tenant.issuer,
            "domain": tenant.domain,
            "audience": api.identifier if options["management_api"] else None,
            "client_id": application.client_id,
            "client_secret": secret,
        }
        return json.dumps(found) if options["json"] else in_words(found)


def in_words(found: dict[str, str | None]) -> str:
    """Return the same for people."""
    lines = [f"{name:<14} {value}" for name, value in found.items() if value]
    return "\n".join([*lines, "", "The secret is not shown again."])
