"""What a token is worth at this moment (RFC 7662): from its signature, its dates, and what has been revoked since.

Everything is looked up in memory: machine tokens have no row of their own, and need none.
"""

import logging
from typing import Any, NamedTuple

from jwcrypto import jwk

from accounts.sealing import CannotUnseal
from accounts.versions import House
from apis.models import IDENTIFIER_LENGTH, LONGEST_LIFETIME
from tokens import compact, revoked
from tokens.access_tokens import MAX_TOKEN
from tokens.claims import issued_at
from tokens.errors import TokenError
from tokens.facts import Client, Grant, ProtectedAPI
from tokens.memory import Memory
from tokens.models import SigningKey
from tokens.signers import NoKey

log = logging.getLogger(__name__)

# An application that was granted this scope of an API may ask about every token for that API.
MAY_INTROSPECT = "introspect:tokens"
INACTIVE: dict[str, Any] = {"active": False}
MAX_JTI = 128


class Issued(NamedTuple):
    """A token that this tenant signed and that has not expired. Whether it was revoked is another question."""

    claims: dict[str, Any]
    client_id: str
    api: ProtectedAPI
    jti: str
    expires_at: int


def introspect(known: Memory, house: House, token: str, caller: Client, now: float) -> dict[str, Any]:
    """Return what `caller` is told about `token`: its members while it is active, else INACTIVE and no reason.

    caller: has proved to be it. The token's own application may ask, and one that was granted MAY_INTROSPECT for the
    token's API; to everybody else there is no such token (RFC 7662 §2.2, §4).
    """
    issued = read(known, token, now)
    if issued is None or not _may_ask(known, caller, issued, now):
        return INACTIVE
    grant = _standing_grant(known, issued, now)
    if grant is None or revoked.of(house).holds(house, issued.jti):
        return INACTIVE
    return _members(issued, grant)


def read(known: Memory, token: str, now: float) -> Issued | None:
    """Return what a machine token says once its signature holds; None for anything that is no live token of ours.

    Raises TokenError server_error when there is a key that does not open: then nobody can tell.
    """
    try:
        header, payload = compact.read(token if len(token) <= MAX_TOKEN else "")
        claims = compact.json_object(payload, "payload")
    except compact.Malformed:
        return None
    # Our own headers hold these and no more: nothing that asks to be followed, and no extension (RFC 8725 §3.10).
    if header.keys() - {"alg", "typ", "kid"} or header.get("typ") not in ("JWT", "at+jwt"):
        return None
    alg = header.get("alg")
    if "kid" in header and not _is_signed_by_key(known, token, header["kid"], alg):
        return None
    api = _api(known, claims.get("aud"))
    if api is None or api.signing_alg != alg:
        return None
    if "kid" not in header and not _is_signed_by_secret(known, token, api):
        return None
    return _issued(known, claims, api, now)


def _is_signed_by_key(known: Memory, token: str, kid: Any, alg: Any) -> bool:
    """Return whether the published key of this id made the signature, with the key's own algorithm (RFC 8725 §3.1)."""
    verifiers = known.document("verifiers", lambda: _verifiers(known.house))
    key_alg, key = verifiers.get(kid, (None, None)) if isinstance(kid, str) else (None, None)
    return key is not None and key_alg == alg and compact.is_signed_by(token, key, key_alg)


def _is_signed_by_secret(known: Memory, token: str, api: ProtectedAPI) -> bool:
    if api.signing_alg != "HS256":
        return False
    try:
        return known.signer(api).has_signed(token)
    except NoKey:
        return False
    except CannotUnseal as error:
        log.error("A token could not be checked: %s", error)
        raise TokenError("server_error", "The server cannot check this token at the moment.") from None


def _api(known: Memory, audience: Any) -> ProtectedAPI | None:
    """Return the API that a token names; it may say anything, also what no database takes."""
    if not isinstance(audience, str) or not 0 < len(audience) <= IDENTIFIER_LENGTH or "\0" in audience:
        return None
    try:
        audience.encode()
    except UnicodeEncodeError:
        return None
    return known.api(audience)


def _verifiers(house: House) -> dict[str, tuple[str, jwk.JWK]]:
    published = SigningKey.objects.filter(tenant_id=house.pk).published()
    return {key.kid: (key.alg, jwk.JWK(**key.public_jwk)) for key in published}


def _issued(known: Memory, claims: dict[str, Any], api: ProtectedAPI, now: float) -> Issued | None:
    """Return the token if its claims are such as are issued here. Who knows the secret of HS256 signs anything else."""
    client_id, jti = claims.get("client_id", claims.get("azp")), claims.get("jti")
    begins, expires = claims.get("iat"), claims.get("exp")
    if claims.get("iss") != known.house.issuer:
        return None
    if not isinstance(client_id, str) or not (client_id.isascii() and client_id.isprintable()):
        return None
    # A token of a user has the user there.
    if claims.get("sub") != f"{client_id}@clients":
        return None
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI or not (jti.isascii() and jti.isprintable()):
        return None
    if type(begins) is not int or type(expires) is not int or not 0 <= begins < expires <= begins + LONGEST_LIFETIME:
        return None
    if not now < expires <= now + LONGEST_LIFETIME + 60:
        return None
    return Issued(claims, client_id, api, jti, expires)


def _may_ask(known: Memory, caller: Client, issued: Issued, now: float) -> bool:
    if caller.client_id == issued.client_id:
        return True
    grant = known.grant(caller.client_id, issued.api.id)
    return grant is not None and _is_live(grant, now) and MAY_INTROSPECT in grant.allowed(issued.api)


def _standing_grant(known: Memory, issued: Issued, now: float) -> Grant | None:
    """Return the authorization the token was issued under, if it still stands, and nobody revoked since."""
    client = known.client(issued.client_id)
    grant = known.grant(issued.client_id, issued.api.id) if client and client.enabled else None
    if client is None or grant is None or not _is_live(grant, now) or issued.api.client_policy == "deny_all":
        return None
    stamp = max(client.not_before, issued.api.not_before, grant.not_before)
    return grant if issued_at(issued.claims) >= stamp else None


def _is_live(grant: Grant, now: float) -> bool:
    return grant.expires_at is None or grant.expires_at > now


def _members(issued: Issued, grant: Grant) -> dict[str, Any]:
    """Return RFC 7662 §2.2's members. `scope` holds what the token says and the authorization still allows."""
    allowed = grant.allowed(issued.api)
    scopes = [scope for scope in str(issued.claims.get("scope", "")).split() if scope in allowed]
    claims = {name: issued.claims[name] for name in ("sub", "aud", "iss", "exp", "iat", "jti")}
    said = {"scope": " ".join(scopes)} if scopes else {}
    return {"active": True, **said, "client_id": issued.client_id, "token_type": "Bearer", **claims}
