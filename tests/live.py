"""What tests against a live server share."""

import base64
import json
from typing import Any


def base64url(part: dict[str, Any] | bytes) -> str:
    """Return a part of a token: JSON or bytes, base64url without padding."""
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
