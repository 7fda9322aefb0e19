"""Quotas: exact, shared by all processes, announced in headers, and never taken for a request that gets nothing."""

import datetime
import json
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.db import DatabaseError, OperationalError, connection, transaction

from apis.operations import update_api
from applications.operations import update_application
from tests.conftest import make_app
from tokens import counters, operations
from tokens.counters import Window
from tokens.facts import Limits
from tokens.housekeeping import housekeeping
from tokens.models import LogEntry, QuotaCounter
from tokens.quotas import PAUSE, Quotas, headers_of, quotas

CLIENT, API = "Auth0-Client-Quota-Limit", "Gatehouse-API-Quota-Limit"
# 07:01:00 of a day: 3540 seconds are left of the hour, 61,140 of the day.
NOW = datetime.datetime(2026, 11, 21, 7, 1, tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def at_seven(monkeypatch):
    """The server's clock says 07:01."""
    monkeypatch.setattr("tokens.endpoints.token.time", SimpleNamespace(time=lambda: NOW, monotonic=lambda: 1.0))


@pytest.fixture
def limit(billing_app, by, billing_grant):
    def limit(**fields):
        update_application(billing_app.row, by, **{f"quota_{name}": value for name, value in fields.items()})

    return limit


def parties(per_hour=None, per_day=None, enforce=True, of_api=None):
    return (
        SimpleNamespace(client_id="client", quota=Limits(per_hour, per_day, enforce)),
        SimpleNamespace(id="api", quota=of_api),
    )


def issue(process, tenant, client_and_api, times=1, now=NOW):
    """Return how many of so many requests a process would issue."""
    issued = 0
    for _ in range(times):
        left = process.take(tenant.pk, *client_and_api, now)
        issued += not any(quota.exceeded and quota.enforced for quota in left)
    return issued


# On the wire


def test_without_a_quota_nothing_is_said(ask, billing_grant):
    answer = ask()

    assert CLIENT not in answer and API not in answer


def test_the_answer_says_what_is_left(ask, limit, at_seven):
    limit(per_hour=10, per_day=50)

    assert ask()[CLIENT] == "b=per_hour;q=10;r=9;t=3540,b=per_day;q=50;r=49;t=61140"
    assert ask()[CLIENT] == "b=per_hour;q=10;r=8;t=3540,b=per_day;q=50;r=48;t=61140"
    assert API not in ask()


def test_beyond_the_quota_it_is_429(ask, limit, at_seven):
    limit(per_hour=2)
    assert [ask().status_code for _ in range(2)] == [200, 200]

    refused = ask()

    assert refused.status_code == 429
    assert refused.json() | {"log_id": ""} == {
        "error": "too_many_requests",
        "error_description": "Client quota exceeded",
        "log_id": "",
    }
    assert refused[CLIENT] == "b=per_hour;q=2;r=0;t=3540"
    assert refused["Retry-After"] == "3540"
    assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("2", "0")
    assert refused["X-RateLimit-Reset"].isdigit()


def test_the_log_explains_it(ask, limit):
    limit(per_hour=1)
    ask()

    entry = LogEntry.objects.get(log_id=ask().json()["log_id"])

    assert entry.rule == "limit.quota" and "used up its quota of 1 for this hour" in entry.description
    assert entry.checks[-1]["id"] == "quota" and entry.checks[-1]["facts"]["quotas"][0]["remaining"] == 0


def test_the_quota_of_an_api_counts_all_applications(ask, limit, calendar_api, tenant, by, at_seven):
    from applications.operations import authorize_application

    other = make_app(tenant, by, name="Nightly", app_type="non_interactive")
    authorize_application(other.row, calendar_api, by)
    update_api(calendar_api, by, quota_per_day=2)

    assert ask()[API] == "b=per_day;q=2;r=1;t=61140"
    assert ask(client_id=other.client_id, client_secret=other.secret).status_code == 200
    refused = ask()
    assert (refused.status_code, refused.json()["error_description"]) == (429, "API quota exceeded")


def test_a_request_that_is_refused_takes_nothing(ask, limit, calendar_api, by, at_seven):
    limit(per_hour=5)
    update_api(calendar_api, by, quota_per_hour=1)
    ask(client_secret="wrong")
    ask(scope="write:appointments")
    assert ask()[CLIENT] == "b=per_hour;q=5;r=4;t=3540"

    for _ in range(3):
        assert ask()[CLIENT] == "b=per_hour;q=5;r=4;t=3540"


def test_more_may_be_had_as_soon_as_the_quota_is_raised_or_taken_away(ask, limit, at_seven):
    limit(per_hour=1)
    assert [ask().status_code for _ in range(2)] == [200, 429]
    limit(per_hour=2)
    assert [ask().status_code for _ in range(2)] == [200, 429]
    limit(per_hour=None)
    assert ask().status_code == 200


def test_an_observed_quota_refuses_nothing_and_says_so_in_the_log(ask, limit, as_bea, tenant, at_seven):
    limit(per_hour=5, enforce=False)
    answers = [ask() for _ in range(7)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1][CLIENT] == "b=per_hour;q=5;r=0;t=3540"

    assert housekeeping.tidy()

    warnings = tenant.log_entries.filter(type="token_quota_consumption_warning").order_by("log_id")
    assert [entry.description for entry in warnings] == [
        "60% of client per_hour quota consumed",
        "80% of client per_hour quota consumed",
        "100% of client per_hour quota consumed",
    ]
    assert warnings[0].details | {"entity_id": ""} == {
        "bucket": "per_hour",
        "entity_type": "client",
        "entity_id": "",
        "quota": 5,
        "quota_consumption": 3,
        "quota_consumption_percentage": 60,
    }
    assert "60% of client per_hour" in as_bea.get("/t/main/logs/").content.decode()
    assert "Quota in use" in as_bea.get(f"/t/main/logs/{warnings[0].log_id}/").content.decode()


# Windows and leases


def test_a_window_ends_with_the_hour_of_the_clock(tenant):
    both = parties(per_hour=3, per_day=4)

    assert issue(quotas, tenant, both, 5, NOW) == 3
    assert issue(quotas, tenant, both, 5, NOW + 3539) == 0
    assert issue(quotas, tenant, both, 5, NOW + 3540) == 1
    assert issue(quotas, tenant, both, 5, NOW + 86400) == 3


def test_two_processes_issue_exactly_the_quota(tenant):
    processes, terms, issued = (Quotas(), Quotas()), parties(per_hour=1000), [0, 0]
    for turn in range(3000):
        issued[turn % 2] += issue(processes[turn % 2], tenant, terms)

    assert sum(issued) <= 1000
    for process in processes:
        process.tidy(NOW, stopping=True)
    rest = issue(Quotas(), tenant, terms, 1000)
    assert sum(issued) + rest == 1000
    assert QuotaCounter.objects.get().taken == 1000


def test_tokens_cost_few_questions(tenant):
    terms = parties(per_hour=100_000)
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        assert issue(quotas, tenant, terms, 5000) == 5000

    assert len(asked) <= 6


def test_a_quota_that_is_used_up_is_not_asked_for_each_time(tenant, django_assert_num_queries):
    terms = parties(per_hour=1)
    issue(quotas, tenant, terms, 2)

    with django_assert_num_queries(0):
        assert issue(quotas, tenant, terms, 100) == 0


def test_an_idle_process_gives_back_what_it_holds(tenant):
    idle, busy, terms = Quotas(), Quotas(), parties(per_hour=1000)
    issue(idle, tenant, terms)
    held = QuotaCounter.objects.get().taken
    assert held > 1

    idle.tidy(NOW)
    assert QuotaCounter.objects.get().taken == held
    idle.tidy(NOW)
    assert QuotaCounter.objects.get().taken == 1
    assert issue(busy, tenant, terms, 1000) == 999
    assert issue(idle, tenant, terms) == 0


def test_a_window_that_is_over_is_forgotten(tenant):
    issue(quotas, tenant, parties(per_hour=10))

    quotas.tidy(NOW + 3600)

    assert not quotas._accounts


def test_lowering_a_quota_takes_effect_on_what_is_held(tenant):
    issue(quotas, tenant, parties(per_hour=1000), 5)

    assert issue(quotas, tenant, parties(per_hour=6), 10) == 1


def test_while_the_database_is_away_tokens_are_issued_and_counted_later(tenant, monkeypatch):
    terms = parties(per_hour=100)
    assert issue(quotas, tenant, terms, 5) == 5
    with connection.execute_wrapper(_away):
        assert issue(quotas, tenant, terms, 5) == 5
        quotas.tidy(NOW)
        # Never more than a quota's worth, however long it takes.
        assert issue(quotas, tenant, terms, 200) == 90
    quotas.tidy(NOW)

    assert QuotaCounter.objects.get().taken == 100
    assert issue(quotas, tenant, terms) == 0


def _away(execute, sql, params, many, context):
    raise DatabaseError("The database is away.")


def test_headers_of_two_quotas_name_the_one_that_takes_longest():
    process = Quotas()
    terms = parties(per_hour=1, per_day=1)
    window = QuotaCounterInMemory()
    left = window.used_up(process, terms)

    assert headers_of(left)["Retry-After"] == "61140"


class QuotaCounterInMemory:
    """Leases without a database, for what is only arithmetic."""

    def used_up(self, process, terms):
        for account in process._of(1, "client", "client", terms[0].quota, NOW):
            account._asleep_until = float("inf")
        return process.take(1, *terms, NOW)


# The counters themselves


WINDOW = Window(0, "client", "client", "per_hour", int(NOW) - 60, int(NOW) + 3540)


@pytest.fixture(params=["database", "cache"])
def counter(request, tenant, settings):
    """A window of a counter on either store."""
    if request.param == "cache":
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        settings.GATEHOUSE_COUNTERS_IN_CACHE = True
        caches["default"].clear()
    return WINDOW._replace(tenant=tenant.pk)


def test_a_lease_never_goes_beyond_the_limit(counter):
    got = [counters.lease(counter, 4, 10)[0] for _ in range(8)]

    assert sum(got) == 10 and got[:2] == [4, 4]
    assert counters.lease(counter, 1, 10) == (0, 10)


def test_what_is_given_back_can_be_leased_again(counter):
    counters.lease(counter, 10, 10)
    counters.add(counter, -3)

    assert sum(counters.lease(counter, 2, 10)[0] for _ in range(5)) == 3


def test_without_a_limit_everything_is_counted(counter):
    assert counters.lease(counter, 7, None) == (7, 7)
    counters.add(counter, 5)
    assert counters.lease(counter, 1, None) == (1, 13)


@pytest.mark.django_db(transaction=True)
def test_threads_that_lease_at_once_get_the_limit_together(by):
    from accounts.operations import create_tenant

    tenant = create_tenant("leases", "https://leases.example/", by)
    window, granted = WINDOW._replace(tenant=tenant.pk), []

    def work():
        for _ in range(30):
            granted.append(operations.lease_quota(window.tenant, window.name, window.began, 3, 100)[0])
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(granted) == 100


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_dropped_is_made_anew(by):
    from accounts.operations import create_tenant

    tenant = create_tenant("leases", "https://leases.example/", by)
    dropped = []

    def drop_once(execute, sql, params, many, context):
        if not dropped:
            dropped.append(sql)
            raise OperationalError("The connection is closed.")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(drop_once):
        assert counters.lease(WINDOW._replace(tenant=tenant.pk), 1, 10) == (1, 1)
    assert dropped and PAUSE > 0


def test_a_lease_that_is_rolled_back_was_never_taken(tenant):
    with pytest.raises(RuntimeError), transaction.atomic():
        operations.lease_quota(tenant.pk, "x", int(NOW), 1, 10)
        raise RuntimeError

    assert not QuotaCounter.objects.exists()


# Settings


@pytest.mark.parametrize("of", ["application", "api"])
def test_a_quota_is_set_on_the_settings_page(as_eve, of, billing_app, calendar_api):
    address, row = {
        "application": (f"/t/main/applications/{billing_app.client_id}/settings/", billing_app.row),
        "api": (f"/t/main/apis/{calendar_api.pk}/settings/", calendar_api),
    }[of]
    page = as_eve.get(address)
    assert "Token quota" in page.content.decode()
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    kept = {name: value for name, value in values.items() if value not in (None, False)}

    saved = as_eve.post(address, kept | {"quota_per_hour": "10", "quota_per_day": "2147483647"})

    assert saved.status_code == 302
    row.refresh_from_db()
    assert (row.quota_per_hour, row.quota_per_day, row.quota_enforce) == (10, 2147483647, True)
    page = as_eve.get(address).content.decode()
    assert 'value="2147483647"' in page


def test_the_system_api_has_no_quota(as_eve, tenant):
    api = tenant.apis.get(is_system=True)

    assert "Token quota" not in as_eve.get(f"/t/main/apis/{api.pk}/settings/").content.decode()


def test_a_change_of_a_quota_is_in_the_history(limit, tenant):
    from audit.models import Event

    limit(per_hour=10)

    assert '"quota_per_hour": 10' in json.dumps(Event.objects.order_by("-pk").first().details)
