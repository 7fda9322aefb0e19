"""Client secrets: made here, shown once, kept only as a salted hash.

Every secret is generated, 384 bits from the operating system, so one SHA-256 keeps a stolen database useless: there is
no dictionary to try. A slow hash would only make the token endpoint slow (RFC 6749 §2.3.1, §10.10).
"""

import hashlib
import hmac
import secrets

LENGTH = 64
HINT_LENGTH = 4

_ALGORITHM = "sha256"
# Nobody's digest: comparing with it takes as long as with a real one, so an unknown client is not told apart by time.
_NOBODY = f"{_ALGORITHM}${'0' * 32}${'0' * 64}"


def generate() -> str:
    """Return a new secret: 64 characters of A-Z a-z 0-9 _ and -."""
    return secrets.token_urlsafe(LENGTH * 3 // 4)


def digest(secret: str) -> str:
    """Return what is stored of a secret: "sha256$<salt>$<hash>", another one each time. Raises ValueError for ""."""
    if not secret:
        raise ValueError("A client secret is never empty.")
    salt = secrets.token_hex(16)
    return f"{_ALGORITHM}${salt}${_hash(salt, secret)}"


def matches(secret: str, stored: str) -> bool:
    """Return whether `secret` is the one that `stored` was made of, in time that does not depend on the answer.

    stored: what `digest` returned. Anything else matches nothing and takes as long, so pass "" for a client that
    does not exist.
    """
    parts = stored.split("$")
    known = len(parts) == 3 and parts[0] == _ALGORITHM and len(parts[2]) == 64
    _algorithm, salt, expected = parts if known else _NOBODY.split("$")
    same = hmac.compare_digest(_hash(salt, secret).encode(), expected.encode())
    return same and known and secret != ""


def hint(secret: str) -> str:
    """Return the last four characters, by which an admin tells two secrets apart."""
    return secret[-HINT_LENGTH:]


def _hash(salt: str, secret: str) -> str:
    # What came over the wire may hold lone surrogates (JSON can spell them); they match nothing and must not crash.
    return hashlib.sha256((salt + secret).encode("utf-8", "surrogatepass")).hexdigest()
