import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from apis.models import API, SigningAlgorithm
from apis.operations import add_scopes, create_api
from apis.quick_starts import BY_KEY, HS256, QUICK_STARTS, Values, cases, project, run_command
from apis.quoting import quoted
from audit.actors import Actor
from tests.tokens.pages import text_of

HOSTILE = """urn:it's "quoted" \\ $HOME ${x} #{y} {{ 7*7 }} %s `id` \\u0022 &lt;b&gt;"""
VALUES = Values("https://auth.example/", HOSTILE, "https://auth.example/.well-known/jwks.json", "RS256", "read:#{x}")


def page_of(api: API, framework: str = "") -> str:
    return f"/t/{api.tenant.name}/apis/{api.pk}/quick-start/" + (f"?fw={framework}" if framework else "")


@pytest.mark.parametrize("framework", [*BY_KEY, "any"])
@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "EdDSA"])
def test_every_framework_has_a_page_with_the_apis_own_values(
    as_bea: Client, tenant: Tenant, by: Actor, framework: str, algorithm: str
) -> None:
    api = create_api(tenant, by, name="Reports", identifier="urn:reports", signing_alg=algorithm)
    add_scopes(api, by, [("read:reports", "")])

    page = text_of(as_bea.get(page_of(api, framework)))

    for value in ("http://localhost:8000/", "urn:reports", algorithm):
        assert value in page
    assert ("http://localhost:8000/.well-known/jwks.json" in page) == (algorithm != HS256)
    if framework != "any":
        assert all(step in page for step in ("Install the library", "Require a scope on a route", "Call it"))
        assert "read:reports" in page and ("API_SIGNING_SECRET" in page) == (algorithm == HS256)


@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
@pytest.mark.parametrize("key", BY_KEY)
def test_the_code_names_every_value_and_leaves_no_gap(key: str, algorithm: str) -> None:
    values = Values(VALUES.issuer, VALUES.audience, VALUES.jwks, algorithm, VALUES.scope)
    found = project(BY_KEY[key], values)
    code = "\n".join(file.code for file in found) + run_command(BY_KEY[key], values).code

    assert "<<issuer" not in code and not re.search(r"<<[a-z_]+>>", code)
    language = found[-1].language
    assert quoted(language, HOSTILE) in code
    for value in (values.issuer, values.audience, values.scope):
        assert quoted(language, value) in code
    assert algorithm in code
    assert (quoted(language, values.jwks) in code) == (algorithm != HS256) or key == "aspnet"


def test_a_hostile_identifier_is_escaped_in_the_page_too(as_bea: Client, tenant: Tenant, by: Actor) -> None:
    api = create_api(tenant, by, name="Hostile", identifier=HOSTILE)

    page = as_bea.get(page_of(api, "flask")).content.decode()

    assert "{{ 7*7 }}" in page and "&amp;lt;b&amp;gt;" in page
    assert quoted("python", HOSTILE) in unescape(re.sub(r"<[^>]+>", "", page))


def test_hs256_comes_with_its_warning_and_never_the_secret(as_ada: Client, tenant: Tenant, by: Actor) -> None:
    api = create_api(tenant, by, name="Legacy", identifier="urn:legacy", signing_alg="HS256")

    page = as_ada.get(page_of(api, "express"))

    assert "Who can check can also forge" in text_of(page)
    assert api.reveal_signing_secret() not in page.content.decode()


@pytest.mark.parametrize("quick_start", QUICK_STARTS, ids=lambda one: one.key)
@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
def test_the_note_claims_what_the_suite_runs_and_no_more(
    as_bea: Client, tenant: Tenant, by: Actor, quick_start: Any, algorithm: str
) -> None:
    api = create_api(tenant, by, name="Reports", identifier="urn:reports", signing_alg=algorithm)

    page = text_of(as_bea.get(page_of(api, quick_start.key)))

    if algorithm in quick_start.cannot:
        assert f"{quick_start.library} does not check {algorithm}" in page
    assert (f"Tested with {algorithm}" in page) == (algorithm in quick_start.tested)
    assert ("Not verified" in page) == (algorithm not in {*quick_start.tested, *quick_start.cannot})
    if algorithm in quick_start.tested:
        assert ", ".join(cases(algorithm)) in page


def test_an_unknown_framework_shows_the_first(as_bea: Client, calendar_api: API) -> None:
    for asked in ("", "cobol", "%00", "x" * 5000, "<script>"):
        assert as_bea.get(page_of(calendar_api) + "?fw=" + asked).context["chosen"] == QUICK_STARTS[0].key


def test_an_api_without_scopes_says_so(as_bea: Client, tenant: Tenant, by: Actor, calendar_api: API) -> None:
    bare = create_api(tenant, by, name="Bare", identifier="urn:bare")

    assert "This API has no scopes yet" in text_of(as_bea.get(page_of(bare)))
    assert "This API has no scopes yet" not in text_of(as_bea.get(page_of(calendar_api)))


def test_strangers_and_other_tenants_find_nothing(
    as_cal: Client, client: Client, calendar_api: API, other_tenant: Tenant
) -> None:
    assert as_cal.get(page_of(calendar_api)).status_code == 404
    assert as_cal.get(f"/t/other/apis/{calendar_api.pk}/quick-start/").status_code == 404
    assert client.get(page_of(calendar_api)).status_code == 302


@pytest.mark.parametrize("api_id", ["a%00b", "x" * 10_000])
def test_an_id_that_cannot_be_is_not_found(as_bea: Client, tenant: Tenant, api_id: str) -> None:
    assert as_bea.get(f"/t/main/apis/{api_id}/quick-start/").status_code in {400, 404}


@pytest.mark.parametrize("count", [3, 30])
def test_queries_do_not_grow_with_rows(
    as_bea: Client, calendar_api: API, by: Actor, count: int, django_assert_max_num_queries: Any
) -> None:
    add_scopes(calendar_api, by, [(f"scope:{number}", "") for number in range(count)])

    with django_assert_max_num_queries(10):
        as_bea.get(page_of(calendar_api))
