"""Fill a data directory with a tenant to measure: an API for each algorithm, and as many applications as asked for.

Run as `python -m bench.house FOLDER APPLICATIONS`, with the environment of the server that will answer. Leaves one file
of request bodies for each algorithm in FOLDER. Rows are inserted in bulk: making them is not what is measured.
"""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "HS256")
SCOPES = ("read:bench", "write:bench")
SECRET = "a-secret-for-nothing-but-this-benchmark-0123456789-abcdefghijklm"
BATCH = 2000


def audience(alg: str) -> str:
    return f"https://{alg.lower()}.bench.example/"


def fill(folder: Path, applications: int) -> None:
    """Make the tenant, its APIs and applications, and write the requests that get tokens."""
    from django.conf import settings

    from apis.operations import add_scopes
    from audit.actors import command
    from config.preparation import collect_static_files
    from tokens.setup import ensure_first_tenant, prepare_database, set_up_api

    prepare_database()
    collect_static_files()
    tenant, by = ensure_first_tenant(settings.GATEHOUSE_ISSUER), command("bench")
    apis = []
    for alg in ALGORITHMS:
        api, _ = set_up_api(
            tenant, by, test_application=False, name=f"Bench {alg}", identifier=audience(alg), signing_alg=alg
        )
        add_scopes(api, by, [(scope, "") for scope in SCOPES])
        apis.append(api)
    rows = add_applications(tenant, applications)
    # Many applications call one API; the few call them all.
    called = len(ALGORITHMS) if applications <= 100 else 1
    for api in apis[:called]:
        authorize(tenant, api, rows)
    tenant.__class__.objects.filter(pk=tenant.pk).update(config_version=tenant.config_version + 100)
    for alg in ALGORITHMS[:called]:
        lines = "\n".join(request_body(row.client_id, alg) for row in rows)
        (folder / f"{alg}.txt").write_text(lines + "\n")


def request_body(client_id: str, alg: str) -> str:
    return urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": SECRET,
            "audience": audience(alg),
        }
    )


def add_applications(tenant: Any, number: int) -> list[Any]:
    """Return so many new machine applications, each with the same secret."""
    from applications import secrets
    from applications.models import Application, ClientSecret

    rows = Application.objects.bulk_create(
        [
            Application(tenant=tenant, name=f"Application {place:06}", app_type="non_interactive")
            for place in range(number)
        ],
        batch_size=BATCH,
    )
    ClientSecret.objects.bulk_create(
        [ClientSecret(application=row, digest=secrets.digest(SECRET), hint=SECRET[-4:]) for row in rows],
        batch_size=BATCH,
    )
    return rows


def authorize(tenant: Any, api: Any, applications: list[Any], scopes: int = len(SCOPES)) -> None:
    """Let the applications call the API, each with its first scopes."""
    from applications.models import ClientGrant

    grants = ClientGrant.objects.bulk_create(
        [ClientGrant(tenant=tenant, application=row, api=api) for row in applications], batch_size=BATCH
    )
    link = ClientGrant.scopes.through
    chosen = list(api.scopes.all()[:scopes])
    link.objects.bulk_create(
        (link(clientgrant=grant, scope=scope) for grant in grants for scope in chosen), batch_size=BATCH
    )


if __name__ == "__main__":
    import django

    django.setup()
    fill(Path(sys.argv[1]), int(sys.argv[2]))
