"""Sign access tokens, and check one the way an API does.

Signing is the hot path: one call to `cryptography` and no JOSE library in between. Checking goes through jwcrypto, so
that what we sign is read back by somebody else's code.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwcrypto import jwk

from tokens import compact

ASYMMETRIC = ("RS256", "RS512", "PS256", "ES256", "EdDSA")
SYMMETRIC = ("HS256",)

# An access token has at most 100 kB of claims; whatever is longer was not made here.
MAX_TOKEN = 200_000

_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

Sign = Callable[[bytes], bytes]


class Signer:
    """One key ready to sign with one algorithm, parsed once. RFC 7515 §5.1; algorithms of RFC 7518 §3 and RFC 8037.

    kid: what the header of each token names, or None for a secret, which has no name.
    """

    def __init__(self, alg: str, kid: str | None, sign: Sign) -> None:
        self.alg = alg
        self.kid = kid
        self._sign = sign
        self._headers: dict[str, bytes] = {}

    @classmethod
    def from_jwk(cls, private_jwk: str, alg: str, kid: str | None = None) -> Self:
        """Return the signer of a private JWK in JSON. kid: None takes the JWK's own.

        Only for keys we made and sealed ourselves: an RSA key is not validated again, which would cost as much as
        forty signatures. Raises ValueError when key and algorithm do not fit.
        """
        members = json.loads(private_jwk)
        key = jwk.JWK()
        key.unsafe_skip_rsa_key_validation = True
        key.import_key(**members)
        return cls(alg, kid or members.get("kid"), _signature(alg, key.get_op_key("sign")))

    @classmethod
    def for_secret(cls, secret: str) -> Self:
        """Return the HS256 signer of an API's signing secret: HMAC over its UTF-8 bytes. RFC 7518 §3.2."""
        if not secret:
            raise ValueError("HS256 needs a secret.")
        key = secret.encode()
        return cls("HS256", None, lambda message: hmac.digest(key, message, hashlib.sha256))

    def sign(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        """Return `claims` as a compact JWS whose header holds alg, typ and, for a key, kid."""
        header = self._headers.get(typ)
        if header is None:
            header = self._headers[typ] = self._header(typ)
        message = header + b"." + _base64url(_to_json(claims).encode())
        return (message + b"." + _base64url(self._sign(message))).decode()

    def has_signed(self, token: str) -> bool:
        """Return whether a compact JWS carries the signature this signer gives; only for HS256, where it is always the
        same one. Compared in constant time. The caller has read the header."""
        message, _dot, signature = token.encode().rpartition(b".")
        return hmac.compare_digest(_base64url(self._sign(message)), signature)

    def _header(self, typ: str) -> bytes:
        header = {"alg": self.alg, "typ": typ}
        if self.kid is not None:
            header["kid"] = self.kid
        return _base64url(_to_json(header).encode())


def _signature(alg: str, key: Any) -> Sign:
    """Return the function that signs bytes with `key` by `alg`."""
    if alg in {"RS256", "RS512", "PS256"} and isinstance(key, rsa.RSAPrivateKey):
        digest = hashes.SHA512() if alg == "RS512" else hashes.SHA256()
        # RFC 7518 §3.5: the salt of PS256 is as long as the hash.
        pad = padding.PSS(padding.MGF1(digest), 32) if alg == "PS256" else padding.PKCS1v15()
        return lambda message: key.sign(message, pad, digest)
    if alg == "ES256" and isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        algorithm = ec.ECDSA(hashes.SHA256())
        return lambda message: _raw(key.sign(message, algorithm))
    if alg == "EdDSA" and isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    raise ValueError(f"This key does not sign with {alg}.")


def _raw(signature: bytes) -> bytes:
    """Return r and s side by side, 32 bytes each, from the DER that the library makes. RFC 7518 §3.4."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


class Step(NamedTuple):
    """One comparison made while checking a token. passed: None when an earlier failure left nothing to compare."""

    name: str
    passed: bool | None
    detail: str


KEYS, KEY_ID, ALGORITHM, SIGNATURE = "Keys fetched", "Key id found", "Algorithm allowed", "Signature valid"
ISSUER, AUDIENCE, EXPIRY, TYPE = "Issuer matches", "Audience matches", "Not expired", "Type accepted"
STEPS = (KEYS, KEY_ID, ALGORITHM, SIGNATURE, ISSUER, AUDIENCE, EXPIRY, TYPE)


def verify(
    token: str,
    jwks: dict[str, Any] | None,
    alg: str,
    issuer: str,
    audience: str,
    now: float,
    secret: str | None = None,
    leeway: float = 0,
) -> list[Step]:
    """Return the steps an API takes to accept `token`, in order, each with what it compared; always all of STEPS.

    jwks: the tenant's key set, for an asymmetric `alg`. secret: the API's signing secret, for HS256.
    now: seconds since 1970 UTC. Claims are looked at only once the signature holds.
    The token is good when every step passed. RFC 8725 §3; RFC 9068 §4.
    """
    steps = _signature_steps(token, jwks, alg, secret)
    if all(step.passed for step in steps):
        steps += _claim_steps(compact.read(token), issuer, audience, now, leeway)
    reached = {step.name for step in steps}
    return steps + [Step(name, None, "Not reached.") for name in STEPS if name not in reached]


def _signature_steps(token: str, jwks: dict[str, Any] | None, alg: str, secret: str | None) -> list[Step]:
    """Return the steps up to the first that fails, at most to the signature."""
    steps = [_keys_step(jwks, alg, secret)]
    if not steps[-1].passed:
        return steps
    try:
        header = compact.read(token if len(token) <= MAX_TOKEN else "").header
    except compact.Malformed as error:
        return [*steps, Step(KEY_ID, False, f"The token cannot be read. {error}")]
    key, step = _key_step(header, jwks, secret if alg in SYMMETRIC else None)
    steps.append(step)
    if key is None:
        return steps
    steps.append(_algorithm_step(header, key, alg))
    if not steps[-1].passed:
        return steps
    return [*steps, _signature_step(token, header, key, alg)]


def _keys_step(jwks: dict[str, Any] | None, alg: str, secret: str | None) -> Step:
    if alg in SYMMETRIC:
        if not secret:
            return Step(KEYS, False, f"{alg} is checked with the signing secret, and there is none.")
        return Step(KEYS, True, "Checked with the signing secret; anyone who can check can also forge.")
    if alg not in ASYMMETRIC:
        return Step(KEYS, False, f"{_shown(alg)} is not an algorithm that tokens are signed with here.")
    keys = (jwks or {}).get("keys") or []
    if not keys:
        return Step(KEYS, False, "The key set is empty.")
    return Step(KEYS, True, f"{len(keys)} {'key' if len(keys) == 1 else 'keys'} in the key set.")


def _key_step(
    header: dict[str, Any], jwks: dict[str, Any] | None, secret: str | None
) -> tuple[dict[str, Any] | None, Step]:
    """Return the public JWK the token names, or the secret as one."""
    kid = header.get("kid")
    if secret is not None:
        # jwcrypto refuses short HMAC keys. Zeros at the end change nothing: HMAC itself pads the key so (RFC 2104 §2).
        key = {"kty": "oct", "alg": "HS256", "k": _base64url(secret.encode().ljust(32, b"\0")).decode()}
        return key, Step(KEY_ID, True, "A signing secret has no key id; there is only one.")
    if not isinstance(kid, str) or not kid:
        return None, Step(KEY_ID, False, "The token's header names no key (kid).")
    found = [key for key in (jwks or {})["keys"] if key.get("kid") == kid]
    if len(found) != 1:
        count = "no key" if not found else f"{len(found)} keys"
        return None, Step(KEY_ID, False, f"The token names the key {_shown(kid)}; the key set has {count} of that id.")
    return found[0], Step(KEY_ID, True, f"The token names the key {_shown(kid)}, and the key set has it.")


def _algorithm_step(header: dict[str, Any], key: dict[str, Any], alg: str) -> Step:
    said = header.get("alg")
    if said != alg:
        return Step(ALGORITHM, False, f"The token says {_shown(said)}; this API signs with {alg}.")
    if key.get("alg", alg) != alg:
        return Step(ALGORITHM, False, f"The key is for {_shown(key['alg'])}; this API signs with {alg}.")
    return Step(ALGORITHM, True, f"The token says {alg}, and this API signs with {alg}.")


def _signature_step(token: str, header: dict[str, Any], key: dict[str, Any], alg: str) -> Step:
    if "crit" in header:
        return Step(SIGNATURE, False, "The header asks for extensions (crit) that nobody here understands.")
    try:
        parsed = jwk.JWK(**key)
    except (jwk.InvalidJWKValue, ValueError, TypeError):
        return Step(SIGNATURE, False, "The key in the key set cannot be read.")
    if not compact.is_signed_by(token, parsed, alg):
        return Step(SIGNATURE, False, "The signature does not belong to this header and payload.")
    return Step(SIGNATURE, True, "The signature belongs to this header and payload.")


def _claim_steps(token: compact.Compact, issuer: str, audience: str, now: float, leeway: float) -> list[Step]:
    try:
        claims = compact.json_object(token.payload, "payload")
    except compact.Malformed as error:
        return [Step(ISSUER, False, f"The claims cannot be read. {error}")]
    return [
        _issuer_step(claims.get("iss"), issuer),
        _audience_step(claims.get("aud"), audience),
        _expiry_step(claims, now, leeway),
        _type_step(token.header.get("typ")),
    ]


def _issuer_step(iss: Any, issuer: str) -> Step:
    if iss == issuer:
        return Step(ISSUER, True, f"iss is {_shown(issuer)}, byte for byte.")
    return Step(ISSUER, False, f"iss is {_shown(iss)}; expected {_shown(issuer)}.")


def _audience_step(aud: Any, audience: str) -> Step:
    if aud == audience:
        return Step(AUDIENCE, True, f"aud is {_shown(audience)}, byte for byte.")
    if isinstance(aud, list) and audience in aud:
        return Step(AUDIENCE, True, f"aud holds {_shown(audience)}, one of {len(aud)}.")
    return Step(AUDIENCE, False, f"aud is {_shown(aud)}; expected {_shown(audience)}.")


def _expiry_step(claims: dict[str, Any], now: float, leeway: float) -> Step:
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not compact.is_numeric_date(expires) or not compact.is_numeric_date(begins):
        return Step(EXPIRY, False, "exp is missing, or exp or nbf is not a number of seconds.")
    if begins > now + leeway:
        return Step(EXPIRY, False, f"Not valid before {_moment(begins)} (nbf).")
    if expires + leeway <= now:
        return Step(EXPIRY, False, f"Expired at {_moment(expires)}, {int(now - expires):,} seconds ago.")
    return Step(EXPIRY, True, f"Expires at {_moment(expires)}; {int(expires - now):,} seconds remain.")


def _type_step(typ: Any) -> Step:
    """Accept at+jwt with or without "application/" (RFC 9068 §4); the other profile says JWT, or nothing."""
    kind = typ.lower().removeprefix("application/") if isinstance(typ, str) else typ
    if kind == "at+jwt":
        return Step(TYPE, True, f"typ is {_shown(typ)}: an access token, and no other kind of token (RFC 9068).")
    if kind is None or kind == "jwt":
        return Step(TYPE, True, f"typ is {_shown(typ)}: a JWT of any kind; the audience tells what it is for.")
    return Step(TYPE, False, f"typ is {_shown(typ)}; expected JWT or at+jwt.")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _shown(value: Any) -> str:
    """Return `value` as JSON on one line, cut where it gets long: it may come from a token somebody pasted."""
    if value is None:
        return "missing"
    try:
        text = json.dumps(value)
    except RecursionError:
        return "nested too deep to show"
    return text if len(text) <= 200 else text[:199] + "…"
