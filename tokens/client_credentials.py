"""The client credentials grant (RFC 6749 §4.4), from what was asked to a signed token or a refusal.

The token endpoint and the Test tab both come through `respond`; they differ only in how the client is authenticated.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from accounts.sealing import CannotUnseal
from accounts.versions import House
from applications import secrets
from tokens import operations
from tokens.claims import MICROSECONDS, client_credentials_claims, token_type
from tokens.client_authentication import ASSERTION, BASIC, NONE, POST, AssertionRefused, Presented, verify_assertion
from tokens.decision import Decision, decide, unsigned
from tokens.errors import CHALLENGE, TokenError
from tokens.facts import Authentication, Client, Grant, ProtectedAPI, Quota, Request
from tokens.memory import Memory
from tokens.quotas import headers_of, quotas
from tokens.signers import NoKey

log = logging.getLogger(__name__)

# What an unknown client's secret is compared with, so that the answer takes as long as for a known one.
_NOBODYS_DIGEST = secrets.digest(secrets.generate())


@dataclass(frozen=True)
class Outcome:
    """What became of one request: the decision, and the token when it was allowed."""

    request: Request
    decision: Decision
    client: Client | None
    api: ProtectedAPI | None
    grant: Grant | None
    claims: dict[str, Any] | None = None
    token: str | None = field(default=None, repr=False)
    quotas: tuple[Quota, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the successful answer's JSON members (RFC 6749 §5.1)."""
        assert self.claims is not None and self.api is not None
        body: dict[str, Any] = {"access_token": self.token}
        if self.decision.scopes:
            body["scope"] = " ".join(self.decision.scopes)
        return body | {"expires_in": self.api.token_lifetime, "token_type": "Bearer"}

    def error(self) -> TokenError:
        """Return the refusal as the caller is told it."""
        refusal = self.decision.refusal
        assert refusal is not None
        # RFC 6749 §5.2: the scheme the client tried to authenticate with is named again.
        headers = {"WWW-Authenticate": CHALLENGE} if refusal.status == 401 and self.used_basic else {}
        return TokenError(refusal.error, refusal.description, refusal.status, {**headers, **self.headers()})

    def headers(self) -> dict[str, str]:
        """Return what the answer says about quotas, nothing where there are none."""
        return headers_of(self.quotas) if self.quotas else {}

    @property
    def used_basic(self) -> bool:
        return self.request.authentication.method == BASIC


def respond(memory: Memory, request: Request, now: float | None = None) -> Outcome:
    """Return what becomes of `request` in the tenant of `memory`. now: seconds since 1970 UTC, the clock's when None.

    When the server itself cannot sign, that is the outcome: a refusal with server_error.
    """
    now = time.time() if now is None else now
    client = memory.client(request.client_id)
    api = memory.api(request.audience) if request.audience else None
    grant = memory.grant(client.client_id, api.id) if client and api else None
    decision = decide(request, client, api, grant, now)
    if not decision.allowed:
        return Outcome(request, decision, client, api, grant)
    assert client is not None and api is not None and grant is not None
    left: tuple[Quota, ...] = ()
    if client.quota or api.quota:
        # Only now: a request that is refused for another reason takes nothing from a quota.
        left = quotas.take(memory.house.pk, client, api, now)
        decision = decide(request, client, api, grant, now, left)
        if not decision.allowed:
            return Outcome(request, decision, client, api, grant, quotas=left)
    # A clock behind that of the machine which revoked must not date a new token before the revocation.
    at = max(int(now * MICROSECONDS), client.not_before, api.not_before, grant.not_before)
    claims = client_credentials_claims(api, client.client_id, memory.house.issuer, decision.scopes, at)
    try:
        token = memory.signer(api).sign(claims, token_type(api))
    except (NoKey, CannotUnseal) as error:
        log.error("No token could be signed: %s", error)
        refused = unsigned(decision, f"No current signing key for {api.signing_alg}.")
        return Outcome(request, refused, client, api, grant)
    return Outcome(request, decision, client, api, grant, claims, token, left)


def request_from(
    memory: Memory, presented: Presented, parameters: dict[str, str], now: float, grant_type: str = "client_credentials"
) -> Request:
    """Return the request that a call of the token endpoint makes, with its client's proof looked into.

    Raises TokenError invalid_target for a `resource` beside another `audience` (RFC 8707 §2).
    """
    audience, parameter = _target(memory.house, parameters)
    asked = [scope for scope in parameters.get("scope", "").split(" ") if scope]
    return Request(
        client_id=presented.client_id,
        audience=audience,
        scopes=tuple(dict.fromkeys(asked)) or None,
        authentication=authenticate(memory, presented, now),
        parameter=parameter,
        grant_type=grant_type,
    )


def authenticate(memory: Memory, presented: Presented, now: float) -> Authentication:
    """Return whether the caller is the client it says it is (RFC 6749 §2.3.1, RFC 7523 §3)."""
    client = memory.client(presented.client_id)
    if presented.method == NONE:
        return Authentication(NONE, False, "Nothing was presented.")
    if presented.method in {BASIC, POST}:
        return check_secret(client, presented.secret or "", presented.method, now)
    assert presented.method == ASSERTION and presented.assertion is not None
    keys = [key.jwk for key in client.keys if key.expires_at is None or key.expires_at > now] if client else []
    if client is None or client.token_endpoint_auth_method != ASSERTION:
        return Authentication(ASSERTION, False, "The application does not sign its requests.")
    try:
        key = verify_assertion(
            presented.assertion,
            client.client_id,
            keys,
            memory.house.issuer,
            now,
            lambda jti, until: not operations.use_assertion(memory.house, client.client_id, jti, until),
        )
    except AssertionRefused as refused:
        return Authentication(ASSERTION, False, refused.reason)
    key_id = next((known.id for known in client.keys if known.jwk is key), None)
    return Authentication(ASSERTION, True, "The signed assertion holds.", key_id=key_id)


def check_secret(client: Client | None, secret: str, method: str, now: float) -> Authentication:
    """Return whether `secret` is one of the client's live ones; every comparison takes constant time."""
    if client is None or not client.secrets:
        secrets.matches(secret, _NOBODYS_DIGEST)
        return Authentication(method, False, "The application has no secret.")
    for stored in client.secrets:
        if not secrets.matches(secret, stored.digest):
            continue
        if stored.expires_at is not None and stored.expires_at <= now:
            return Authentication(
                method, False, f"The secret ending in {stored.hint} has stopped working.", "client.secret.expired"
            )
        return Authentication(method, True, f"The secret ending in {stored.hint} matched.", secret_id=stored.id)
    return Authentication(method, False, f"The secret does not match any active secret of {client.name}.")


def _target(house: House, parameters: dict[str, str]) -> tuple[str, str]:
    """Return the API asked for and the parameter that named it: Auth0's `audience` or RFC 8707's `resource`."""
    audience, resource = parameters.get("audience"), parameters.get("resource")
    if resource is not None and audience not in {None, resource}:
        raise TokenError("invalid_target", "audience and resource name two different APIs.")
    if resource is not None and "#" in resource:
        raise TokenError("invalid_target", "The resource must not have a fragment.")
    if resource is not None and audience is None:
        return resource, "resource"
    return audience or house.default_audience, "audience"
