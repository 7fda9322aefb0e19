import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Tenant
from apis.models import API
from applications.models import ClientGrant
from tests.conftest import App
from tests.tokens.pages import link, text_of
from tokens.models import LogEntry
from tokens.views.logs import PER_PAGE

PAGE = "/t/main/logs/"


def entry(tenant: Tenant, **fields: Any) -> LogEntry:
    known = {
        "type": LogEntry.FAILURE,
        "description": "Billing is not authorized to call Calendar API.",
        "rule": "api.grant.required",
        "client_id": "billing",
        "client_name": "Billing",
        "audience": "https://calendar.example/",
        "api_name": "Calendar API",
    }
    return LogEntry.objects.create(tenant=tenant, **(known | fields))


def listed(response: HttpResponse) -> list[str]:
    return [row.log_id for row in response.context["rows"]]


def test_a_denial_is_listed_with_its_reason(as_bea: Client, ask: Any) -> None:
    log_id = ask().json()["log_id"]

    response = as_bea.get(PAGE)

    assert listed(response) == [log_id]
    assert "Denied Billing → Calendar API Billing is not authorized to call Calendar API." in text_of(response)


def test_the_newest_comes_first(as_bea: Client, tenant: Tenant) -> None:
    first, second, third = (entry(tenant) for _ in range(3))

    assert listed(as_bea.get(PAGE)) == [third.log_id, second.log_id, first.log_id]


def test_pages_hang_together_in_both_directions(as_bea: Client, tenant: Tenant) -> None:
    rows = [entry(tenant, log_id=f"{number:040d}").log_id for number in range(2 * PER_PAGE + 5)][::-1]
    one = as_bea.get(PAGE)
    two = as_bea.get(PAGE + one.context["older"])
    three = as_bea.get(PAGE + two.context["older"])

    assert listed(one) + listed(two) + listed(three) == rows
    assert not one.context["newer"] and not three.context["older"]
    assert listed(as_bea.get(PAGE + three.context["newer"])) == listed(two)
    assert listed(as_bea.get(PAGE + two.context["newer"])) == listed(one)


def test_new_entries_do_not_shift_a_page(as_bea: Client, tenant: Tenant) -> None:
    for number in range(PER_PAGE + 2):
        entry(tenant, log_id=f"{number:040d}")
    older = as_bea.get(PAGE).context["older"]
    entry(tenant, log_id="9" * 40)

    assert listed(as_bea.get(PAGE + older)) == [f"{1:040d}", f"{0:040d}"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=issued", {"issued"}),
        ("outcome=denied", {"denied", "test", "scope"}),
        ("rule=scope.unknown", {"scope"}),
        ("application=other", {"scope"}),
        ("api=urn%3Aother", {"test"}),
        ("tests=only", {"test"}),
        ("tests=without", {"issued", "denied", "scope"}),
        ("q=denied", {"denied"}),
        ("q=other", {"scope"}),
        ("q=NIGHT", {"scope"}),
        ("outcome=denied&tests=without&rule=scope.unknown", {"scope"}),
        ("outcome=nonsense&tests=nonsense", {"issued", "denied", "test", "scope"}),
        ("rule=nonsense", set()),
        ("q=%00%00", {"issued", "denied", "test", "scope"}),
    ],
)
def test_filters_narrow_the_list(as_bea: Client, tenant: Tenant, query: str, expected: set[str]) -> None:
    entry(tenant, log_id="issued", type=LogEntry.SUCCESS, rule="")
    entry(tenant, log_id="denied")
    entry(tenant, log_id="test", is_test=True, audience="urn:other")
    entry(tenant, log_id="scope", rule="scope.unknown", client_id="other", client_name="Nightly report")

    assert set(listed(as_bea.get(f"{PAGE}?{query}"))) == expected


def test_the_filters_are_kept_from_page_to_page(as_bea: Client, tenant: Tenant) -> None:
    for number in range(PER_PAGE + 1):
        entry(tenant, log_id=f"{number:040d}")

    assert as_bea.get(f"{PAGE}?rule=api.grant.required").context["older"].startswith("?rule=api.grant.required&before=")


def test_an_empty_log_says_what_will_be_there(as_bea: Client, tenant: Tenant) -> None:
    assert "Nothing to report" in text_of(as_bea.get(PAGE))
    assert "Nothing matches" in text_of(as_bea.get(PAGE + "?q=x"))


def test_the_detail_shows_how_it_was_decided_and_what_was_told(
    as_bea: Client, ask: Any, billing_grant: ClientGrant, billing_app: App, calendar_api: API
) -> None:
    told = ask(scope="write:appointments", headers={"User-Agent": "Mozilla/9 (billing)"}).json()

    response = as_bea.get(f"{PAGE}{told['log_id']}/")

    page = text_of(response)
    assert "Billing may use read:appointments; the request asked for write:appointments as well." in page
    assert "Denied here" in page and "Status 403." in page
    assert "127.0.0.1" in page and "Mozilla/9 (billing)" in page and billing_app.client_id in page
    assert json.loads(response.context["response"]) == told
    states = [step["state"] for step in response.context["trace"]]
    assert states == ["passed"] * 8 + ["failed", "skipped"]


def test_it_leads_to_the_test_tab_with_its_values(
    as_eve: Client, ask: Any, billing_grant: ClientGrant, billing_app: App, calendar_api: API
) -> None:
    log_id = ask(scope="write:appointments").json()["log_id"]

    address = link(as_eve.get(f"{PAGE}{log_id}/"), "Open Test with these values")

    assert address == (
        f"/t/main/apis/{calendar_api.pk}/test/?application={billing_app.client_id}&scope=write%3Aappointments"
    )
    assert re.search(r'value="write:appointments"[^>]*checked', as_eve.get(address).content.decode())


def test_an_unknown_audience_leads_to_the_api_it_resembles(as_eve: Client, ask: Any, calendar_api: API) -> None:
    log_id = ask(audience="https://calendar.example").json()["log_id"]

    address = link(as_eve.get(f"{PAGE}{log_id}/"), "Open Test with these values")

    assert address.startswith(f"/t/main/apis/{calendar_api.pk}/test/?")
    assert as_eve.get(address).context["asked"]["audience"] == "https://calendar.example"


def test_hostile_values_are_text(as_bea: Client, tenant: Tenant) -> None:
    bad = "<script>alert(1)</script>{{ 7*7 }}"
    told = {"user_agent": bad, "description": bad, "scope": bad}
    row = entry(tenant, client_id=bad, client_name="", audience=bad, api_name="", **told)

    for address in (PAGE, f"{PAGE}{row.log_id}/", PAGE + "?q=" + bad, PAGE + "?application=" + bad):
        page = as_bea.get(address).content.decode()
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_another_tenants_entries_are_not_found(as_bea: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = entry(other_tenant)

    assert as_bea.get(f"{PAGE}{foreign.log_id}/").status_code == 404
    assert as_bea.get(f"{PAGE}?q={foreign.log_id}").context["rows"] == []
    assert as_bea.get("/t/other/logs/").status_code == 404


@pytest.mark.parametrize("log_id", ["a%00b", "x" * 10_000, "nosuch"])
def test_an_id_that_cannot_be_is_not_found(as_bea: Client, tenant: Tenant, log_id: str) -> None:
    assert as_bea.get(f"{PAGE}{log_id}/").status_code in {400, 404}


def test_the_log_is_only_read(as_ada: Client, as_bea: Client, tenant: Tenant) -> None:
    row = entry(tenant)

    for address in (PAGE, f"{PAGE}{row.log_id}/"):
        assert as_ada.post(address).status_code == 405
        assert as_bea.post(address).status_code in {403, 405}


def test_strangers_sign_in_first(client: Client, tenant: Tenant) -> None:
    assert client.get(PAGE)["Location"].startswith("/account/sign-in/")


@pytest.mark.parametrize("count", [3, 30])
def test_queries_do_not_grow_with_rows(
    as_bea: Client, tenant: Tenant, count: int, django_assert_max_num_queries: Any
) -> None:
    rows = [entry(tenant) for _ in range(count)]

    with django_assert_max_num_queries(10):
        as_bea.get(PAGE)
    with django_assert_max_num_queries(12):
        as_bea.get(f"{PAGE}{rows[0].log_id}/")
