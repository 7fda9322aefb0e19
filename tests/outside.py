"""Changes made by a process of its own, beside servers on the same data: what another machine's console would do.

Run as `python -m tests.outside`, it takes one JSON list a line, the name of a change and its arguments, and answers
with what the change returns and the moment, by the machine's monotonic clock, at which it was stored.
"""

import json
import subprocess
import sys
import time
from typing import Any

from tests.commands.serving import ROOT

API = "https://calendar.example/{}"


class Outside:
    """The process, seen from a test."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.outside"],
            cwd=ROOT,
            env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.stored_at = 0.0

    def do(self, name: str, *arguments: Any) -> Any:
        """Return what the change returns; `stored_at` is when it was stored."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        answer = self._process.stdout.readline()
        assert answer, f"{name} failed: {self._process.wait(10)}"
        value, self.stored_at = json.loads(answer)
        return value

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _changes() -> dict[str, Any]:
    import django

    django.setup()

    from django.utils import timezone

    from accounts.models import Tenant
    from apis import operations as apis
    from apis.models import API as APIs
    from apis.models import Scope
    from applications import operations as applications
    from applications.models import Application, ClientGrant, ClientSecret
    from audit.actors import Actor
    from tokens import operations as tokens
    from tokens.models import SigningKey

    by = Actor(id="auth0|outside", name="outside@example.com", ip="192.0.2.9", user_agent="tests")
    tenant = Tenant.objects.get()

    def cast(name: str, alg: str = "RS256") -> list[str]:
        """Make an API with two scopes and an application that has both; return what a request needs."""
        api = apis.create_api(tenant, by, name=f"API {name}", identifier=API.format(name), signing_alg=alg)
        apis.add_scopes(api, by, [("read:all", ""), ("write:all", "")])
        app, secret = applications.create_application(tenant, by, name=f"App {name}", app_type="non_interactive")
        applications.authorize_application(app, api, by, scopes=["read:all", "write:all"])
        return [app.client_id, str(secret), api.identifier]

    def rotate() -> str:
        """Rotate the keys; return the kid that signed until now."""
        old = tenant.signing_keys.get(alg="RS256", state="current")
        tokens.rotate_signing_keys(tenant, by, emergency=True)
        return old.kid

    def app(client_id: str) -> Any:
        return Application.objects.get(client_id=client_id)

    def api(identifier: str) -> Any:
        return APIs.objects.get(identifier=identifier)

    return {
        "cast": cast,
        "rotate": rotate,
        "revoke_key": lambda kid: tokens.revoke_signing_key(SigningKey.objects.get(kid=kid), by).kid,
        "delete_grant": lambda id: applications.deauthorize_application(
            ClientGrant.objects.get(application=app(id)), by
        ),
        "narrow_grant": lambda id: (
            applications.update_client_grant(ClientGrant.objects.get(application=app(id)), by, scopes=["read:all"]).pk
        ),
        "revoke_secret": lambda id: applications.revoke_secret(ClientSecret.objects.get(application=app(id)), by),
        "rotate_secret": lambda id: applications.rotate_secret(app(id), by),
        "delete_scope": lambda name: apis.delete_scope(Scope.objects.get(api=api(name), value="write:all"), by),
        "disable": lambda id: applications.update_application(app(id), by, enabled=False).pk,
        "enable": lambda id: applications.update_application(app(id), by, enabled=True).pk,
        "delete_application": lambda id: applications.delete_application(app(id), by),
        "delete_api": lambda name: apis.delete_api(api(name), by),
        "application_names": lambda: sorted(Application.objects.values_list("name", flat=True)),
        "now": lambda: timezone.now().isoformat(),
    }


def main() -> None:
    from django.db import connection

    changes = _changes()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        value = changes[name](*arguments)
        print(json.dumps([value, time.monotonic()]), flush=True)
        connection.close()


if __name__ == "__main__":
    main()
