"""May this client have a token for this API, with which scopes, and why: the one place where that is decided.

`decide` is a pure function: no database, no clock, no HTTP. The token endpoint, the Test tab and the log all use the
Decision it returns, so a preview cannot lie and a denial is explained by the very step that denied it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches

from tokens.errors import AUTHENTICATION_FAILED
from tokens.facts import Client, Grant, ProtectedAPI, Quota, Request

PASSED, FAILED, NOT_REACHED = "passed", "failed", "not_reached"
SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})
ADMINISTRATOR = "administrator"
MOST_COMPARED = 100

TITLES = {
    "client.known": "Application is known",
    "client.enabled": "Application is switched on",
    "client.authenticated": "Client authenticated",
    "grant_type.allowed": "Grant type allowed",
    "api.known": "Audience is a known API",
    "api.policy": "API allows machine access",
    "grant.exists": "Application is authorized for this API",
    "grant.live": "Authorization has not expired",
    "scopes.granted": "Requested scopes are granted",
    "quota": "Within the token quotas",
}
# Not a matter of deciding: what can still go wrong once a token is allowed.
SIGNED, SIGNED_TITLE = "token.signed", "Token signed and returned"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the caller is told. `status` is HTTP's; `error` and `description` go on the wire (RFC 6749 §5.2)."""

    status: int
    error: str
    description: str
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One step of a decision. `rule` names what failed; `facts` are what it looked at; `detail` is for the admin."""

    id: str
    outcome: str
    detail: str = ""
    rule: str = ""
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return SIGNED_TITLE if self.id == SIGNED else TITLES[self.id]

    def as_json(self) -> dict[str, object]:
        """Return the check as the log keeps it."""
        return {
            "id": self.id,
            "title": self.title,
            "outcome": self.outcome,
            "detail": self.detail,
            "rule": self.rule,
            "facts": self.facts,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided. `scopes` (sorted) is what a token carries, none when denied; `refusal` is None when allowed."""

    checks: tuple[Check, ...]
    scopes: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def failed(self) -> Check | None:
        """Return the check that denied the request, or None."""
        return next((check for check in self.checks if check.outcome == FAILED), None)


class _Denied(Exception):
    def __init__(self, check: Check, refusal: Refusal) -> None:
        self.check, self.refusal = check, refusal


# One answer for an unknown client, a wrong secret and a bad assertion, so that none tells which it was.
UNAUTHORIZED = Refusal(401, "invalid_client", AUTHENTICATION_FAILED)


def decide(
    request: Request,
    client: Client | None,
    api: ProtectedAPI | None,
    grant: Grant | None,
    now: float,
    quotas: tuple[Quota, ...] = (),
) -> Decision:
    """Return the decision on a client-credentials request (RFC 6749 §4.4).

    client, api, grant: what the request's client id and audience name, None where they name nothing. now: seconds
    since 1970. quotas: what is left of those that apply, with this request taken from them. The checks come in a fixed
    order and stop at the first that fails; the rest are "not reached".
    """
    checks: list[Check] = []
    scopes: tuple[str, ...] = ()
    refusal = None
    try:
        for step in _steps(request, client, api, grant, now, quotas):
            if isinstance(step, Check):
                checks.append(step)
            else:
                scopes = step
    except _Denied as denied:
        checks.append(denied.check)
        refusal = denied.refusal
    reached = {check.id for check in checks}
    checks.extend(Check(id, NOT_REACHED) for id in TITLES if id not in reached)
    return Decision(tuple(checks), () if refusal else scopes, refusal)


def is_who_it_says(request: Request, client: Client | None) -> bool:
    """Return whether a call of another endpoint than the token's is from `client`, by the same first three checks.

    There a public application, which proves nothing, is nobody (RFC 7009 §2.1, RFC 7662 §2.1).
    """
    try:
        _client_known(request, client)
        assert client is not None
        _client_enabled(client)
        _client_authenticated(request, client)
    except _Denied:
        return False
    return not client.is_public


def unsigned(decision: Decision, why: str) -> Decision:
    """Return what becomes of an allowed decision when the server itself cannot sign: a refusal that says so."""
    check = Check(SIGNED, FAILED, why, "key.unavailable")
    refusal = Refusal(500, "server_error", "The server cannot sign tokens at the moment.")
    return Decision((*decision.checks, check), (), refusal)


def limited(decision: Decision, network: str, wait: int) -> Decision:
    """Return what becomes of a refusal for wrong credentials when too many of them come from one network.

    wait: the seconds until the next ones are answered with 401 again.
    """
    failed = decision.failed
    assert failed is not None
    why = f"{failed.detail} Too many wrong credentials came from {network} within a minute."
    checks = (
        replace(failed, detail=why, rule="limit.credentials") if check is failed else check for check in decision.checks
    )
    description = f"Too many wrong credentials. Try again in {wait} seconds."
    return Decision(tuple(checks), (), Refusal(429, "too_many_requests", description))


def _steps(
    request: Request,
    client: Client | None,
    api: ProtectedAPI | None,
    grant: Grant | None,
    now: float,
    quotas: tuple[Quota, ...],
) -> Iterator[Check | tuple[str, ...]]:
    yield _client_known(request, client)
    assert client is not None
    yield _client_enabled(client)
    yield _client_authenticated(request, client)
    yield _grant_type_allowed(request, client)
    yield _api_known(request, api)
    assert api is not None
    yield _api_policy(request, api)
    yield _grant_exists(request, client, api, grant)
    assert grant is not None
    yield _grant_live(request, grant, now)
    yield _scopes_granted(request, client, api, grant)
    yield _within_quotas(client, api, quotas)
    allowed = grant.allowed(api)
    yield tuple(sorted(allowed if request.scopes is None else set(request.scopes)))


def _client_known(request: Request, client: Client | None) -> Check:
    if client is None:
        raise _Denied(
            Check("client.known", FAILED, "No application has this client ID.", "client.unknown"), UNAUTHORIZED
        )
    return Check("client.known", PASSED, f"{client.name}, {client.type_label}.")


def _client_enabled(client: Client) -> Check:
    if not client.enabled:
        raise _Denied(
            Check("client.enabled", FAILED, f"{client.name} is switched off.", "client.disabled"), UNAUTHORIZED
        )
    return Check("client.enabled", PASSED, "It may ask for tokens.")


def _client_authenticated(request: Request, client: Client) -> Check:
    proof = request.authentication
    registered = client.token_endpoint_auth_method
    facts: dict[str, object] = {"presented": proof.method, "registered": registered}
    if proof.method == ADMINISTRATOR and proof.proven:
        return Check("client.authenticated", PASSED, proof.detail, facts=facts)
    if proof.method == "none" and client.is_public:
        return Check("client.authenticated", PASSED, "A public application does not authenticate.", facts=facts)
    same_kind = proof.method != "none" and (proof.method == registered or {proof.method, registered} <= SECRET_METHODS)
    if not same_kind:
        presented = {"none": "nothing", "private_key_jwt": "a signed JWT"}.get(proof.method, "a secret")
        must = {"none": "send no credentials", "private_key_jwt": "sign a JWT"}.get(registered, "send its secret")
        raise _Denied(
            Check(
                "client.authenticated",
                FAILED,
                f"{client.name} must {must}, but {presented} was sent.",
                "client.auth.method",
                facts,
            ),
            UNAUTHORIZED,
        )
    if not proof.proven:
        raise _Denied(Check("client.authenticated", FAILED, proof.detail, proof.rule, facts), UNAUTHORIZED)
    return Check("client.authenticated", PASSED, proof.detail, facts=facts)


def _grant_type_allowed(request: Request, client: Client) -> Check:
    facts: dict[str, object] = {"grant_type": request.grant_type, "allowed": list(client.grant_types)}
    if request.grant_type in client.grant_types and request.grant_type != "client_credentials":
        raise _Denied(
            Check(
                "grant_type.allowed", FAILED, "This server does not offer that flow yet.", "grant.unsupported", facts
            ),
            Refusal(400, "unsupported_grant_type", "Grant type not supported"),
        )
    if client.is_public or request.grant_type not in client.grant_types:
        why = (
            f"{client.type_label} applications cannot keep a secret."
            if client.is_public and request.grant_type == "client_credentials"
            else "It is not among the grant types in its settings."
        )
        raise _Denied(
            Check(
                "grant_type.allowed",
                FAILED,
                f"{client.name} may not use {request.grant_type.replace('_', ' ')}. {why}",
                "grant.not_allowed",
                facts,
            ),
            Refusal(
                403,
                "unauthorized_client",
                f"Grant type '{request.grant_type}' not allowed for the client.",
                "https://auth0.com/docs/clients/client-grant-types",
            ),
        )
    return Check(
        "grant_type.allowed", PASSED, "It is among the grant types in the application's settings.", facts=facts
    )


def _api_known(request: Request, api: ProtectedAPI | None) -> Check:
    facts: dict[str, object] = {"audience": request.audience}
    if not request.audience:
        raise _Denied(
            Check("api.known", FAILED, "The request did not say which API it wants.", "audience.missing", facts),
            Refusal(403, "access_denied", "Non-global clients are not allowed access to APIv1"),
        )
    if api is None:
        raise _Denied(
            Check("api.known", FAILED, f"No API has the identifier {request.audience}.", "audience.unknown", facts),
            _about_target(request, f"Service not enabled within domain: {request.audience}"),
        )
    return Check("api.known", PASSED, f"{api.name}, signing with {api.signing_alg}.", facts=facts)


def _api_policy(request: Request, api: ProtectedAPI) -> Check:
    facts: dict[str, object] = {"client_policy": api.client_policy}
    if api.client_policy == "deny_all":
        raise _Denied(
            Check("api.policy", FAILED, f"{api.name} allows no machine access.", "api.policy.deny_all", facts),
            _about_target(request, f'Client is not authorized to access "{api.identifier}".'),
        )
    return Check("api.policy", PASSED, "Applications need an authorization.", facts=facts)


def _grant_exists(request: Request, client: Client, api: ProtectedAPI, grant: Grant | None) -> Check:
    if grant is None:
        raise _Denied(
            Check(
                "grant.exists",
                FAILED,
                f"{client.name} is not authorized to call {api.name}.",
                "api.grant.required",
            ),
            _about_target(
                request,
                f'Client is not authorized to access "{api.identifier}". You need to create a "client-grant" '
                "associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants",
            ),
        )
    return Check("grant.exists", PASSED, f"{client.name} is authorized to call {api.name}.", facts={"grant": grant.id})


def _grant_live(request: Request, grant: Grant, now: float) -> Check:
    if grant.expires_at is not None and grant.expires_at <= now:
        raise _Denied(
            Check(
                "grant.live",
                FAILED,
                "The authorization has expired.",
                "api.grant.expired",
                {"expires_at": grant.expires_at},
            ),
            _about_target(request, "The client grant for this API has expired."),
        )
    return Check("grant.live", PASSED, "It has no end." if grant.expires_at is None else "Its end has not come.")


def _scopes_granted(request: Request, client: Client, api: ProtectedAPI, grant: Grant) -> Check:
    allowed = grant.allowed(api)
    if request.scopes is None:
        return Check(
            "scopes.granted",
            PASSED,
            "None were named, so every granted scope is issued.",
            facts={"granted": sorted(allowed), "asked": None},
        )
    missing = [scope for scope in request.scopes if scope not in allowed]
    facts: dict[str, object] = {"asked": list(request.scopes), "granted": sorted(allowed), "missing": missing}
    if missing:
        unknown = [scope for scope in missing if scope not in api.scopes]
        raise _Denied(
            Check(
                "scopes.granted",
                FAILED,
                _why_not(client, api, allowed, missing, unknown),
                "scope.unknown" if unknown else "scope.not_granted",
                facts | ({"unknown": unknown} if unknown else {}),
            ),
            Refusal(403, "access_denied", f"Client has not been granted scopes: {', '.join(missing)}"),
        )
    return Check("scopes.granted", PASSED, "Each one asked for is granted.", facts=facts)


_NO_QUOTA = Check("quota", PASSED, "None is set.")
_PERIODS = {"per_hour": "hour", "per_day": "day"}


def _within_quotas(client: Client, api: ProtectedAPI, quotas: tuple[Quota, ...]) -> Check:
    if not quotas:
        return _NO_QUOTA
    facts: dict[str, object] = {"quotas": [asdict(quota) for quota in quotas]}
    names = {"client": client.name, "api": api.name}
    for quota in quotas:
        if quota.exceeded and quota.enforced:
            used_up = f"{names[quota.of]} has used up its quota of {quota.limit:,} for this {_PERIODS[quota.bucket]}."
            who = "Client" if quota.of == "client" else "API"
            raise _Denied(
                Check("quota", FAILED, used_up, "limit.quota", facts),
                Refusal(429, "too_many_requests", f"{who} quota exceeded"),
            )
    over = [quota for quota in quotas if quota.exceeded]
    if over:
        beyond = f"{names[over[0].of]} is beyond its quota of {over[0].limit:,} for this {_PERIODS[over[0].bucket]}"
        return Check("quota", PASSED, f"{beyond}, which is only observed.", facts=facts)
    least = min(quotas, key=lambda quota: quota.remaining)
    return Check("quota", PASSED, f"{least.remaining:,} left in this {_PERIODS[least.bucket]}.", facts=facts)


def _why_not(client: Client, api: ProtectedAPI, allowed: frozenset[str], missing: list[str], unknown: list[str]) -> str:
    if unknown:
        # Comparing is slow, and anybody with a client may ask: a long list or a long word is not compared.
        comparable = len(api.scopes) <= MOST_COMPARED and len(unknown[0]) <= MOST_COMPARED
        near = get_close_matches(unknown[0], api.scopes, n=1) if comparable else []
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{', '.join(unknown)} does not exist on {api.name}.{hint}"
    has = f"may use {', '.join(sorted(allowed))}" if allowed else "has no scopes yet"
    return f"{client.name} {has}; the request asked for {', '.join(missing)} as well."


def _about_target(request: Request, description: str) -> Refusal:
    """Return the refusal in the dialect of the parameter used: RFC 8707 §2 for `resource`, else Auth0's."""
    if request.parameter == "resource":
        return Refusal(400, "invalid_target", description)
    return Refusal(403, "access_denied", description)
