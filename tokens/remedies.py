"""Why a request was denied, in two sentences, and the buttons that mend it: one entry for each rule."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from django.urls import reverse

from accounts.models import Tenant
from apis.models import API, look_alikes
from tokens.client_credentials import Outcome
from tokens.decision import Check


@dataclass(frozen=True)
class Remedy:
    """One button. With a `url` a link; otherwise a test that runs again, after `fix`, with these values changed.

    scopes, audience: what to ask for instead; None leaves it as it was.
    """

    label: str
    url: str = ""
    fix: str = ""
    scopes: tuple[str, ...] | None = None
    audience: str | None = None
    icon: str = ""


@dataclass(frozen=True)
class Explanation:
    """A denial, explained: what happened, why, and what to do."""

    sentence: str
    why: str
    remedies: list[Remedy]


@dataclass(frozen=True)
class Case:
    """What the explanation of one denial may look at."""

    tenant: Tenant
    api: API
    outcome: Outcome
    failed: Check

    def page(self, name: str, *arguments: str) -> str:
        return reverse(name, args=[self.tenant.name, *arguments])

    @property
    def test_page(self) -> str:
        return self.page("tokens:test", self.api.pk)

    @property
    def credentials(self) -> str:
        return self.page("applications:credentials", self.outcome.request.client_id)

    @property
    def asked(self) -> tuple[str, ...]:
        return self.outcome.request.scopes or ()

    @property
    def app(self) -> str:
        return self.outcome.client.name if self.outcome.client else self.outcome.request.client_id

    def facts(self, name: str) -> list[str]:
        found = self.failed.facts.get(name)
        return [str(value) for value in found] if isinstance(found, list) else []


def explain(tenant: Tenant, api: API, outcome: Outcome) -> Explanation:
    """Return the explanation of a denied test on the page of `api`."""
    failed = outcome.decision.failed
    assert failed is not None
    case = Case(tenant, api, outcome, failed)
    why, remedies = RULES[failed.rule](case)
    return Explanation(failed.detail, why, remedies)


Found = tuple[str, list[Remedy]]


def _client_unknown(case: Case) -> Found:
    why = f"Client IDs are compared byte for byte, and this tenant has no application with `{case.app}`."
    return why, [Remedy("Choose another application", url=case.test_page)]


def _client_disabled(case: Case) -> Found:
    why = "An application that is switched off gets no tokens until somebody switches it on again."
    return why, [
        Remedy(f"Enable {case.app} and run again", fix="enable_application", icon="check"),
        Remedy("Choose another application", url=case.test_page),
    ]


def _secret_wrong(case: Case) -> Found:
    why = "Secrets are stored as a fingerprint, so a lost one cannot be shown again: roll it, or type another."
    return why, [
        Remedy("Roll secret", url=case.credentials, icon="rotate-ccw"),
        Remedy("Run without a secret", fix="run", icon="play"),
    ]


def _secret_expired(case: Case) -> Found:
    why = "It was replaced or given an end. Another secret of the application may still work."
    return why, [
        Remedy("Add secret", url=case.credentials, icon="plus"),
        Remedy("Run without a secret", fix="run", icon="play"),
    ]


def _auth_method(case: Case) -> Found:
    why = "An application may only authenticate with the method in its settings, so that a leaked secret is of no use."
    return why, [
        Remedy("Change method", url=case.credentials, icon="settings"),
        Remedy("Run without a secret", fix="run", icon="play"),
    ]


def _grant_type(case: Case) -> Found:
    client = case.outcome.client
    if client and client.is_public:
        why = "Whoever has the application could read its secret. Use a Machine to Machine application for this."
        return why, [Remedy("Choose another application", url=case.test_page)]
    why = "An application gets tokens only by the grant types that are switched on in its settings."
    return why, [
        Remedy("Enable grant and run again", fix="enable_grant_type", icon="check"),
        Remedy("Open settings", url=case.page("applications:settings", case.outcome.request.client_id)),
    ]


def _audience_missing(case: Case) -> Found:
    why = f"Add the line `audience={case.api.identifier}` to the request, or set a default audience for the tenant."
    return why, [
        Remedy(f"Use {case.api.identifier}", fix="run", audience=case.api.identifier, icon="check"),
        Remedy("Set a default", url=case.page("accounts:tenant_settings")),
    ]


def _audience_unknown(case: Case) -> Found:
    near = look_alikes(case.tenant, case.outcome.request.audience)
    if not near:
        why = "Identifiers are compared byte for byte, and none of this tenant's APIs has one like it."
        return why, [Remedy(f"Use {case.api.identifier}", fix="run", audience=case.api.identifier, icon="check")]
    closest = case.api if case.api in near else near[0]
    why = f"Closest: `{closest.identifier}` ({_difference(case.outcome.request.audience, closest.identifier)})."
    if closest == case.api:
        return why, [Remedy(f"Use {closest.identifier}", fix="run", audience=closest.identifier, icon="check")]
    return why, [Remedy(f"Use {closest.identifier}", url=case.page("tokens:test", closest.pk))]


def _difference(asked: str, known: str) -> str:
    if asked.rstrip("/") == known.rstrip("/"):
        return "differs by a trailing slash"
    if asked.strip() == known:
        return "differs by a space"
    if asked.lower() == known.lower():
        return "differs by upper and lower case"
    return "differs in how it begins or ends"


def _policy(case: Case) -> Found:
    why = "Its access policy turns every application away, whatever it is authorized for."
    return why, [
        Remedy("Allow authorized applications and run again", fix="allow_access", icon="check"),
        Remedy("Change policy", url=case.page("apis:settings", case.api.pk)),
    ]


def _not_authorized(case: Case) -> Found:
    why = (
        "An application needs a grant on this API before it can get a token with client credentials. "
        "None exists for this pair."
    )
    return why, [
        Remedy("Authorize and run again", fix="authorize", icon="check"),
        Remedy(
            "Choose scopes first",
            url=case.page("applications:authorization", case.api.pk, case.outcome.request.client_id),
        ),
    ]


def _grant_expired(case: Case) -> Found:
    why = f"{case.app} was authorized for {case.api.name} until a date that has passed."
    return why, [
        Remedy("Remove the end and run again", fix="renew", icon="check"),
        Remedy(
            "Open authorization",
            url=case.page("applications:authorization", case.api.pk, case.outcome.request.client_id),
        ),
    ]


def _scope_unknown(case: Case) -> Found:
    unknown = case.facts("unknown")
    kept = tuple(scope for scope in case.asked if scope not in unknown)
    api = case.outcome.api
    near = get_close_matches(unknown[0], sorted(api.scopes) if api else [], n=1)
    why = "An API offers only the scopes on its Scopes tab, compared byte for byte."
    remedies = []
    if near:
        instead = tuple(dict.fromkeys(near[0] if scope == unknown[0] else scope for scope in case.asked))
        remedies.append(Remedy(f"Use {near[0]}", fix="run", scopes=instead, icon="check"))
    if not case.api.is_system:
        remedies.append(Remedy(f"Add {_listed(unknown)} to {case.api.name}", fix="add_scope", icon="plus"))
    remedies.append(Remedy(f"Run without {_it(unknown)}", fix="run", scopes=kept, icon="play"))
    return why, remedies


def _scope_not_granted(case: Case) -> Found:
    missing = case.facts("missing")
    kept = tuple(scope for scope in case.asked if scope not in missing)
    why = f"A token carries only what {case.app} is authorized for on {case.api.name}; asking for more is refused."
    return why, [
        Remedy(f"Grant {_listed(missing)} and run again", fix="grant", icon="check"),
        Remedy(f"Run without {_it(missing)}", fix="run", scopes=kept, icon="play"),
    ]


def _quota(case: Case) -> Found:
    why = (
        "It starts anew with the next hour or day, UTC. A token works until it expires: an application that keeps it "
        "until then needs few of them."
    )
    left = case.failed.facts.get("quotas")
    used_up = [quota for quota in left if quota["exceeded"]] if isinstance(left, list) else []
    if used_up and used_up[0]["of"] == "api":
        return why, [Remedy("Change the API's quota", url=case.page("apis:settings", case.api.pk), icon="settings")]
    settings = case.page("applications:settings", case.outcome.request.client_id)
    return why, [Remedy("Change the quota", url=settings, icon="settings")]


def _no_key(case: Case) -> Found:
    if case.api.uses_secret:
        why = "Its signing secret does not open. Check GATEHOUSE_ENCRYPTION_KEYS on the server, or rotate the secret."
        return why, [Remedy("Open settings", url=case.page("apis:settings", case.api.pk), icon="settings")]
    why = "The key does not open, or there is none. Check GATEHOUSE_ENCRYPTION_KEYS on the server, or rotate the keys."
    return why, [Remedy("Go to Signing keys", url=case.page("tokens:keys"), icon="key-round")]


def _unsupported(case: Case) -> Found:
    return "Only client credentials can be used here.", [Remedy("Open Test", url=case.test_page)]


def _listed(scopes: list[str]) -> str:
    return scopes[0] if len(scopes) == 1 else f"{len(scopes)} scopes"


def _it(scopes: list[str]) -> str:
    return "it" if len(scopes) == 1 else "them"


RULES: dict[str, Callable[[Case], Found]] = {
    "client.unknown": _client_unknown,
    "client.disabled": _client_disabled,
    "client.auth.failed": _secret_wrong,
    "client.secret.expired": _secret_expired,
    "client.auth.method": _auth_method,
    "grant.not_allowed": _grant_type,
    "grant.unsupported": _unsupported,
    "audience.missing": _audience_missing,
    "audience.unknown": _audience_unknown,
    "api.policy.deny_all": _policy,
    "api.grant.required": _not_authorized,
    "api.grant.expired": _grant_expired,
    "scope.unknown": _scope_unknown,
    "scope.not_granted": _scope_not_granted,
    "limit.quota": _quota,
    "key.unavailable": _no_key,
}
