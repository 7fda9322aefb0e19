"""Counting: exact, cheap, added up over all processes, and shown."""

import datetime
import json
import os
import subprocess
import sys
import threading
import time
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request as URLRequest
from urllib.request import urlopen

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from apis.operations import create_api
from applications.models import Credential
from applications.operations import authorize_application
from tests.commands.serving import ROOT, environment, port, serve, stop, until_ready
from tests.commands.test_serve_on_postgresql import database
from tests.conftest import make_app
from tokens import operations
from tokens.facts import Authentication
from tokens.housekeeping import housekeeping
from tokens.models import ISSUED, LogEntry, QuotaCounter, UsageBucket
from tokens.usage import MOST, Bucket, Usage, moment, usage

__all__ = ["database", "environment", "port", "serve"]
NOW = 1_800_000_000.0


def stored(tenant, **fields):
    return sum(tenant.usage.filter(**fields).values_list("count", flat=True))


def test_tokens_and_refusals_are_counted(ask, billing_grant, billing_app, calendar_api, tenant):
    for changes in ({}, {}, {"client_secret": "wrong"}, {"client_id": "nobody"}, {"scope": "write:appointments"}):
        ask(**changes)
    assert usage.flush()

    found = set(tenant.usage.values_list("client_id", "api_id", "outcome", "count"))
    known = (billing_app.client_id, calendar_api.pk)
    assert found == {
        (*known, ISSUED, 2),
        (*known, "client.auth.failed", 1),
        ("", calendar_api.pk, "client.unknown", 1),
        (*known, "scope.not_granted", 1),
    }


def test_counting_asks_nothing_of_the_database(tenant, django_assert_num_queries):
    with django_assert_num_queries(0):
        usage.count(tenant.pk, "client", "api", ISSUED, NOW)
        usage.used(Authentication("client_secret_post", True, "", secret_id=1), NOW)


def test_a_flush_of_nothing_asks_nothing_of_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert usage.flush()


def test_counting_is_cheap():
    counts = Usage()
    began = time.perf_counter()
    for _ in range(100_000):
        counts.count(1, "client", "api", ISSUED, NOW)
    each = (time.perf_counter() - began) / 100_000

    # A busy machine is given ten times what it takes.
    assert each < 10e-6
    assert counts.pending == 100_000


def test_threads_lose_nothing():
    counts = Usage()

    def work(name):
        for number in range(20_000):
            counts.count(1, name, f"api-{number % 3}", ISSUED, NOW)

    threads = [threading.Thread(target=work, args=("client",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts.pending == 80_000


def test_counts_of_processes_add_up(tenant):
    first, second = Usage(), Usage()
    for process, number in ((first, 3), (second, 4), (first, 5)):
        for index in range(number):
            process.count(tenant.pk, "client", "api", ISSUED, NOW + index)
        assert process.flush()

    [bucket] = tenant.usage.all()
    assert (bucket.count, bucket.hour, bucket.last_at) == (12, moment(NOW // 3600 * 3600), moment(NOW + 4))


def test_an_earlier_flush_does_not_take_back_the_last_moment(tenant):
    for last in (NOW + 100, NOW + 5):
        operations.add_usage([(Bucket(tenant.pk, "client", "api", ISSUED, int(NOW // 3600)), 1, moment(last))])

    assert tenant.usage.get().last_at == moment(NOW + 100)


def test_hours_are_apart(tenant):
    for at in (NOW, NOW + 3600, NOW + 7200):
        usage.count(tenant.pk, "client", "api", ISSUED, at)
    usage.flush()

    assert tenant.usage.count() == 3


def test_nothing_is_lost_while_the_database_is_away(tenant):
    usage.count(tenant.pk, "client", "api", ISSUED, NOW)
    usage.used(Authentication("client_secret_post", True, "", secret_id=1), NOW)

    with connection.execute_wrapper(_away):
        assert not usage.flush()
        usage.count(tenant.pk, "client", "api", ISSUED, NOW + 1)
        assert not usage.flush()
    usage.count(tenant.pk, "client", "api", ISSUED, NOW + 2)
    assert usage.flush()

    assert stored(tenant) == 3
    assert tenant.usage.get().last_at == moment(NOW + 2)
    assert usage.pending == 0


def _away(execute, sql, params, many, context):
    raise DatabaseError("The database is away.")


def test_what_is_kept_meanwhile_is_bounded(monkeypatch, caplog):
    monkeypatch.setattr("tokens.usage.MOST", 10)
    counts = Usage()
    for number in range(100):
        counts.count(1, f"client-{number}", "api", ISSUED, NOW)
    counts.count(1, "client-0", "api", ISSUED, NOW)

    assert counts.pending == 11 and MOST > 10
    assert caplog.text.count("not counted in full") == 1


def test_usage_of_a_tenant_that_is_gone_is_no_obstacle(tenant):
    usage.count(tenant.pk + 1000, "client", "api", ISSUED, NOW)
    usage.count(tenant.pk, "client", "api", ISSUED, NOW)

    assert usage.flush() and stored(tenant) == 1


def test_the_last_use_of_a_secret_is_stored(ask, billing_grant, billing_app):
    ask()
    usage.flush()

    [secret] = billing_app.row.secrets.all()
    assert timezone.now() - secret.last_used_at < datetime.timedelta(seconds=10)


def test_a_wrong_secret_is_no_use(ask, billing_grant, billing_app):
    ask(client_secret="wrong")
    usage.flush()

    assert billing_app.row.secrets.get().last_used_at is None


@pytest.mark.parametrize(("later", "written"), [(59, False), (60, True)])
def test_a_last_use_is_written_when_it_is_a_minute_newer(billing_app, later, written):
    secret = billing_app.row.secrets.get()
    for process, at in ((Usage(), NOW), (Usage(), NOW + later)):
        process.used(Authentication("client_secret_post", True, "", secret_id=secret.pk), at)
        assert process.flush()

    secret.refresh_from_db()
    assert secret.last_used_at == moment(NOW + later if written else NOW)


def test_the_last_use_of_a_key_is_stored(billing_app):
    key = Credential.objects.create(application=billing_app.row, kid="k", alg="RS256", public_jwk={})
    usage.used(Authentication("private_key_jwt", True, "", key_id=key.pk), NOW)
    usage.flush()

    key.refresh_from_db()
    assert key.last_used_at == moment(NOW)


def test_what_is_old_is_cleared_away_a_few_rows_at_a_time(tenant, settings, monkeypatch):
    monkeypatch.setattr("tokens.operations.PRUNED_AT_ONCE", 3)
    now = timezone.now()
    for days in (29, 31, 32, 33, 34):
        at = now - datetime.timedelta(days=days)
        LogEntry.objects.create(log_id=f"900{at:%Y%m%d%H%M%S%f}000000001", tenant=tenant, type="feccft")
    for days in (399, 401):
        began = now - datetime.timedelta(days=days)
        UsageBucket.objects.create(tenant=tenant, outcome=ISSUED, hour=began, count=1, last_at=began)
    for hours in (1, 50):
        QuotaCounter.objects.create(tenant=tenant, name="x", started_at=now - datetime.timedelta(hours=hours), taken=1)

    assert operations.prune()
    assert LogEntry.objects.count() == 2
    assert not operations.prune()
    assert (LogEntry.objects.count(), UsageBucket.objects.count(), QuotaCounter.objects.count()) == (1, 1, 1)


def test_housekeeping_stores_what_was_counted(tenant):
    usage.count(tenant.pk, "client", "api", ISSUED, NOW)

    assert housekeeping.tidy(stopping=True)
    assert stored(tenant) == 1


# Pages


def fill(tenant, number, by):
    """Make APIs and applications that all have been busy."""
    for index in range(number):
        api = create_api(tenant, by, name=f"API {index:03}", identifier=f"https://api-{index}.example/")
        app = make_app(tenant, by, name=f"App {index:03}", app_type="non_interactive").row
        authorize_application(app, api, by)
        for back in range(3):
            usage.count(tenant.pk, app.client_id, api.pk, ISSUED, time.time() - 3600 * back)
    usage.flush()


@pytest.mark.parametrize("number", [3, 30])
@pytest.mark.parametrize("place", ["/t/main/apis/?q=a", "/t/main/applications/?q=a", "machine-to-machine"])
def test_pages_ask_for_usage_once(as_bea, tenant, by, place, number, calendar_api, django_assert_max_num_queries):
    fill(tenant, number, by)
    address = f"/t/main/apis/{calendar_api.pk}/machine-to-machine/?q=a" if place == "machine-to-machine" else place

    with django_assert_max_num_queries(12):
        assert as_bea.get(address).status_code == 200


def test_the_lists_show_the_last_day(as_bea, tenant, billing_app, calendar_api, billing_grant):
    for back, number in ((0, 1200), (23, 34), (24, 5)):
        hour = int(time.time() // 3600) - back
        bucket = Bucket(tenant.pk, billing_app.client_id, calendar_api.pk, ISSUED, hour)
        operations.add_usage([(bucket, number, timezone.now())])
    usage.count(tenant.pk, billing_app.client_id, calendar_api.pk, "scope.not_granted", time.time())
    usage.flush()

    apis, applications = (as_bea.get(f"/t/main/{name}/") for name in ("apis", "applications"))

    [api] = [api for api in apis.context["page"] if api.pk == calendar_api.pk]
    assert (len(api.last_day.hours), api.last_day.hours[0], api.last_day.hours[-1]) == (24, 34, 1200)
    for page in (apis, applications):
        assert "1,234" in page.content.decode() and "Tokens per hour, last 24 hours" in page.content.decode()


def test_usage_of_another_tenant_is_not_shown(as_bea, tenant, other_tenant, calendar_api):
    usage.count(other_tenant.pk, "client", calendar_api.pk, ISSUED, time.time())
    usage.flush()

    [api] = [api for api in as_bea.get("/t/main/apis/").context["page"] if api.pk == calendar_api.pk]
    assert api.last_day.total == 0


def test_machine_to_machine_shows_the_last_token(as_bea, ask, billing_grant, calendar_api):
    address = f"/t/main/apis/{calendar_api.pk}/machine-to-machine/"
    assert ">never<" in as_bea.get(address).content.decode()
    ask()
    usage.flush()

    [row] = as_bea.get(address).context["page"]
    assert timezone.now() - row.last_token_at < datetime.timedelta(seconds=10)


def test_the_credentials_page_shows_the_last_use(as_bea, ask, billing_grant, billing_app):
    address = f"/t/main/applications/{billing_app.client_id}/credentials/"
    assert "no use seen" in as_bea.get(address).content.decode()
    ask()
    usage.flush()

    assert "last used" in as_bea.get(address).content.decode()


# Real processes


SET_UP = """
import json
from accounts.models import Tenant
from applications.operations import authorize_application, create_application
from apis.operations import create_api
from audit.actors import command
tenant, by = Tenant.objects.get(), command("test")
api = create_api(tenant, by, name="Calendar", identifier="https://calendar.example/", signing_alg="HS256")
app, secret = create_application(tenant, by, name="Billing", **json.loads({fields!r}))
authorize_application(app, api, by)
print("MADE", json.dumps([app.client_id, secret]))
"""
READ = """
import json
from tokens.models import UsageBucket, QuotaCounter
from applications.models import ClientSecret
print("FOUND", json.dumps([
    list(UsageBucket.objects.values_list("outcome", "count")),
    list(QuotaCounter.objects.values_list("taken", flat=True)),
    ClientSecret.objects.get().last_used_at is not None,
]))
"""


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=[
                pytest.mark.postgresql,
                pytest.mark.skipif(
                    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
                    reason="DATABASE_URL names no PostgreSQL server",
                ),
            ],
        ),
    ]
)
def store(request, environment):
    """Where the real processes keep things: each store in its turn, empty."""
    if request.param == "postgresql":
        environment["DATABASE_URL"] = request.getfixturevalue("database")


@pytest.fixture
def shell(store, environment, port):
    """Run Python beside the servers, on their database."""

    def shell(code, mark, **changed):
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
            cwd=ROOT,
            env={**environment, "GATEHOUSE_ISSUER": f"http://localhost:{port}/", **changed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        [line] = [line for line in done.stdout.splitlines() if line.startswith(mark)]
        return json.loads(line.removeprefix(mark))

    return shell


def post(port, client_id, secret):
    body = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "audience": "https://calendar.example/",
        }
    ).encode()
    try:
        with urlopen(URLRequest(f"http://localhost:{port}/oauth/token", body), timeout=30) as answer:
            return answer.status
    except HTTPError as refused:
        refused.close()
        return refused.code


def ask_from_threads(port, made, each, threads=4):
    """Return the statuses of so many requests; each has a connection of its own, to whichever worker takes it."""
    statuses = []

    def work():
        for _ in range(each):
            statuses.append(post(port, *made))

    working = [threading.Thread(target=work) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return statuses


def test_counts_of_two_workers_are_exact_after_a_clean_stop(store, serve, port, shell):
    process, output = serve("--port", port, "--workers", 2)
    until_ready(process, output)
    made = shell(SET_UP.format(fields="{}"), "MADE")
    statuses = ask_from_threads(port, made, 45)
    wrong = post(port, made[0], "wrong")

    # At once: what the last two seconds brought is still in memory only.
    assert stop(process) == 0

    counts, _, secret_used = shell(READ, "FOUND")
    assert (statuses.count(200), wrong) == (180, 401)
    assert sorted(counts) == [["client.auth.failed", 1], [ISSUED, 180]]
    assert secret_used
    assert "Traceback" not in output.read_text() and "without storing" not in output.read_text()


def test_two_workers_never_issue_more_than_the_quota(store, serve, port, shell):
    process, output = serve("--port", port, "--workers", 2)
    until_ready(process, output)
    made = shell(SET_UP.format(fields='{"quota_per_day": 150}'), "MADE")

    statuses = ask_from_threads(port, made, 45)

    # What one worker has left in advance it gives back when it has nothing to do; then the other one gets it.
    deadline = time.monotonic() + 15
    while statuses.count(200) < 150 and time.monotonic() < deadline:
        time.sleep(0.5)
        statuses.append(post(port, *made))
    statuses += [post(port, *made) for _ in range(10)]
    assert stop(process) == 0
    counts, taken, _ = shell(READ, "FOUND")
    assert statuses.count(200) == 150 and set(statuses) == {200, 429}
    assert dict(counts)[ISSUED] == 150
    assert taken == [150]
