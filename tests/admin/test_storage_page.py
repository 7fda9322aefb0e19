"""What operators see of the tables that grow."""

import datetime
import re
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from audit import clearing
from audit.models import Clearing
from config.storage import growing, stored, table_sizes
from tests.conftest import browser_of
from tokens.models import LogEntry, UsedAssertion
from tokens.operations import prune, use_assertion, write_log

PAGE = "/admin/storage/"


def row(page, name):
    """Return the cells of the table's row about `name`."""
    found = re.search(rf'<th scope="row">{re.escape(name)}</th>(.*?)</tr>', page.content.decode(), re.S)
    assert found, f"There is no row {name!r}."
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found[1], re.S)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


def log_entries(tenant, number, age=datetime.timedelta(0)):
    for _ in range(number):
        write_log(tenant, type="feccft", at=timezone.now() - age)


def test_a_stranger_is_sent_to_the_sign_in_page(client, tenant):
    assert client.get(PAGE)["Location"].startswith("/admin/login/")


def test_a_tenants_own_admin_is_refused(as_ada):
    assert as_ada.get(PAGE, follow=True).status_code == 403


def test_the_first_page_leads_to_it(as_opal):
    assert f'href="{PAGE}"' in as_opal.get("/admin/").content.decode()


def test_it_shows_rows_those_of_the_last_day_and_the_oldest(as_opal, tenant):
    log_entries(tenant, 2, datetime.timedelta(days=3))
    log_entries(tenant, 1)

    rows, size, day, oldest, kept, cleared = row(as_opal.get(PAGE), "Log of requests")

    assert (rows, day, kept, cleared) == ("3", "+1", "30 days", "Never")
    assert (timezone.now() - datetime.timedelta(days=3)).strftime("%Y") in oldest
    assert size == "Unknown" or size.endswith(("bytes", "KB", "MB"))


def test_the_database_says_how_many_bytes_a_table_has(tenant):
    before = table_sizes()["tokens_logentry"]
    LogEntry.objects.bulk_create(LogEntry(tenant=tenant, type="feccft", description="x" * 900) for _ in range(200))

    assert table_sizes()["tokens_logentry"] > before + 100_000


def test_it_shows_when_a_table_was_last_cleared(as_opal, tenant):
    old = timezone.now() - datetime.timedelta(days=31)
    LogEntry.objects.create(tenant=tenant, type="feccft", at=old, log_id=f"900{old:%Y%m%d%H%M%S%f}000000000")

    prune()

    rows, *_, cleared = row(as_opal.get(PAGE), "Log of requests")
    assert rows == "0" and cleared.endswith(", 1 row")


def test_assertions_that_expired_are_cleared_by_those_that_follow(tenant):
    past = timezone.now() - datetime.timedelta(minutes=5)
    UsedAssertion.objects.create(tenant=tenant, client_id="a", jti="old", expires_at=past)

    use_assertion(tenant, "a", "new", int(timezone.now().timestamp()) + 60)

    assert Clearing.objects.get(table="tokens_usedassertion").rows == 1


def test_sign_ins_that_expired_are_cleared(as_opal, ada):
    browser_of(ada)
    Session.objects.filter().update(expire_date=timezone.now() - datetime.timedelta(days=1))

    prune()

    assert not Session.objects.exists()


def test_clearing_often_is_noted_once_a_minute(db):
    clearing.cleared("some_table", 3)
    clearing.cleared("some_table", 4)
    clearing.cleared("another_table", 0)

    assert list(Clearing.objects.values_list("table", "rows")) == [("some_table", 3)]


@pytest.mark.parametrize("number", [0, 30])
def test_it_asks_as_often_however_much_there_is(as_opal, tenant, django_assert_num_queries, number):
    log_entries(tenant, number)

    # Each table, the cache, sizes in a savepoint, clearings.
    with django_assert_num_queries(len(growing()) + 5):
        stored()


def test_nothing_that_grows_is_named_twice(db):
    names = [table.name for table in stored()]

    assert len(names) == len(set(names)) and {"Activity", "Sign-ins", "Cache", "Usage, by the hour"} <= set(names)
