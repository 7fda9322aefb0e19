"""What a decision looks at: plain immutable values, read once and free of the database.

`tokens.lookup` fills them; `tokens.decision` reads them and nothing else. `not_before` is a moment in microseconds
since 1970 UTC, as `tokens.claims.issued_at` counts: what was issued earlier is revoked.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Secret:
    """One stored client secret: its digest and when it stops working (seconds since 1970, None for never)."""

    id: int
    digest: str
    hint: str
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key of an application, for private_key_jwt."""

    id: str
    jwk: dict[str, Any]
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How many tokens there may be in each hour and each day of the clock; None for as many as asked for."""

    per_hour: int | None
    per_day: int | None
    enforce: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of one quota, this request included. of: "client" or "api". bucket: "per_hour" or "per_day"."""

    of: str
    bucket: str
    limit: int
    remaining: int
    resets_in: int
    exceeded: bool
    enforced: bool


@dataclass(frozen=True, slots=True)
class Client:
    """An application as the decision sees it."""

    client_id: str
    name: str
    app_type: str
    type_label: str
    enabled: bool
    is_public: bool
    grant_types: tuple[str, ...]
    token_endpoint_auth_method: str
    secrets: tuple[Secret, ...] = ()
    keys: tuple[PublicKey, ...] = ()
    not_before: int = 0
    quota: Limits | None = None


@dataclass(frozen=True, slots=True)
class ProtectedAPI:
    """An API as the decision and the claims see it."""

    id: str
    name: str
    identifier: str
    signing_alg: str
    token_lifetime: int
    token_dialect: str
    enforce_policies: bool
    client_policy: str
    scopes: frozenset[str]
    not_before: int = 0
    quota: Limits | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """The client grant between the two, if there is one. `scopes` is ignored while `allow_all_scopes` holds."""

    id: str
    scopes: frozenset[str]
    allow_all_scopes: bool
    expires_at: float | None = None
    not_before: int = 0

    def allowed(self, api: ProtectedAPI) -> frozenset[str]:
        """Return the scopes that may be issued: never one outside the API's own."""
        return api.scopes if self.allow_all_scopes else self.scopes & api.scopes


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the caller proved to be the client, as found out before the decision.

    method: what was presented: client_secret_basic, client_secret_post, private_key_jwt, none, or administrator.
    proven: whether it held. rule: why not, by the rule's id. detail: a sentence for the admin, never a secret.
    secret_id, key_id: the one that held.
    """

    method: str
    proven: bool
    detail: str
    rule: str = "client.auth.failed"
    secret_id: int | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A token request as the decision sees it. `scopes` is None when the request did not name any."""

    client_id: str
    audience: str
    scopes: tuple[str, ...] | None
    authentication: Authentication
    parameter: str = "audience"
    grant_type: str = "client_credentials"
