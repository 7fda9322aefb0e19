"""Everything a new server needs before its first request. Safe to repeat."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from accounts import invitations
from accounts.command_line import OperatorCommand
from accounts.models import Invitation, Membership, Role, Tenant, User
from accounts.operations import add_member, create_member, invite, reset_password, revoke_invitation
from audit.actors import command
from tokens.setup import ensure_first_tenant, prepare_database

LONGEST_PASSWORD = 1000
BY = command("setup")


class Command(OperatorCommand):
    help = "Make tables, the first tenant with its keys, and its first admin. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--issuer", help="public address of the first tenant, such as https://auth.example.com/")
        parser.add_argument("--admin-email", help="e-mail address of an admin, who is an operator too")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the admin's password from standard input"
        )

        parser.add_argument(
            "--reset-password", action="store_true", help="give somebody who has an account already that password"
        )

    def run(self, **options: Any) -> str | None:
        email, from_stdin = (options["admin_email"] or "").strip().lower(), options["password_stdin"]
        if from_stdin and not email:
            raise CommandError("--password-stdin needs --admin-email: whose password is it?")
        if options["reset_password"] and not from_stdin:
            raise CommandError("--reset-password needs --admin-email and --password-stdin: whose, and which?")
        password = read_password() if from_stdin else ""
        prepare_database()
        tenant = ensure_first_tenant(options["issuer"] or issuer_now())
        self.stdout.write(f"The tenant {tenant.name} answers at {tenant.issuer}")
        said = admin(tenant, email, password, options["reset_password"]) if email else first_link(tenant)
        self.stdout.write(said)
        return None


def issuer_now() -> str:
    """Return where the first tenant answers, or shall answer when there is none yet."""
    return Tenant.objects.order_by("id").values_list("issuer", flat=True).first() or settings.GATEHOUSE_ISSUER


def read_password() -> str:
    """Return the first line of standard input. Raises CommandError when there is none."""
    password = sys.stdin.readline(LONGEST_PASSWORD + 2).rstrip("\r\n")
    if not password or len(password) > LONGEST_PASSWORD:
        raise CommandError(f"Give the password as one line of 1 to {LONGEST_PASSWORD} characters on standard input.")
    return password


def admin(tenant: Tenant, email: str, password: str, reset: bool) -> str:
    """See that `email` is an admin of the tenant, or can become one. Returns what to tell whoever asked.

    reset: give somebody who has an account already that password; their role stays.
    """
    user = User.objects.members().filter(email=email).first()
    if user is None:
        if password:
            create_member(tenant, BY, email, password, Role.ADMIN, operator=True)
            return f"{email} is admin of {tenant.name} and operator now."
        for earlier in Invitation.objects.open().filter(tenant=tenant, email=email):
            revoke_invitation(earlier, BY)
        _, token = invite(tenant, BY, Role.ADMIN, email=email, makes_operator=True)
        return f"{email} becomes admin and operator with this link. It works once:\n{link(invitations.path(token))}"
    if Membership.objects.filter(tenant=tenant, user=user).exists():
        if reset:
            reset_password(user, BY, password)
            return f"{email} has a new password now. Whoever was signed in so is signed out."
        return (
            f"{email} is a member of {tenant.name} already. Nothing was changed, nor was the password. "
            "A new one: --password-stdin --reset-password."
        )
    if reset:
        with transaction.atomic():
            add_member(tenant, BY, user, Role.ADMIN)
            reset_password(user, BY, password)
        return f"{email} is admin of {tenant.name} now, with the new password."
    add_member(tenant, BY, user, Role.ADMIN)
    return f"{email} is admin of {tenant.name} now, with the password there was."


def first_link(tenant: Tenant) -> str:
    """Return a link for the first admin, or that there is no need for one."""
    path = invitations.setup_link(tenant)
    if path is None:
        return "It has members already."
    return f"Create the first admin with this link. It works once:\n{link(path)}"


def link(path: str) -> str:
    return f"{settings.GATEHOUSE_CONSOLE_URL.rstrip('/')}{path}"
