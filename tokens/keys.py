"""Make signing keys, and publish their public halves.

Nothing here touches the database: which key is next, current or previous is a row's business.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID
from jwcrypto import jwk

RSA_BITS = 2048
CERTIFICATE_YEARS = 10
MAX_COMMON_NAME = 64

PUBLIC_MEMBERS = frozenset(
    {"kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "x5u", "x5c", "x5t", "x5t#S256"}
)

_SHAPES: dict[str, dict[str, Any]] = {
    "RS256": {"kty": "RSA", "size": RSA_BITS},
    "RS512": {"kty": "RSA", "size": RSA_BITS},
    "PS256": {"kty": "RSA", "size": RSA_BITS},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}


def generate(alg: str) -> tuple[str, dict[str, Any]]:
    """Return a new key for `alg`: the private JWK as JSON text, to be sealed at once, and the public JWK.

    Both carry use=sig, alg and kid, the RFC 7638 thumbprint. Raises ValueError for an algorithm without key pairs.
    """
    if alg not in _SHAPES:
        raise ValueError(f"There are no signing keys for {alg!r}.")
    key = jwk.JWK.generate(**_SHAPES[alg], use="sig", alg=alg)
    key["kid"] = key.thumbprint()
    return key.export_private(), key.export_public(as_dict=True)


def thumbprint(key: dict[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a JWK, base64url: the same for its private and public half. RFC 7638 §3."""
    return jwk.JWK(**key).thumbprint()


def certificate(private_jwk: str, common_name: str, now: float) -> str:
    """Return a self-signed X.509 certificate of the key, in PEM, good for ten years from `now` (seconds, UTC).

    common_name: the tenant's domain, cut at the 64 characters that X.509 has room for. The certificate is only a
    carrier: clients read the key out of it, and trust it because it came from the tenant's key set.
    """
    loaded = jwk.JWK()
    # The key came out of `generate` or of our own seal; validating it again is what costs.
    loaded.unsafe_skip_rsa_key_validation = True
    loaded.import_key(**json.loads(private_jwk))
    key: Any = loaded.get_op_key("sign")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:MAX_COMMON_NAME])])
    begins = datetime.fromtimestamp(int(now), UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=CERTIFICATE_YEARS * 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def with_certificate(public_jwk: dict[str, Any], pem: str) -> dict[str, Any]:
    """Return the public JWK with x5c, x5t and x5t#S256 of its certificate. RFC 7517 §4.7-4.9.

    Raises ValueError when the certificate is of another key.
    """
    found = x509.load_pem_x509_certificate(pem.encode())
    if jwk.JWK.from_pyca(found.public_key()).thumbprint() != thumbprint(public_jwk):
        raise ValueError("This certificate is of another key.")
    der = found.public_bytes(serialization.Encoding.DER)
    return {
        **public_jwk,
        # x5t is SHA-1 by definition; it finds a certificate, it protects nothing.
        "x5t": _base64url(hashlib.sha1(der, usedforsecurity=False).digest()),
        "x5t#S256": _base64url(hashlib.sha256(der).digest()),
        "x5c": [base64.b64encode(der).decode()],
    }


def jwks(public_jwks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the key set document, keys in the order given. RFC 7517 §5.

    Raises ValueError for a private or symmetric key, a member that is not known to be public, or a kid used twice:
    an endpoint that fails is better than one that publishes a secret.
    """
    kids = [key.get("kid") for key in public_jwks]
    if not all(kids) or len(set(kids)) != len(kids):
        raise ValueError("Each published key needs a kid of its own.")
    for key in public_jwks:
        if key.get("kty") not in {"RSA", "EC", "OKP"} or not key.keys() <= PUBLIC_MEMBERS:
            raise ValueError(f"The key {key['kid']!r} has a member that must not be published.")
    return {"keys": [dict(key) for key in public_jwks]}


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
