"""Guessing is slowed down, and nobody is locked out by it."""

import pytest

from tests.conftest import make_app
from tokens.models import LogEntry
from tokens.wrong_credentials import PER_CLIENT, PER_NETWORK, SECONDS, Limiter, limiter, network_of


@pytest.fixture
def guess(ask):
    def guess(number=1, ip="192.0.2.7", **changes):
        return [ask(headers={"X-Forwarded-For": ip}, client_secret="wrong", **changes) for _ in range(number)][-1]

    return guess


def test_wrong_ones_are_refused_after_twenty_in_a_minute(guess):
    assert guess(PER_CLIENT).status_code == 401

    refused = guess()

    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
    assert 1 <= int(refused["Retry-After"]) <= SECONDS
    assert "WWW-Authenticate" not in refused


def test_the_right_one_always_gets_through(guess, ask, billing_grant):
    assert guess(PER_CLIENT + 5).status_code == 429

    assert ask(headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200
    assert guess().status_code == 429


def test_another_client_and_another_network_are_not_refused(guess, tenant, by, ask):
    other = make_app(tenant, by, name="Nightly", app_type="non_interactive")
    assert guess(PER_CLIENT + 1).status_code == 429

    assert guess(client_id=other.client_id).status_code == 401
    assert guess(ip="198.51.100.7").status_code == 401


def test_a_known_client_cannot_be_told_from_an_unknown_one(guess):
    known = [guess().status_code for _ in range(PER_CLIENT + 2)]
    limiter.clear()
    unknown = [guess(client_id="nobody").status_code for _ in range(PER_CLIENT + 2)]

    assert known == unknown


def test_made_up_clients_of_one_network_are_refused_together(guess):
    for number in range(PER_NETWORK):
        guess(client_id=f"guess-{number}")

    assert guess(client_id="another").status_code == 429
    assert guess(client_id="another", ip="198.51.100.7").status_code == 401


def test_the_log_says_so_once(guess, tenant):
    guess(PER_CLIENT)
    before = tenant.log_entries.count()

    answers = [guess() for _ in range(5)]

    entry = tenant.log_entries.get(rule="limit.credentials")
    assert {answer.json()["log_id"] for answer in answers} == {entry.log_id}
    assert tenant.log_entries.count() == before + 1
    assert "192.0.2.0/24" in entry.description
    assert entry.type == LogEntry.FAILURE and entry.details["response"]["status"] == 429


def test_a_minute_later_it_begins_anew():
    limits = Limiter()
    waits = [limits.wrong(1, "client", "192.0.2.0/24", 1000.0) for _ in range(PER_CLIENT + 1)]

    assert waits == [0] * PER_CLIENT + [SECONDS]
    assert limits.wrong(1, "client", "192.0.2.0/24", 1000.0 + SECONDS - 1) == 1
    assert limits.wrong(1, "client", "192.0.2.0/24", 1000.0 + SECONDS) == 0


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("tokens.wrong_credentials.REMEMBERED", 50)
    limits = Limiter()
    for number in range(500):
        limits.wrong(1, "client", f"192.0.{number}.0/24", 0.0)

    assert len(limits._seen) == 50


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_networks(ip, network):
    assert network_of(ip) == network
