"""What a worker leaves behind that is killed under load: nothing is lost, and nothing revoked comes back."""

import os
import signal
import time

from accounts.versions import BOUND
from tests.commands.serving import environment, port, serve, stop, until_ready, workers_of
from tests.load import Load, once, request_of
from tests.outside import Outside

__all__ = ["environment", "port", "serve"]


def test_a_killed_worker_loses_no_revocation_and_no_configuration(serve, environment, port):
    environment["GATEHOUSE_ISSUER"] = f"http://localhost:{port}/"
    process, output = serve("--port", port, "--workers", 2)
    until_ready(process, output)
    outside = Outside(environment)
    kept, revoked, disabled = (request_of(*outside.do("cast", name)) for name in ("kept", "revoked", "disabled"))

    with Load(port, kept, revoked, disabled) as load:
        time.sleep(0.5)
        outside.do("revoke_secret", revoked["client_id"])
        outside.do("disable", disabled["client_id"])
        taken_at = outside.stored_at
        made = request_of(*outside.do("cast", "made at the last moment"))
        victim, survivor = workers_of(process)
        os.kill(victim, signal.SIGKILL)
        killed_at = time.monotonic()
        until_there_are_two(process, without=victim)
        time.sleep(1)

    assert survivor in workers_of(process)
    # What the victim was answering is all that may be lost.
    lost = [seen for seen in load.seen if seen.status == 0]
    assert all(seen.asked <= killed_at + 0.1 for seen in lost) and len(lost) <= 6, lost
    for parameters, is_allowed in ((kept, True), (made, True), (revoked, False), (disabled, False)):
        assert all((once(port, parameters).status == 200) == is_allowed for _ in range(8))
    assert not late_tokens(load, taken_at + BOUND, kept)

    names = outside.do("application_names")
    assert stop(process) == 0
    second, output = serve("--port", port, "--workers", 2)
    until_ready(second, output)
    assert outside.do("application_names") == names
    for parameters, is_allowed in ((kept, True), (made, True), (revoked, False), (disabled, False)):
        assert all((once(port, parameters).status == 200) == is_allowed for _ in range(8))
    outside.close()
    assert stop(second) == 0


def late_tokens(load, since, kept):
    """Return the tokens that somebody got after `since` who should not have."""
    import jwt

    tokens = [seen.body["access_token"] for seen in load.answered(since) if seen.status == 200]
    assert len(tokens) > 10
    clients = {jwt.decode(token, options={"verify_signature": False})["azp"] for token in tokens}
    return clients - {kept["client_id"]}


def until_there_are_two(process, without):
    deadline = time.monotonic() + 30
    while len([pid for pid in workers_of(process) if pid != without]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
