"""Is this process alive, and may it be sent traffic?"""

import datetime

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.versions import versions
from tokens.models import KeyState, SigningKey


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process runs, whatever its database does."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and there is a key to sign with, 503 otherwise."""
    if versions.is_away:
        return _not_ready(database_away())
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        keys = SigningKey.objects.filter(state=KeyState.CURRENT).exists()
    except DatabaseError:
        return _not_ready(database_away())
    return JsonResponse({"status": "ready"}) if keys else _not_ready("No tenant has a signing key yet.")


def database_away() -> str:
    """Return what is to be said of a database that does not answer: also until when tokens are issued nevertheless."""
    if not versions.trusted_for:
        return "The database does not answer; no tokens are issued."
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=versions.trusted_for)
    return f"The database does not answer; tokens are issued from memory until {until:%H:%M:%S} UTC."


def _not_ready(reason: str) -> HttpResponse:
    response = JsonResponse({"status": "not ready", "reason": reason}, status=503)
    response["Retry-After"] = "5"
    return response
