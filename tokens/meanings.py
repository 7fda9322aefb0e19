"""What each claim of an access token means, as one plain sentence for the person who looks at it."""

from datetime import UTC, datetime
from typing import Any

from tokens.client_credentials import Outcome

_FIXED = {
    "iss": "Your tenant. APIs compare it byte for byte, with the final slash.",
    "gty": "How it was obtained: by an application on its own behalf.",
    "jti": "Unique to this token, handy for finding it in Logs.",
}


def explained(outcome: Outcome) -> list[dict[str, str]]:
    """Return name, value and meaning of every claim of an issued token, in the token's order."""
    claims = outcome.claims or {}
    return [
        {"name": name, "value": _text(value), "meaning": _meaning(name, value, outcome)}
        for name, value in claims.items()
    ]


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _meaning(name: str, value: Any, outcome: Outcome) -> str:
    claims, client, api = outcome.claims or {}, outcome.client, outcome.api
    assert client is not None and api is not None
    if name == "sub":
        return f"{client.name} itself; no user is involved."
    if name == "aud":
        return f"{api.name}. No other API may accept it."
    if name in {"azp", "client_id"}:
        return f"The client ID of {client.name}, which asked for it."
    if name == "iat":
        return f"Issued at {_moment(value)}."
    if name == "exp":
        return f"Expires at {_moment(value)}, {_duration(value - claims['iat'])} later."
    if name == "scope":
        return _scopes(outcome)
    if name == "permissions":
        return "The scopes again, as a list, because this API enforces roles."
    return _FIXED.get(name, "A claim of your own.")


def _scopes(outcome: Outcome) -> str:
    granted = len(outcome.decision.scopes)
    if outcome.request.scopes is None:
        if granted == 1:
            return "None was asked for, so the one granted scope was issued."
        return f"None were asked for, so all {granted} granted scopes were issued."
    return {1: "The scope asked for was granted.", 2: "Both scopes asked for were granted."}.get(
        granted, f"All {granted} scopes asked for were granted."
    )


def scopes_checked(outcome: Outcome) -> str:
    """Return the line that compares what was asked, what is granted and what came back."""
    asked, returned = outcome.request.scopes, outcome.decision.scopes
    granted = outcome.grant.allowed(outcome.api) if outcome.grant and outcome.api else frozenset()
    said = "none" if asked is None else str(len(asked))
    return f"Asked for {said}, granted {len(granted)}, returned {len(returned)}."


def _moment(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def _duration(seconds: int) -> str:
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{seconds:,} seconds"
