"""Read the public keys that applications prove themselves with (RFC 7523), in the forms people have them in.

The private half never comes here; one that is pasted by mistake is refused and called exposed.
"""

import base64
import json
import re
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwcrypto import jwk

# What a client may sign its assertions with.
CLIENT_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA")

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_EXPONENT = 2**32
MAX_UPLOAD = 16 * 1024
MAX_KID = 64

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "priv"})

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_PRIVATE = (
    "This is a private key. Only the client may hold it, and now it has been shown: make a new key pair, "
    "and paste only its public key."
)
_UNSUPPORTED = "This key is of a kind that is not supported. Use RSA, EC P-256 or Ed25519."
_UNREADABLE = "This is not a public key. Paste a PEM public key, a PEM certificate or a JWK."


def public_jwk_from_pem(text: str, alg: str) -> dict[str, Any]:
    """Return the public JWK of a key that a client's owner uploads, with use=sig, alg and kid.

    text: a PEM public key, a PEM X.509 certificate, a JWK, or a JWKS holding one key. alg: what the client will sign
    with, one of CLIENT_ALGORITHMS. kid: the JWK's own, else the RFC 7638 thumbprint.
    Raises ValueError with a sentence for the form's field: private keys, weak keys, keys of another kind.
    """
    if alg not in CLIENT_ALGORITHMS:
        raise ValueError(f"Use one of {', '.join(CLIENT_ALGORITHMS)} as the algorithm.")
    text = text.strip()
    if not text:
        raise ValueError("Paste a public key.")
    if len(text.encode(errors="replace")) > MAX_UPLOAD:
        raise ValueError("This is longer than 16 kB, too long for a public key.")
    kid = None
    if text.startswith(("{", "[")):
        key, kid = _from_json(text, alg)
    else:
        key = _from_pem(text)
    _check(key, alg)
    public = jwk.JWK.from_pyca(key)
    return {**public.export_public(as_dict=True), "use": "sig", "alg": alg, "kid": kid or public.thumbprint()}


def _from_pem(text: str) -> PublicKey:
    labels = re.findall(r"-----BEGIN ([A-Z0-9 ]{1,40})-----", text)
    if any("PRIVATE KEY" in label for label in labels):
        raise ValueError(_PRIVATE)
    if text.startswith(("ssh-", "ecdsa-sha2-", "---- BEGIN SSH2")):
        raise ValueError("This is an SSH key. Convert it to PEM: ssh-keygen -e -m PKCS8 -f <file>.")
    if len(labels) > 1:
        raise ValueError(f"There are {len(labels)} PEM blocks here. Paste one key.")
    if not labels:
        raise ValueError(_UNREADABLE)
    key: Any
    try:
        if labels == ["CERTIFICATE"]:
            key = x509.load_pem_x509_certificate(text.encode()).public_key()
        else:
            key = serialization.load_pem_public_key(text.encode())
    except UnsupportedAlgorithm:
        raise ValueError(_UNSUPPORTED) from None
    except (ValueError, TypeError):
        raise ValueError(_UNREADABLE) from None
    if not isinstance(key, PublicKey):
        raise ValueError(_UNSUPPORTED)
    return key


def _from_json(text: str, alg: str) -> tuple[PublicKey, str | None]:
    """Return the key of a JWK or a one-key JWKS, and its kid if it has one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("This looks like JSON but cannot be read. Paste one JWK, whole.") from None
    if isinstance(found, dict) and "keys" in found:
        found = found["keys"]
    if isinstance(found, list):
        if len(found) != 1:
            raise ValueError(f"There are {len(found)} keys in this set. Paste one key.")
        found = found[0]
    if not isinstance(found, dict):
        raise ValueError("A JWK is a JSON object with kty, such as RSA, and the key's numbers.")
    if found.get("kty") == "oct" or "k" in found:
        raise ValueError("This is a symmetric key. A client signs with a key pair: paste its public key.")
    if found.keys() & PRIVATE_MEMBERS:
        raise ValueError(_PRIVATE)
    _check_purpose(found, alg)
    return _numbers(found), _kid(found)


def _check_purpose(key: dict[str, Any], alg: str) -> None:
    operations = key.get("key_ops", ["verify"])
    if key.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("This JWK is not for signatures: its use must be sig, or its key_ops hold verify.")
    if key.get("alg", alg) != alg:
        raise ValueError(f"This JWK is for another algorithm than {alg}.")


def _kid(key: dict[str, Any]) -> str | None:
    kid = key.get("kid")
    if kid is None:
        return None
    if not isinstance(kid, str) or not re.fullmatch(rf"[\x21-\x7e]{{1,{MAX_KID}}}", kid):
        raise ValueError(f"The kid of this JWK must be 1 to {MAX_KID} visible ASCII characters.")
    return kid


def _numbers(key: dict[str, Any]) -> PublicKey:
    """Return the key that the JWK's numbers describe; a point that is not on its curve is refused."""
    match key.get("kty"), key.get("crv"):
        case "RSA", _:
            modulus, exponent = _number(key, "n"), _number(key, "e")
            _check_rsa(modulus, exponent)
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        case "EC", "P-256":
            x, y = _number(key, "x"), _number(key, "y")
            try:
                return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            except ValueError:
                raise ValueError("This point is not on the curve P-256.") from None
        case "OKP", "Ed25519":
            content = _bytes(key, "x")
            if len(content) != 32:
                raise ValueError("The x of an Ed25519 key has 32 bytes.")
            return ed25519.Ed25519PublicKey.from_public_bytes(content)
        case "EC" | "OKP", _:
            raise ValueError("This curve is not supported. Use P-256 or Ed25519.")
    raise ValueError("The kty of this JWK must be RSA, EC or OKP.")


def _number(key: dict[str, Any], member: str) -> int:
    return int.from_bytes(_bytes(key, member), "big")


def _bytes(key: dict[str, Any], member: str) -> bytes:
    value = key.get(member)
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", value) or len(value) % 4 == 1:
        raise ValueError(f"The {member} of this JWK is missing or not base64url.")
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _check(key: PublicKey, alg: str) -> None:
    """Refuse a key that is weak or that does not sign with `alg`. RFC 7518 §3.3, §3.5; RFC 8725 §3.5."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        _check_rsa(numbers.n, numbers.e)
        kind, fits = "an RSA key", alg[:2] in {"RS", "PS"}
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name != "secp256r1":
            raise ValueError("This curve is not supported. Use P-256.")
        kind, fits = "an EC key", alg == "ES256"
    else:
        kind, fits = "an Ed25519 key", alg == "EdDSA"
    if not fits:
        raise ValueError(f"This is {kind}, which does not sign with {alg}.")


def _check_rsa(modulus: int, exponent: int) -> None:
    bits = modulus.bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise ValueError(f"This RSA key has {bits} bits; use {MIN_RSA_BITS} to {MAX_RSA_BITS}.")
    if not 65537 <= exponent < MAX_EXPONENT or exponent % 2 == 0 or modulus % 2 == 0:
        raise ValueError("The exponent of this RSA key must be odd and at least 65537; the usual one is 65537.")
