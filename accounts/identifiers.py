"""Make the ids that the outside world sees, and hold the character rules that several models share."""

import secrets
import string

from django.core.validators import ProhibitNullCharactersValidator, RegexValidator

ALPHANUMERIC = string.ascii_letters + string.digits

no_angle_brackets = RegexValidator(
    r"[<>]", "Use any characters except < and >.", inverse_match=True, code="angle_brackets"
)
no_control_characters = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]",
    "Remove the control and invisible characters.",
    inverse_match=True,
    code="control_characters",
)
no_outer_space = RegexValidator(r"\A\S(?:.*\S)?\Z", "Remove the space at the start or end.", code="outer_space")
no_nul = ProhibitNullCharactersValidator()


def hex24() -> str:
    """Return 24 random hexadecimal digits (96 bits)."""
    return secrets.token_hex(12)


def alphanumeric(length: int) -> str:
    """Return `length` random letters and digits (5.95 bits each) from the operating system's generator."""
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


def user_id() -> str:
    """Return a new user's `sub`, in Auth0's form. An application's `sub` ends in "@clients", so the two never meet."""
    return f"auth0|{hex24()}"
