"""A form whose answer shows a secret must not do its work again when the page is reloaded.

Each drawing of such a form carries a token in its field "once"; the first POST with it works, a repetition does not.
"""

import hashlib
import secrets

from django.core.cache import cache
from django.http import HttpRequest

REMEMBERED = 24 * 3600


def new_token() -> str:
    """Return a token for one drawing of a form."""
    return secrets.token_urlsafe(16)


def is_repeated(request: HttpRequest) -> bool:
    """Return whether this person has sent this very form before. A form without a token is never a repetition."""
    token = request.POST.get("once", "")
    if not token:
        return False
    digest = hashlib.sha256(f"{request.session.session_key}:{request.path}:{token}".encode()).hexdigest()
    return not cache.add(f"once:{digest}", True, REMEMBERED)
