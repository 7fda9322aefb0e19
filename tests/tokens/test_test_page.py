import datetime
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from accounts.models import Tenant
from apis.models import API
from apis.operations import add_scopes, create_api, update_api
from applications.models import ClientGrant
from applications.operations import (
    add_credential,
    authorize_application,
    roll_secret,
    set_authentication_method,
    update_application,
    update_client_grant,
)
from audit.actors import Actor
from tests.conftest import App, make_app
from tests.reading import claims_of
from tests.tokens.pages import link, press, text_of
from tokens import keys, memory
from tokens.client_credentials import respond
from tokens.facts import Authentication, Request
from tokens.models import KeyState, LogEntry, SigningKey
from tokens.remedies import RULES
from tokens.runs import RUNS
from tokens.setup import set_up_api

READ, WRITE = "read:appointments", "write:appointments"


def page_of(api: API) -> str:
    return f"/t/{api.tenant.name}/apis/{api.pk}/test/"


@pytest.fixture
def run(as_eve: Client, calendar_api: API, billing_app: App) -> Callable[..., HttpResponse]:
    """Press “Run test” as Eve, with Billing chosen; keyword arguments are what else the form says."""

    def run(**values: Any) -> HttpResponse:
        return as_eve.post(page_of(calendar_api), {"application": billing_app.client_id, **values})

    return run


def token_in(response: HttpResponse) -> str:
    return response.context["token"]


# A token, and everything around it


def test_a_test_issues_a_token_that_an_api_accepts(
    run: Any, billing_grant: ClientGrant, tenant: Tenant, billing_app: App
) -> None:
    response = run()

    assert response.status_code == 200 and "Token issued" in text_of(response)
    claims = claims_of(token_in(response), tenant, "https://calendar.example/")
    assert claims["scope"] == READ and claims["azp"] == billing_app.client_id
    assert "9 of 9 passed" in text_of(response)


def test_the_token_is_in_this_answer_and_nowhere_else(
    run: Any, as_eve: Client, calendar_api: API, billing_grant: ClientGrant
) -> None:
    response = run()
    token = token_in(response)
    signature = token.rsplit(".", 1)[1]

    assert "no-store" in response["Cache-Control"]
    assert f'data-copy="{token}"' in response.content.decode()
    assert signature not in str(response.headers) and signature not in str(as_eve.cookies)
    for address in (page_of(calendar_api), "/t/main/logs/", f"/t/main/logs/{LogEntry.objects.get().log_id}/"):
        assert signature not in as_eve.get(address).content.decode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert signature not in str(cursor.fetchall()), table


def test_the_secret_that_was_typed_is_checked_and_forgotten(
    run: Any, billing_grant: ClientGrant, billing_app: App
) -> None:
    response = run(client_secret=billing_app.secret)

    assert f"The secret ending in {billing_app.secret[-4:]} matched." in text_of(response)
    assert billing_app.secret not in response.content.decode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert billing_app.secret not in str(cursor.fetchall()), table


def test_without_a_secret_the_log_says_who_vouched(run: Any, billing_grant: ClientGrant) -> None:
    run()

    entry = LogEntry.objects.get()
    assert entry.is_test and entry.succeeded
    assert entry.checks[2]["detail"] == "Skipped: run by eve@example.com."


def test_every_claim_has_a_meaning(run: Any, billing_grant: ClientGrant, by: Actor) -> None:
    update_client_grant(billing_grant, by, scopes=[READ, WRITE])

    assert "None were asked for, so all 2 granted scopes were issued." in text_of(run())
    assert "The scope asked for was granted." in text_of(run(scope=READ))
    response = run(scope=[READ, WRITE])
    assert "Both scopes asked for were granted." in text_of(response)
    meanings = {claim["name"]: claim["meaning"] for claim in response.context["claims"]}
    assert set(meanings) == set(claims_of(token_in(response), billing_grant.tenant))
    assert all(meaning.endswith(".") for meaning in meanings.values())
    assert meanings["sub"] == "Billing itself; no user is involved."
    assert meanings["exp"].endswith("1 day later.")


@pytest.mark.parametrize("algorithm", ["RS512", "PS256", "ES256", "EdDSA", "HS256"])
def test_the_token_of_every_algorithm_is_verified(
    as_eve: Client, tenant: Tenant, by: Actor, billing_app: App, algorithm: str
) -> None:
    api = create_api(
        tenant, by, name="Other", identifier="urn:other", signing_alg=algorithm, token_dialect="rfc9068_profile"
    )
    authorize_application(billing_app.row, api, by)

    response = as_eve.post(page_of(api), {"application": billing_app.client_id})

    assert "9 of 9 passed" in text_of(response)
    said = "anyone who can check can also forge" in text_of(response)
    assert said == (algorithm == "HS256")
    if algorithm == "HS256":
        assert api.reveal_signing_secret() not in response.content.decode()


def test_verification_looks_at_the_keys_as_they_are_published(
    run: Any, billing_grant: ClientGrant, tenant: Tenant
) -> None:
    current = tenant.signing_keys.get(alg="RS256", state=KeyState.CURRENT)
    _, public = keys.generate("RS256")
    SigningKey.objects.filter(pk=current.pk).update(public_jwk=public | {"kid": current.kid})

    response = run()

    failed = [check["title"] for check in response.context["checks"] if check["state"] == "failed"]
    assert failed == ["Signature valid"] and "9 of 9 passed" not in text_of(response)


def test_the_request_is_shown_as_code_without_the_secret(
    run: Any, billing_grant: ClientGrant, billing_app: App
) -> None:
    page = unescape(run(client_secret=billing_app.secret, scope=READ).content.decode())

    assert "$CLIENT_SECRET" in page and "scope=read:appointments" in page
    assert "application/json" not in run().context["requests"][0].code
    assert "application/json" in run(body="json").context["requests"][0].code


def test_the_call_uses_the_identifier_or_the_address_given(run: Any, billing_grant: ClientGrant) -> None:
    assert "'https://calendar.example/'" in run().context["call"][0].code
    assert "'https://elsewhere.example/x'" in run(address="https://elsewhere.example/x").context["call"][0].code


# Denials: provoked at the endpoint and here, explained, and mended


@dataclass
class Scene:
    """What a denial is set up with, and what its preparation found out."""

    tenant: Tenant
    api: API
    app: App
    grant: ClientGrant
    by: Actor
    old_secret: str = ""


def disable(scene: Scene) -> None:
    update_application(scene.app.row, scene.by, enabled=False)


def expire_secret(scene: Scene) -> None:
    scene.old_secret = scene.app.secret or ""
    scene.app.secret = roll_secret(scene.app.row.secrets.get(), scene.by, datetime.timedelta())


def sign_instead(scene: Scene) -> None:
    add_credential(scene.app.row, scene.by, keys.generate("RS256")[1])
    set_authentication_method(scene.app.row, scene.by, "private_key_jwt")


def forbid_grant_type(scene: Scene) -> None:
    update_application(scene.app.row, scene.by, app_type="regular_web", grant_types=["authorization_code"])


def make_public(scene: Scene) -> None:
    update_application(scene.app.row, scene.by, app_type="spa", grant_types=["authorization_code"])


def close_api(scene: Scene) -> None:
    update_api(scene.api, scene.by, client_policy="deny_all")


def unauthorize(scene: Scene) -> None:
    scene.grant.delete()


def end_grant(scene: Scene) -> None:
    update_client_grant(scene.grant, scene.by, expires_at=timezone.now() - datetime.timedelta(days=1))


def use_up_client(scene: Scene) -> None:
    update_application(scene.app.row, scene.by, quota_per_hour=1)
    take_one(scene)


def use_up_api(scene: Scene) -> None:
    update_api(scene.api, scene.by, quota_per_day=1)
    take_one(scene)


def take_one(scene: Scene) -> None:
    administrator = Authentication("administrator", True, "A test.")
    asked = Request(scene.app.client_id, scene.api.identifier, None, administrator)
    assert respond(memory.now(scene.tenant), asked).decision.allowed


def spoil_key(scene: Scene) -> None:
    scene.tenant.signing_keys.update(private_jwk="spoilt")


def nothing(scene: Scene) -> None:
    """The request itself is what is wrong."""


@dataclass
class Denial:
    """rule and sentence: what must be said. fix: the button; then: what the next run says ("" for a token)."""

    rule: str
    sentence: str
    prepare: Callable[[Scene], None]
    asked: dict[str, Any]
    fix: str = ""
    then: str = ""
    links: tuple[str, ...] = ()
    status: int = 403

    def __str__(self) -> str:
        return f"{self.rule}{'-' + self.fix.replace(' ', '_') if self.fix else ''}"


NO_SCOPES = "Billing may use read:appointments; the request asked for write:appointments as well."
TYPO = "read:appointment does not exist on Calendar API. Did you mean read:appointments?"
DENIALS = [
    Denial("client.unknown", "No application has this client ID.", nothing, {"application": "nobody"}, status=401,
           links=("Choose another application",)),
    Denial("client.disabled", "Billing is switched off.", disable, {}, "Enable Billing and run again", status=401),
    Denial("client.auth.failed", "The secret does not match any active secret of Billing.", nothing,
           {"client_secret": "x" * 64}, "Run without a secret", status=401, links=("Roll secret",)),
    Denial("client.secret.expired", "has stopped working.", expire_secret, {"client_secret": "old"},
           "Run without a secret", status=401, links=("Add secret",)),
    Denial("client.auth.method", "Billing must sign a JWT, but a secret was sent.", sign_instead,
           {"client_secret": "x" * 64}, "Run without a secret", status=401, links=("Change method",)),
    Denial("grant.not_allowed", "Billing may not use client credentials.", forbid_grant_type, {},
           "Enable grant and run again", "Billing is not authorized to call Calendar API."),
    Denial("grant.not_allowed", "Single Page Application applications cannot keep a secret.", make_public, {},
           links=("Choose another application",)),
    Denial("audience.missing", "The request did not say which API it wants.", nothing, {"audience": ""},
           "Use https://calendar.example/", links=("Set a default",)),
    Denial("audience.unknown", "No API has the identifier https://calendar.example.", nothing,
           {"audience": "https://calendar.example"}, "Use https://calendar.example/"),
    Denial("audience.unknown", "No API has the identifier urn:nothing.", nothing, {"audience": "urn:nothing"},
           "Use https://calendar.example/"),
    Denial("api.policy.deny_all", "Calendar API allows no machine access.", close_api, {},
           "Allow authorized applications and run again", links=("Change policy",)),
    Denial("api.grant.required", "Billing is not authorized to call Calendar API.", unauthorize, {"scope": [READ]},
           "Authorize and run again", links=("Choose scopes first",)),
    Denial("api.grant.expired", "The authorization has expired.", end_grant, {}, "Remove the end and run again"),
    Denial("scope.unknown", TYPO, nothing, {"scope": ["read:appointment"]}, "Use read:appointments"),
    Denial("scope.unknown", TYPO, nothing, {"scope": ["read:appointment"]}, "Run without it"),
    Denial("scope.unknown", TYPO, nothing, {"scope": ["read:appointment"]}, "Add read:appointment to Calendar API",
           "Billing may use read:appointments; the request asked for read:appointment as well."),
    Denial("scope.not_granted", NO_SCOPES, nothing, {"scope": [READ, WRITE]}, "Grant write:appointments and run again"),
    Denial("scope.not_granted", NO_SCOPES, nothing, {"scope": [READ, WRITE]}, "Run without it"),
    Denial("limit.quota", "Billing has used up its quota of 1 for this hour.", use_up_client, {}, status=429,
           links=("Change the quota",)),
    Denial("limit.quota", "Calendar API has used up its quota of 1 for this day.", use_up_api, {}, status=429,
           links=("Change the API's quota",)),
    Denial("key.unavailable", "No current signing key for RS256.", spoil_key, {}, status=500,
           links=("Go to Signing keys",)),
]  # fmt: skip


@pytest.fixture
def scene(tenant: Tenant, calendar_api: API, billing_app: App, billing_grant: ClientGrant, by: Actor) -> Scene:
    return Scene(tenant, calendar_api, billing_app, billing_grant, by)


@pytest.mark.parametrize("denial", DENIALS, ids=str)
def test_a_denial_is_explained_and_mended(denial: Denial, scene: Scene, run: Any, as_eve: Client) -> None:
    denial.prepare(scene)
    asked = denial.asked | ({"client_secret": scene.old_secret} if scene.old_secret else {})

    response = run(**asked)

    assert f"Request denied {denial.status} " in text_of(response)
    assert denial.sentence in text_of(response) and f"Rule {denial.rule} ." in text_of(response)
    assert "Denied here" in text_of(response) and "Token signed and returned" in text_of(response)
    entry = LogEntry.objects.get()
    assert (entry.rule, entry.is_test) == (denial.rule, True)
    for words in denial.links:
        resolve(link(response, words).partition("?")[0])
    if denial.fix:
        mended = press(as_eve, response, denial.fix)
        assert (denial.then or "Token issued") in text_of(mended)
        assert bool(mended.context.get("token")) != bool(denial.then)


# Only an administrator can vouch for a public application: it has no secret to send to the endpoint.
@pytest.mark.parametrize("denial", [denial for denial in DENIALS if denial.prepare is not make_public], ids=str)
def test_the_endpoint_denies_by_the_same_rule(denial: Denial, scene: Scene, ask: Any) -> None:
    denial.prepare(scene)
    changes = {name: value for name, value in denial.asked.items() if name not in {"application", "scope"}}
    changes |= {"client_id": denial.asked["application"]} if "application" in denial.asked else {}
    changes |= {"scope": " ".join(denial.asked["scope"])} if "scope" in denial.asked else {}
    changes["client_secret"] = scene.old_secret or denial.asked.get("client_secret") or scene.app.secret
    if denial.asked.get("audience") == "":
        changes["audience"] = None

    response = ask(**changes)

    assert response.status_code == denial.status
    entry = LogEntry.objects.get(log_id=response.json()["log_id"])
    assert (entry.rule, entry.is_test) == (denial.rule, False)
    assert denial.sentence in entry.description


def test_every_rule_of_the_decision_is_provoked_here() -> None:
    # Client credentials are all that the tab asks for, so it never meets a flow that is not offered.
    assert {denial.rule for denial in DENIALS} == set(RULES) - {"grant.unsupported"}


def test_authorizing_grants_exactly_what_was_asked_and_can_be_undone(
    run: Any, as_eve: Client, calendar_api: API, billing_app: App
) -> None:
    issued = press(as_eve, run(scope=[WRITE]), "Authorize and run again")

    grant = calendar_api.client_grants.get()
    assert grant.scope_values() == [WRITE]
    assert "Billing is now authorized for Calendar API with write:appointments." in text_of(issued)
    undone = press(as_eve, issued, "Undo and run again")
    assert "Billing is not authorized to call Calendar API." in text_of(undone)
    assert not calendar_api.client_grants.exists()


def test_granting_a_scope_can_be_undone(run: Any, as_eve: Client, billing_grant: ClientGrant) -> None:
    issued = press(as_eve, run(scope=[READ, WRITE]), "Grant write:appointments and run again")

    assert billing_grant.scope_values() == [READ, WRITE]
    press(as_eve, issued, "Undo and run again")
    assert billing_grant.scope_values() == [READ]


def test_a_fix_that_comes_too_late_says_so(run: Any, billing_grant: ClientGrant) -> None:
    response = run(fix="authorize", scope=[READ])

    assert response.status_code == 422 and "This application is authorized for that API already." in text_of(response)
    assert not LogEntry.objects.exists()


def test_another_apis_identifier_is_refused(run: Any, tenant: Tenant, by: Actor) -> None:
    create_api(tenant, by, name="Other", identifier="urn:other")

    response = run(audience="urn:other")

    assert response.status_code == 422 and "Test it on that API's own tab." in text_of(response)


# What is offered


def test_preview_and_issuance_agree_for_every_set_of_scopes(
    run: Any, as_eve: Client, calendar_api: API, billing_grant: ClientGrant, by: Actor
) -> None:
    add_scopes(calendar_api, by, [("cancel:appointments", "")])
    update_client_grant(billing_grant, by, scopes=[READ, "cancel:appointments"])
    choices = as_eve.get(page_of(calendar_api)).context["form"].fields["scope"].choices
    offered = {value: not label.endswith("Not granted") for value, label in choices}

    assert offered == {READ: True, WRITE: False, "cancel:appointments": True}
    for count in (1, 2, 3):
        for asked in combinations(offered, count):
            assert bool(run(scope=asked).context.get("token")) == all(offered[scope] for scope in asked), asked


def test_the_address_chooses(as_eve: Client, calendar_api: API, web_app: App, billing_grant: ClientGrant) -> None:
    address = f"{page_of(calendar_api)}?application={web_app.client_id}&scope={READ}&scope=nosuch&scope=bad%20scope"

    page = as_eve.get(address).content.decode()

    assert f'<option value="{web_app.client_id}" selected>' in page
    assert "Not authorized" in page and "Not a scope of this API" in page and "bad scope" not in page
    assert re.search(f'value="{READ}"[^>]*checked', page)


def test_a_run_leads_back_to_its_own_address(run: Any, billing_grant: ClientGrant, billing_app: App) -> None:
    response = run(scope=[READ], client_secret=billing_app.secret)

    query = f"application={billing_app.client_id}&scope=read%3Aappointments"
    assert response["HX-Replace-Url"].endswith(f"/test/?{query}")
    assert billing_app.secret not in response["HX-Replace-Url"]


def test_the_test_application_comes_first(as_eve: Client, tenant: Tenant, by: Actor) -> None:
    api, test_application = set_up_api(tenant, by, name="New API", identifier="urn:new")
    app = make_app(tenant, by, name="A first one", app_type="non_interactive")
    authorize_application(app.row, api, by)

    assert as_eve.get(page_of(api)).context["chosen"] == test_application


def test_a_tenant_without_applications_is_told(as_eve: Client, calendar_api: API) -> None:
    assert "No application may use client credentials yet." in text_of(as_eve.get(page_of(calendar_api)))
    response = as_eve.post(page_of(calendar_api), {})
    assert response.status_code == 422 and "Choose an application." in text_of(response)


def test_the_last_five_runs_of_this_api_are_listed(
    run: Any, as_eve: Client, calendar_api: API, billing_grant: ClientGrant, ask: Any
) -> None:
    for _ in range(6):
        run()
    run(scope=[WRITE])
    ask(scope="real:request")

    listed = as_eve.get(page_of(calendar_api)).context["last_runs"]
    assert [entry.succeeded for entry in listed] == [False, True, True, True, True]


# Who may, and how much


def test_a_viewer_sees_the_form_and_why_it_is_off(
    as_bea: Client, calendar_api: API, billing_app: App, billing_grant: ClientGrant
) -> None:
    page = as_bea.get(page_of(calendar_api))

    assert "only editors and admins run tests. Your role is Viewer." in text_of(page)
    assert b'<fieldset class="bare" disabled>' in page.content
    assert as_bea.post(page_of(calendar_api), {"application": billing_app.client_id}).status_code == 403
    assert not LogEntry.objects.exists()


def test_strangers_and_other_tenants_find_nothing(
    as_cal: Client, client: Client, calendar_api: API, other_tenant: Tenant
) -> None:
    assert as_cal.get(page_of(calendar_api)).status_code == 404
    assert as_cal.get(f"/t/other/apis/{calendar_api.pk}/test/").status_code == 404
    assert as_cal.post(f"/t/other/apis/{calendar_api.pk}/test/", {"application": "x"}).status_code == 404
    assert client.get(page_of(calendar_api)).status_code == 302


def test_another_tenants_application_is_unknown(run: Any, other_tenant: Tenant, by: Actor) -> None:
    app = make_app(other_tenant, by, name="Foreign", app_type="non_interactive")

    response = run(application=app.client_id)

    assert "No application has this client ID." in text_of(response) and "Foreign" not in text_of(response)


@pytest.mark.parametrize("path", ["/t/main/apis/a%00b/test/", f"/t/main/apis/{'x' * 10_000}/test/"])
def test_an_id_that_cannot_be_is_not_found(as_eve: Client, path: str) -> None:
    assert as_eve.get(path).status_code in {400, 404}


@pytest.mark.parametrize(
    "values",
    [
        {"application": "a\x00b"},
        {"application": "x" * 10_000},
        {"scope": ["two words"]},
        {"scope": ["x" * 300]},
        {"audience": "x\x00"},
        {"audience": "x" * 700},
        {"client_secret": "x" * 10_000},
        {"client_secret": "x\x00"},
        {"fix": "drop_table"},
        {"body": "xml"},
        {"address": "x\x00"},
    ],
)
def test_what_no_form_sends_is_refused(run: Any, billing_grant: ClientGrant, values: dict[str, Any]) -> None:
    assert run(**values).status_code == 422
    assert not LogEntry.objects.exists()


def test_an_address_may_say_anything(as_eve: Client, calendar_api: API) -> None:
    for query in ("application=%00", f"application={'x' * 5000}", "scope=%00", "audience=%00&body=%00", "scope=%ff"):
        assert as_eve.get(f"{page_of(calendar_api)}?{query}").status_code == 200


def test_hostile_values_are_text(as_eve: Client, tenant: Tenant, by: Actor, billing_app: App) -> None:
    identifier = """urn:"'${x}{{ 7*7 }}&lt;{% now %}"""
    api = create_api(tenant, by, name="""A "b" & 'c' {{ 7*7 }}""", identifier=identifier)
    authorize_application(billing_app.row, api, by)

    issued = as_eve.post(page_of(api), {"application": billing_app.client_id}).content.decode()
    denied = as_eve.post(page_of(api), {"application": "<script>alert(1)</script>"}).content.decode()

    assert "<script>alert" not in denied and "&lt;script&gt;alert(1)" in denied
    assert "49" not in re.sub(r"[\w-]{20,}|\d{6,}", "", issued.partition("<h1>")[2].partition("</h1>")[0])
    assert json.dumps(identifier) in unescape(issued)


def test_thirty_runs_a_minute_and_no_more(
    run: Any, billing_grant: ClientGrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.time()
    monkeypatch.setattr("tokens.runs.time", SimpleNamespace(time=lambda: began, perf_counter=time.perf_counter))
    for _ in range(RUNS):
        assert run().status_code == 200
    response = run()

    assert response.status_code == 429 and "You may run 30 tests a minute" in text_of(response)
    assert LogEntry.objects.count() == RUNS


@pytest.mark.parametrize("count", [3, 30])
def test_queries_do_not_grow_with_rows(
    as_eve: Client, tenant: Tenant, calendar_api: API, by: Actor, count: int, django_assert_max_num_queries: Any
) -> None:
    add_scopes(calendar_api, by, [(f"scope:{number}", "") for number in range(count)])
    for number in range(count):
        app = make_app(tenant, by, name=f"App {number}", app_type="non_interactive")
        authorize_application(app.row, calendar_api, by, scopes=["scope:0"])
    as_eve.post(page_of(calendar_api), {"application": app.client_id})

    with django_assert_max_num_queries(12):
        as_eve.get(page_of(calendar_api))
    with django_assert_max_num_queries(38):
        as_eve.post(page_of(calendar_api), {"application": app.client_id})
