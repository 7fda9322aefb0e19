"""Make the tables and two clients, and print their ids as JSON: one as it comes, one whose secret is not hashed.

Run as `python -m bench.peers.django_oauth_toolkit.fill`.
"""

import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.django_oauth_toolkit.settings"

SECRET = "a-secret-for-nothing-but-this-benchmark"


def fill() -> dict[str, str]:
    """Return the client ids by whether the secret is hashed."""
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", interactive=False, verbosity=0)
    found = {}
    for name, hashed in (("hashed", True), ("plain", False)):
        application = Application.objects.create(
            name=name,
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
            client_secret=SECRET,
            hash_client_secret=hashed,
        )
        found[name] = application.client_id
    return found


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(fill()))
