"""Every worker follows every change within the bound, and asks the database for nothing in between."""

import http.client
import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from accounts.versions import BOUND, versions
from apis.operations import create_api
from applications.operations import authorize_application
from tests.commands.serving import environment_for, free_port, servers, stop, until_ready, workers_of
from tests.conftest import HOST
from tests.load import Load, request_of
from tests.outside import Outside
from tokens import memory

# Beyond the bound, so much longer is watched.
AFTER = 0.6


@dataclass
class Server:
    port: int
    process: Any
    outside: Outside

    def jwks(self):
        asked = http.client.HTTPConnection("localhost", self.port, timeout=10)
        asked.request("GET", "/.well-known/jwks.json", headers={"Connection": "close"})
        try:
            return {key["kid"] for key in json.loads(asked.getresponse().read())["keys"]}
        finally:
            asked.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with two workers, and somebody who changes things from another process."""
    folder = tmp_path_factory.mktemp("staleness")
    port = free_port()
    environment = environment_for(folder) | {"GATEHOUSE_ISSUER": f"http://localhost:{port}/"}
    with servers(environment, folder) as serve:
        process, output = serve("--port", port, "--workers", 2)
        until_ready(process, output)
        outside = Outside(environment)
        yield Server(port, process, outside)
        outside.close()
        assert stop(process) == 0


def allowed(seen):
    return seen.status == 200


def reading_and_writing(seen):
    return seen.status == 200 and seen.body["scope"] == "read:all write:all"


# What is done, to what (the client or the API), and how an answer looks that does not know of it yet.
CHANGES = {
    "delete_grant": (0, allowed),
    "narrow_grant": (0, reading_and_writing),
    "revoke_secret": (0, allowed),
    "rotate_secret": (0, allowed),
    "delete_scope": (2, reading_and_writing),
    "disable": (0, allowed),
    "delete_application": (0, allowed),
    "delete_api": (2, allowed),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_worker_follows_within_the_bound(server, change):
    names = server.outside.do("cast", change)
    named, is_old = CHANGES[change]
    before = busy(server)

    with Load(server.port, request_of(*names)) as load:
        time.sleep(0.5)
        server.outside.do(change, names[named])
        stored_at = server.outside.stored_at
        time.sleep(BOUND + AFTER)

    assert all(is_old(seen) for seen in load.seen if seen.answered < stored_at - BOUND)
    late = load.answered(since=stored_at + BOUND)
    assert len(late) > 10 and not any(is_old(seen) for seen in late)
    assert {seen.status for seen in load.seen} <= {200, 401, 403, 429}
    # Both workers answered, so both followed.
    assert all(after > before[worker] for worker, after in busy(server).items())


def test_every_worker_signs_with_the_new_key_within_the_bound(server):
    names = server.outside.do("cast", "rotation")

    with Load(server.port, request_of(*names)) as load:
        time.sleep(0.5)
        old = server.outside.do("rotate")
        stored_at = server.outside.stored_at
        time.sleep(BOUND + AFTER)

    late = load.answered(since=stored_at + BOUND)
    assert {seen.status for seen in load.seen} == {200}
    assert len(late) > 10
    assert old in {kid_of(seen) for seen in load.seen}
    assert old not in {kid_of(seen) for seen in late}


def test_no_worker_publishes_a_revoked_key_after_the_bound(server):
    old = server.outside.do("rotate")
    deadline = server.outside.stored_at + BOUND
    while time.monotonic() < deadline:
        server.jwks()
    assert old in server.jwks()

    server.outside.do("revoke_key", old)
    time.sleep(max(0, server.outside.stored_at + BOUND - time.monotonic()))

    assert all(old not in server.jwks() for _ in range(12))


def kid_of(seen):
    return jwt.get_unverified_header(seen.body["access_token"])["kid"]


def busy(server):
    """Return how much each worker has computed so far, in ticks of the clock."""

    def ticks(pid):
        with open(f"/proc/{pid}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13]))

    if not os.path.isdir("/proc/self"):
        return {}
    return {pid: ticks(pid) for pid in workers_of(server.process)}


# In one process: what a request costs once everything is in memory.


@pytest.fixture
def watched(transactional_db, monkeypatch):
    """This process as one whose watcher has just looked."""
    monkeypatch.setattr(type(versions), "is_watched", True)
    monkeypatch.setattr("accounts.versions.BOUND", 60)
    memory.forget()
    versions.forget()


@pytest.fixture
def served(calendar_api, billing_app, billing_grant):
    """Ask the application that a server runs; returns the status line."""
    from io import BytesIO

    from config.wsgi import application

    def ask(method="POST", path="/oauth/token", **changes):
        body = urlencode(request_of(billing_app.client_id, billing_app.secret, calendar_api.identifier) | changes)
        request = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "HTTP_HOST": HOST,
            "REMOTE_ADDR": "192.0.2.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body.encode()),
            "wsgi.url_scheme": "http",
            "wsgi.errors": BytesIO(),
        }
        started = []
        answer = application(request, lambda status, headers: started.append(status))
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return started[0]

    return ask


@pytest.mark.django_db(transaction=True)
def test_a_token_in_the_steady_state_costs_no_query(served, watched, django_assert_num_queries):
    assert served() == "200 OK"

    with django_assert_num_queries(0):
        assert [served() for _ in range(5)] == ["200 OK"] * 5
        assert served(scope="read:appointments") == "200 OK"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/.well-known/openid-configuration"])
def test_a_public_document_in_the_steady_state_costs_no_query(served, watched, path, django_assert_num_queries):
    assert served("GET", path) == "200 OK"

    with django_assert_num_queries(0):
        assert served("GET", path) == "200 OK"


@pytest.mark.django_db(transaction=True)
def test_the_process_that_makes_a_change_follows_at_once(served, watched, tenant, billing_app, by):
    assert served() == "200 OK"
    hs256 = create_api(tenant, by, name="HS", identifier="https://hs.example/", signing_alg="HS256")
    assert served(audience=hs256.identifier) == "403 Forbidden"

    authorize_application(billing_app.row, hs256, by)

    assert served(audience=hs256.identifier) == "200 OK"
