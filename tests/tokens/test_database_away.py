"""What is left of a server while its database is away, and after: a real one, stopped as a power cut stops it."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.commands.serving import environment_for, free_port, servers, stop, until_ready
from tests.load import Load, once, request_of
from tests.outside import Outside
from tests.postgresql import Cluster, cluster

pytestmark = pytest.mark.postgresql
# Any session cookie makes a page look into the database.
SIGNED_IN = {"Cookie": f"gatehouse={'a' * 32}"}


@dataclass
class Server:
    port: int
    process: Any
    output: Any
    database: Cluster
    outside: Outside

    def get(self, path, **headers):
        asked = http.client.HTTPConnection("localhost", self.port, timeout=30)
        asked.request("GET", path, headers={"Connection": "close", **headers})
        try:
            answer = asked.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            asked.close()

    def until_ready(self):
        deadline = time.monotonic() + 10
        while self.get("/readyz")[0] != 200:
            assert time.monotonic() < deadline, self.output.read_text()[-3000:]
            time.sleep(0.1)


@pytest.fixture
def database():
    with cluster() as database:
        yield database


@pytest.fixture
def start(database, tmp_path):
    """Start a server with two workers on the database; settings by name."""
    made = []
    port = free_port()
    environment = environment_for(tmp_path) | {
        "GATEHOUSE_ISSUER": f"http://localhost:{port}/",
        "DATABASE_URL": database.url,
    }
    with servers(environment, tmp_path) as serve:

        def start(**settings):
            process, output = serve("--port", port, "--workers", 2, **settings)
            until_ready(process, output)
            made.append(Server(port, process, output, database, Outside(environment)))
            return made[0]

        yield start
        for server in made:
            server.outside.close()
            assert stop(server.process) == 0
            assert "Traceback" not in server.output.read_text(), server.output.read_text()[-5000:]


def failed(seen):
    return [one for one in seen if one.status != 200]


def both_know(server, parameters):
    """Ask until both workers have the client in memory."""
    with Load(server.port, parameters):
        time.sleep(1)


def test_half_a_minute_without_a_database_fails_no_token_and_heals_by_itself(start):
    server = start()
    known = request_of(*server.outside.do("cast", "known"))
    unknown = request_of(*server.outside.do("cast", "unknown"))
    both_know(server, known)

    with Load(server.port, known, threads=3) as fresh, Load(server.port, known, threads=3, kept=True) as kept:
        time.sleep(1)
        server.database.stop()
        stopped_at = time.monotonic()
        time.sleep(2)

        status, said, headers = server.get("/readyz")
        assert status == 503 and headers["Retry-After"]
        assert "tokens are issued from memory until" in json.loads(said)["reason"]
        assert server.get("/healthz")[0] == 200
        for document in ("jwks.json", "openid-configuration", "oauth-authorization-server"):
            assert server.get(f"/.well-known/{document}")[0] == 200
        status, page, headers = server.get("/", **SIGNED_IN)
        assert status == 503 and "The database does not answer" in page and "issued from memory until" in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        answer = once(server.port, unknown)
        assert (answer.status, answer.body["error"]) == (503, "temporarily_unavailable")
        assert answer.answered - answer.asked < 1

        time.sleep(max(0, 30 - (time.monotonic() - stopped_at)))
        server.database.start()
        server.until_ready()
        time.sleep(1)

    assert not failed(fresh.seen + kept.seen), failed(fresh.seen + kept.seen)[:3]
    assert len(fresh.answered(since=stopped_at)) > 100 and len(kept.answered(since=stopped_at)) > 100
    # Each of the two workers says it once.
    lines = server.output.read_text().splitlines()
    assert len([line for line in lines if "The database does not answer; tokens" in line]) == 2
    assert len([line for line in lines if "The database answers again" in line]) == 2
    # Everything is as before: what was not in memory, what is written down, and what is changed.
    with Load(server.port, unknown) as load:
        time.sleep(1)
    assert not failed(load.seen)
    denied = once(server.port, unknown | {"scope": "no:such"})
    assert denied.status == 403 and denied.body["log_id"]
    server.outside.do("disable", known["client_id"])
    time.sleep(0.3)
    with Load(server.port, known) as load:
        time.sleep(0.5)
    assert load.seen and 200 not in {seen.status for seen in load.seen}


def test_a_long_absence_ends_in_503_but_keys_stay_published(start):
    server = start(GATEHOUSE_MAX_STALENESS="2")
    known = request_of(*server.outside.do("cast", "bounded"))
    both_know(server, known)

    with Load(server.port, known) as load:
        server.database.stop()
        stopped_at = time.monotonic()
        time.sleep(4)
        assert json.loads(server.get("/readyz")[1])["reason"] == "The database does not answer; no tokens are issued."
        for document in ("jwks.json", "openid-configuration"):
            assert server.get(f"/.well-known/{document}")[0] == 200
        assert server.get("/", **SIGNED_IN)[0] == 503
        server.database.start()
        server.until_ready()
        back_at = time.monotonic() + 1
        time.sleep(2)

    # The last reading is younger than the interval when the database goes.
    assert not failed(seen for seen in load.seen if seen.answered < stopped_at + 1.5)
    late = [seen for seen in load.answered(since=stopped_at + 2) if seen.answered < stopped_at + 4]
    assert late and {seen.status for seen in late} == {503}
    assert {seen.body["error"] for seen in late} == {"temporarily_unavailable"}
    assert not failed(load.answered(since=back_at))


def test_without_any_trust_in_memory_the_answer_is_503_at_once(start):
    server = start(GATEHOUSE_MAX_STALENESS="0")
    known = request_of(*server.outside.do("cast", "untrusting"))
    both_know(server, known)

    server.database.stop()
    time.sleep(0.5)

    assert once(server.port, known).status == 503
    server.database.start()
    server.until_ready()
    time.sleep(0.5)
    assert once(server.port, known).status == 200
