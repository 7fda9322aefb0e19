"""Which addresses an application may be called back at, and which origins may call for it."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
MOST = 100
LONGEST = 1000


def validate_callbacks(text: str) -> None:
    """Refuse an address that is not absolute, has a fragment or user, or is plain http off this machine.

    RFC 6749 §3.1.2, RFC 8252 §7 (private-use schemes have a dot) and RFC 9700 §2.1: exact addresses, no wildcard.
    """
    for address in _lines(text):
        parts = _split(address)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
        if parts.fragment or address.endswith("#") or parts.username is not None:
            raise _refusal(address, "it has a fragment or a user name.")
        if "*" in address:
            raise _refusal(address, "wildcards are not allowed; list each address.")
        if scheme == "https" and host:
            continue
        if scheme == "http" and host in LOOPBACK:
            continue
        if "." in scheme and scheme not in {"http", "https"}:
            continue
        raise _refusal(
            address, "use https, http on localhost, or a scheme of your own such as com.example.app:/callback."
        )


def validate_origins(text: str) -> None:
    """Refuse what is not an origin: scheme and host, with a port if need be (RFC 6454 §7)."""
    for origin in _lines(text):
        parts = _split(origin)
        host = (parts.hostname or "").lower()
        allowed = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
        if not allowed or not host or parts.username is not None or origin != f"{parts.scheme}://{parts.netloc}":
            raise _refusal(origin, "write scheme and host only, such as https://app.example.com.")


def _lines(text: str) -> list[str]:
    lines = text.split()
    if len(lines) > MOST or any(len(line) > LONGEST for line in lines):
        raise ValidationError(f"Use at most {MOST} addresses of at most {LONGEST} characters.", code="too_many")
    if any(not line.isascii() or not line.isprintable() for line in lines):
        raise ValidationError("Write addresses in ASCII; encode other characters.", code="ascii")
    return lines


def _split(address: str):  # type: ignore[no-untyped-def]
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise _refusal(address, "it is not an address.") from None
    return parts


def _refusal(address: str, reason: str) -> ValidationError:
    return ValidationError(f"{address[:120]}: {reason}", code="address")
