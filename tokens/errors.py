"""The refusals of the OAuth endpoints: every error code, its status, and the one JSON body. RFC 6749 §5.2."""

import re
from collections.abc import Mapping

# Statuses are RFC 6749's 400 and 401 where it names one, and Auth0's 403 where a known client is not allowed something:
# its own libraries tell the two apart.
STATUS: dict[str, int] = {
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 403,
    "unauthorized_client": 403,
    "unsupported_grant_type": 400,
    "invalid_scope": 400,
    "invalid_target": 400,  # RFC 8707 §2
    "access_denied": 403,
    "unsupported_token_type": 400,  # RFC 7009 §2.2.1
    "authorization_pending": 400,  # RFC 8628 §3.5, with the next two
    "slow_down": 400,
    "expired_token": 400,
    "too_many_requests": 429,
    "server_error": 500,
    "temporarily_unavailable": 503,
}
MAX_DESCRIPTION = 500

AUTHENTICATION_FAILED = "Client authentication failed."
CHALLENGE = 'Basic realm="token endpoint", charset="UTF-8"'


class TokenError(Exception):
    """A refusal, ready to be sent. description: for the developer of the client; it is cleaned, never trusted.

    status: only where the table's is not it, such as 405. headers: what must go with the status.
    """

    def __init__(
        self,
        error: str,
        description: str,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = clean(description)
        usual = STATUS[error]
        self.status = status or usual
        self.headers = dict(headers or {})

    def body(self, **more: str) -> dict[str, str]:
        """Return the JSON members; `more` are cleaned as the description is (error_uri, a log id)."""
        body = {"error": self.error, "error_description": self.description}
        return body | {name: clean(value) for name, value in more.items()}


def client_authentication_failed(challenge: bool) -> TokenError:
    """Return the one refusal for an unknown client, a wrong secret and a bad assertion alike.

    challenge: whether the client used the Authorization header; then the answer must name the scheme (RFC 6749 §5.2).
    """
    headers = {"WWW-Authenticate": CHALLENGE} if challenge else {}
    return TokenError("invalid_client", AUTHENTICATION_FAILED, headers=headers)


def clean(description: str) -> str:
    """Return the text in the characters of RFC 6749 §5.2, without angle brackets, at most 500 characters.

    Double quotes become single ones, other white space a blank, and what is not ASCII a question mark.
    """
    text = re.sub(r"\s", " ", description.replace('"', "'"))
    text = re.sub(r"[^\x20-\x7e]", "?", re.sub(r"[\\<>]", "", text))
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 3] + "..."
