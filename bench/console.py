"""Console pages of a large tenant: 1,000 APIs, 10,000 applications, 1,000 scopes on one API that all of them may call.

Run as `python -m bench.console TIMES`, in a data directory that is filled already. Prints JSON. Each page is asked for
TIMES times by a signed-in admin, through everything but the network.
"""

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

APIS, APPLICATIONS, SCOPES, LOG_ENTRIES = 1000, 10_000, 1000, 10_000
PAGES = {
    "APIs": "apis/",
    "APIs, found by name": "apis/?q=0999",
    "Settings": "apis/{api}/settings/",
    "Quick Start": "apis/{api}/quick-start/",
    "Scopes": "apis/{api}/scopes/",
    "Scopes, found by name": "apis/{api}/scopes/?q=0999",
    "Machine to Machine": "apis/{api}/machine-to-machine/",
    "Machine to Machine, last page": "apis/{api}/machine-to-machine/?page=200",
    "Machine to Machine, found by name": "apis/{api}/machine-to-machine/?q=009999",
    "Machine to Machine, the authorized": "apis/{api}/machine-to-machine/?show=authorized",
    "Machine to Machine, a row open (1,000 scopes)": "apis/{api}/machine-to-machine/?open={application}",
    "Test": "apis/{api}/test/",
    "Delete an API": "apis/{api}/delete/",
    "Applications": "applications/",
    "Applications, last page": "applications/?page=200",
    "Applications, found by name": "applications/?q=009999",
    "Application settings": "applications/{application}/settings/",
    "Application credentials": "applications/{application}/credentials/",
    "Application's APIs (1,000)": "applications/{application}/apis/",
    "Signing keys": "keys/",
    "Logs": "logs/",
    "Logs, the denied": "logs/?outcome=denied",
    "Activity": "activity/",
    "Members": "members/",
}


def fill() -> Any:
    """Make all of it; return the tenant, an admin, the large API and an application that may call every API."""
    from accounts.models import Role, Tenant
    from accounts.operations import create_member
    from apis.models import API, Scope
    from applications.models import ClientGrant
    from audit.actors import command
    from bench.house import BATCH, add_applications, authorize
    from tokens.models import LogEntry

    tenant = Tenant.objects.get()
    admin = create_member(tenant, command("bench"), "ada@bench.example", "correct horse battery", Role.ADMIN)
    apis = API.objects.bulk_create(
        [
            API(tenant=tenant, name=f"API {place:04}", identifier=f"https://api-{place:04}.example/")
            for place in range(APIS)
        ],
        batch_size=BATCH,
    )
    large = apis[0]
    Scope.objects.bulk_create(
        [Scope(api=large, value=f"read:{place:04}", description="Read it") for place in range(SCOPES)],
        batch_size=BATCH,
    )
    applications = add_applications(tenant, APPLICATIONS)
    authorize(tenant, large, applications, scopes=10)
    ClientGrant.objects.bulk_create(
        [ClientGrant(tenant=tenant, application=applications[0], api=api) for api in apis[1:]], batch_size=BATCH
    )
    LogEntry.objects.bulk_create(
        [
            LogEntry(
                tenant=tenant,
                type="feccft",
                description="No",
                rule="grant.exists",
                client_id=applications[place].client_id,
                audience=large.identifier,
            )
            for place in range(LOG_ENTRIES)
        ],
        batch_size=BATCH,
    )
    return tenant, admin, large, applications[0]


def measure(times: int) -> dict[str, dict[str, float]]:
    """Return queries, median, 95th percentile and processor time in milliseconds, and bytes of each page."""
    from urllib.parse import urlsplit

    from django.conf import settings
    from django.db import connection
    from django.test import Client

    tenant, admin, api, application = fill()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    browser = Client(HTTP_HOST=urlsplit(settings.GATEHOUSE_ISSUER).netloc)
    browser.force_login(admin, backend=settings.AUTHENTICATION_BACKENDS[0])
    found = {}
    for name, page in PAGES.items():
        address = f"/t/{tenant.name}/" + page.format(api=api.pk, application=application.client_id)
        asked: list[str] = []

        def count(execute: Any, sql: str, *rest: Any, asked: list[str] = asked) -> Any:
            asked.append(sql)
            return execute(sql, *rest)

        # The first of each compiles its templates.
        browser.get(address)
        with connection.execute_wrapper(count):
            answer = browser.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        worked = time.process_time()
        taken = sorted(_milliseconds(browser, address) for _ in range(times))
        worked = time.process_time() - worked
        found[name] = {
            "queries": len(asked),
            "p50": taken[len(taken) // 2],
            "p95": taken[min(len(taken) - 1, int(len(taken) * 0.95))],
            "cpu": worked / times * 1000,
            "bytes": len(answer.content),
        }
    return found


def _milliseconds(browser: Any, address: str) -> float:
    began = time.perf_counter()
    browser.get(address)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    os.environ["GATEHOUSE_LOG_LEVEL"] = "ERROR"

    import django

    django.setup()
    print(json.dumps(measure(int(sys.argv[1]))))
