"""Properties of the decision, over any client, API, grant and request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens.decision import FAILED, NOT_REACHED, PASSED, TITLES, decide
from tokens.facts import Authentication, Client, Grant, ProtectedAPI, Request

SCOPES = ["read:a", "write:a", "read:b", "delete:b"]
some_scopes = st.frozensets(st.sampled_from(SCOPES))
methods = st.sampled_from(["client_secret_post", "client_secret_basic", "private_key_jwt", "none", "administrator"])

clients = st.builds(
    Client,
    client_id=st.just("client"),
    name=st.just("Billing"),
    app_type=st.just("non_interactive"),
    type_label=st.just("Machine to Machine"),
    enabled=st.booleans(),
    is_public=st.booleans(),
    grant_types=st.lists(st.sampled_from(["client_credentials", "authorization_code"]), unique=True).map(tuple),
    token_endpoint_auth_method=st.sampled_from(
        ["client_secret_post", "client_secret_basic", "private_key_jwt", "none"]
    ),
)
apis = st.builds(
    ProtectedAPI,
    id=st.just("api"),
    name=st.just("Calendar"),
    identifier=st.just("https://calendar.example/"),
    signing_alg=st.just("RS256"),
    token_lifetime=st.integers(1, 2_592_000),
    token_dialect=st.just("access_token"),
    enforce_policies=st.booleans(),
    client_policy=st.sampled_from(["require_client_grant", "deny_all"]),
    scopes=some_scopes,
)
grants = st.builds(
    Grant,
    id=st.just("cgr_x"),
    scopes=some_scopes,
    allow_all_scopes=st.booleans(),
    expires_at=st.none() | st.floats(0, 200),
)
requests = st.builds(
    Request,
    client_id=st.just("client"),
    audience=st.sampled_from(["", "https://calendar.example/"]),
    scopes=st.none() | st.lists(st.sampled_from([*SCOPES, "unknown:scope"]), min_size=1, unique=True).map(tuple),
    authentication=st.builds(Authentication, methods, st.booleans(), st.just("Because.")),
    parameter=st.sampled_from(["audience", "resource"]),
    grant_type=st.sampled_from(["client_credentials", "authorization_code"]),
)
NOW = 100.0


@given(requests, st.none() | clients, st.none() | apis, st.none() | grants)
def test_a_scope_is_never_outside_grant_and_api(request, client, api, grant):
    decision = decide(request, client, api, grant, NOW)

    if decision.scopes:
        assert set(decision.scopes) <= api.scopes
        assert grant.allow_all_scopes or set(decision.scopes) <= grant.scopes
        assert request.scopes is None or set(decision.scopes) == set(request.scopes)


@given(requests, st.none() | clients, st.none() | apis, st.none() | grants)
def test_nothing_is_allowed_without_every_reason(request, client, api, grant):
    decision = decide(request, client, api, grant, NOW)

    if decision.allowed:
        assert client and api and grant
        assert client.enabled and not client.is_public and "client_credentials" in client.grant_types
        assert request.grant_type == "client_credentials" and request.audience
        assert request.authentication.proven
        assert api.client_policy == "require_client_grant"
        assert grant.expires_at is None or grant.expires_at > NOW


@given(requests, st.none() | clients, st.none() | apis, st.none() | grants)
def test_the_checks_tell_the_outcome(request, client, api, grant):
    decision = decide(request, client, api, grant, NOW)

    outcomes = [check.outcome for check in decision.checks]
    assert [check.id for check in decision.checks] == list(TITLES)
    if decision.allowed:
        assert outcomes == [PASSED] * len(TITLES)
    else:
        failed = outcomes.index(FAILED)
        assert outcomes[:failed] == [PASSED] * failed
        assert outcomes[failed + 1 :] == [NOT_REACHED] * (len(TITLES) - failed - 1)
        assert decision.failed.rule and decision.failed.detail and decision.scopes == ()


@given(requests, st.none() | clients, st.none() | apis, st.none() | grants)
def test_the_same_facts_decide_the_same(request, client, api, grant):
    assert decide(request, client, api, grant, NOW) == decide(request, client, api, grant, NOW)


@given(requests, clients)
def test_only_the_registered_kind_of_authentication_counts(request, client):
    decision = decide(request, client, None, None, NOW)

    authenticated = next(check for check in decision.checks if check.id == "client.authenticated")
    secrets = {"client_secret_post", "client_secret_basic"}
    method, registered = request.authentication.method, client.token_endpoint_auth_method
    if authenticated.outcome == PASSED and method not in {"administrator", "none"}:
        assert method == registered or {method, registered} <= secrets
    if authenticated.outcome == PASSED and method == "none":
        assert client.is_public


@pytest.mark.parametrize("scope", [None, ("read:appointments",), ("write:appointments",), ("nope",)])
@pytest.mark.parametrize("granted", [[], ["read:appointments"], ["read:appointments", "write:appointments"]])
def test_preview_equals_issuance(ask, billing_grant, billing_app, calendar_api, tenant, by, scope, granted):
    from applications.operations import update_client_grant
    from tokens import memory
    from tokens.client_credentials import respond

    update_client_grant(billing_grant, by, scopes=granted)
    administrator = Authentication("administrator", True, "Skipped: run by an admin.")
    asked = Request(billing_app.client_id, calendar_api.identifier, scope, administrator)

    preview = respond(memory.now(tenant), asked).decision
    answer = ask(scope=" ".join(scope) if scope else None)

    assert preview.allowed == (answer.status_code == 200)
    if preview.allowed:
        assert answer.json().get("scope", "") == " ".join(preview.scopes)
    else:
        assert answer.status_code == preview.refusal.status
        assert answer.json()["error"] == preview.refusal.error
