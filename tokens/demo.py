"""An example worth looking at: a medical practice whose appointments several programs work with."""

import time
from typing import Any

from django.db import transaction

from accounts.models import Tenant
from apis.operations import add_scopes, create_api
from applications.models import Application
from applications.operations import authorize_application, create_application
from audit.actors import Actor, command
from tokens import memory
from tokens.client_credentials import respond
from tokens.facts import Authentication, Request
from tokens.log import log_outcome
from tokens.operations import ensure_signing_keys

APIS: list[dict[str, Any]] = [
    {
        "name": "Appointments API",
        "identifier": "https://appointments.example/",
        "token_lifetime": 7200,
        "allow_offline_access": True,
        "scopes": [
            ("read:appointments", "Read appointments"),
            ("write:appointments", "Make and move appointments"),
            ("cancel:appointments", "Cancel appointments"),
            ("read:patients", "Read names and contact details of patients"),
        ],
    },
    {
        "name": "Billing API",
        "identifier": "https://billing.example/api",
        "signing_alg": "ES256",
        "token_dialect": "rfc9068_profile",
        "token_lifetime": 900,
        "token_lifetime_for_web": 900,
        "scopes": [
            ("read:invoices", "Read invoices"),
            ("write:invoices", "Write invoices"),
            ("refund:payments", "Pay money back"),
        ],
    },
    {
        "name": "Laboratory reports",
        "identifier": "urn:practice:laboratory",
        "signing_alg": "PS256",
        "scopes": [("read:reports", "Read laboratory reports"), ("order:tests", "Order laboratory tests")],
    },
    {
        "name": "Reception screen (legacy)",
        "identifier": "reception-screen",
        "signing_alg": "HS256",
        "scopes": [("show:queue", "Show who is waiting")],
    },
]

APPLICATIONS: list[dict[str, Any]] = [
    {
        "name": "Reminder service",
        "app_type": "non_interactive",
        "description": "Writes to patients the day before their appointment.",
        "may": {"Appointments API": ["read:appointments", "read:patients"]},
    },
    {
        "name": "Booking website",
        "app_type": "regular_web",
        "description": "Patients choose a time here.",
        "redirect_uris": "https://booking.example/callback",
        "may": {"Appointments API": ["read:appointments", "write:appointments"], "Billing API": ["read:invoices"]},
    },
    {
        "name": "Nightly invoices",
        "app_type": "non_interactive",
        "description": "Turns yesterday's appointments into invoices.",
        "may": {
            "Appointments API": ["read:appointments"],
            "Billing API": ["read:invoices", "write:invoices"],
        },
    },
    {
        "name": "Laboratory gateway",
        "app_type": "non_interactive",
        "may": {"Laboratory reports": None},
    },
    {
        "name": "Waiting room display",
        "app_type": "non_interactive",
        "may": {"Reception screen (legacy)": ["show:queue"]},
    },
    {"name": "Statistics (not authorized yet)", "app_type": "non_interactive", "may": {}},
    {
        "name": "Booking app",
        "app_type": "native",
        "redirect_uris": "com.example.booking:/callback",
        "may": {},
    },
    {
        "name": "Doctor's calendar",
        "app_type": "spa",
        "redirect_uris": "https://calendar.practice.example/",
        "allowed_origins": "https://calendar.practice.example",
        "may": {},
    },
]


@transaction.atomic
def fill(tenant: Tenant) -> bool:
    """Fill a tenant that has nothing but its system API; return whether there was anything to do."""
    if tenant.apis.filter(is_system=False).exists() or tenant.applications.exists():
        return False
    by = command("demo")
    apis = {}
    for example in APIS:
        fields = {name: value for name, value in example.items() if name != "scopes"}
        apis[example["name"]] = api = create_api(tenant, by, **fields)
        add_scopes(api, by, example["scopes"])
        ensure_signing_keys(tenant, api.signing_alg, by)
    applications = {}
    for example in APPLICATIONS:
        fields = {name: value for name, value in example.items() if name != "may"}
        applications[example["name"]], _ = create_application(tenant, by, **fields)
        for name, scopes in example["may"].items():
            _authorize(applications[example["name"]], apis[name], by, scopes)
    _leave_a_trail(tenant, applications, by)
    return True


def _authorize(application: Application, api: Any, by: Actor, scopes: list[str] | None) -> None:
    if scopes is None:
        authorize_application(application, api, by, allow_all_scopes=True)
    else:
        authorize_application(application, api, by, scopes=scopes)


def _leave_a_trail(tenant: Tenant, applications: dict[str, Application], by: Actor) -> None:
    """Ask for tokens the way these programs would, right and wrong, so that the logs have something to explain."""
    asks = [
        ("Reminder service", "https://appointments.example/", None),
        ("Statistics (not authorized yet)", "https://appointments.example/", ("read:appointments",)),
        ("Nightly invoices", "https://billing.example/api", ("read:invoices", "refund:payments")),
        ("Booking website", "https://appointments.example", None),
        ("Doctor's calendar", "https://appointments.example/", None),
    ]
    for name, audience, scopes in asks:
        request = Request(
            client_id=applications[name].client_id,
            audience=audience,
            scopes=scopes,
            authentication=Authentication("administrator", True, f"Skipped: run by {by.name}."),
        )
        log_outcome(tenant, respond(memory.now(tenant), request, time.time()), "", "Gatehouse demo", is_test=True)
