"""Make the peers ready, and measure a slice of each."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import load, servers, signatures
from bench.machine import ROOT
from bench.plan import Plan, beside_the_signature, measured, server_cores

OIDC_PROVIDER = "9.13.3"
SECRET = "a-secret-for-nothing-but-this-benchmark"
HASHED = "django-oauth-toolkit, as it comes"
PLAIN = "django-oauth-toolkit, secrets not hashed"
NODE = f"oidc-provider {OIDC_PROVIDER} (node)"
RESOURCE, SCOPE = "https://rs256.bench.example/", "read:bench write:bench"

Peer = Callable[[Plan, int], dict[str, Any]]
_left_out: dict[str, str] = {}


def left_out() -> dict[str, str]:
    """Return which peers were not measured, and why."""
    return dict(_left_out)


@contextlib.contextmanager
def prepared(plan: Plan) -> Iterator[dict[str, Peer]]:
    """Yield the peers that this machine can run, each a function that measures one slice."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    try:
        yield {**_toolkit(folder), **_oidc_provider(plan)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _toolkit(folder: Path) -> dict[str, Peer]:
    environment = {**servers.plain_environment(), "BENCH_FOLDER": str(folder)}
    filled = subprocess.run(
        servers.python("bench.peers.django_oauth_toolkit.fill"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if filled.returncode:
        raise RuntimeError(filled.stderr[-2000:])
    clients = json.loads(filled.stdout)

    def peer(client: str, connections: int, shortest: float) -> Peer:
        parameters = {"grant_type": "client_credentials", "client_id": client, "client_secret": SECRET}

        def slice_of(plan: Plan, workers: int) -> dict[str, Any]:
            port = servers.free_port()
            command = servers.python("bench.peers.django_oauth_toolkit.serve", str(port), str(workers))
            log = folder / "server.log"
            with servers.running(command, port, "/ready", environment, log, server_cores(workers)) as server:
                load.once(server.url("/o/token/"), server.host, urlencode(parameters))
                raw = signatures.rate("RS256", server_cores(workers), plan.raw)
                seconds = max(plan.seconds, shortest)
                found = measured(server, "/o/token/", workers, seconds, [urlencode(parameters)], connections)
            return {**found, "raw": raw, "ratio": found["rate"] / raw}

        return slice_of

    # A hash takes a good part of a second, so fewer connections keep its queue short.
    return {PLAIN: peer(clients["plain"], load.CONNECTIONS, 0), HASHED: peer(clients["hashed"], 4, 10)}


def _oidc_provider(plan: Plan) -> dict[str, Peer]:
    node, reason = _node_folder()
    if node is None:
        _left_out[NODE] = reason
        plan.say(f"  {NODE} is left out: {reason}")
        return {}
    parameters = {
        "grant_type": "client_credentials",
        "client_id": "bench",
        "client_secret": SECRET,
        "resource": RESOURCE,
        "scope": SCOPE,
    }

    def slice_of(plan: Plan, workers: int) -> dict[str, Any]:
        port = servers.free_port()
        command = ["node", str(node / "server.mjs"), str(port), str(workers)]
        environment = {**servers.plain_environment(), "NODE_ENV": "production"}
        ready = "/.well-known/openid-configuration"
        with servers.running(command, port, ready, environment, node / "log", server_cores(workers)) as server:
            body = urlencode(parameters)
            token = load.once(server.url("/token"), server.host, body)["access_token"]
            if token.count(".") != 2:
                raise RuntimeError("oidc-provider did not answer with a JWT.")
            return beside_the_signature(plan, server, "RS256", workers, [body], "/token")

    return {NODE: slice_of}


def _node_folder() -> tuple[Path | None, str]:
    """Return the folder with oidc-provider and our program for it, or None and why not."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None, "node and npm are not on PATH"
    folder = ROOT / "var" / "bench-node"
    installed = folder / "node_modules" / "oidc-provider" / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != OIDC_PROVIDER:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        try:
            subprocess.run(
                ["npm", "install", "--prefix", str(folder), *flags, f"oidc-provider@{OIDC_PROVIDER}"],
                check=True,
                timeout=180,
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
        except (subprocess.SubprocessError, OSError):
            return None, "npm could not install it"
    shutil.copyfile(ROOT / "bench" / "peers" / "oidc-provider" / "server.mjs", folder / "server.mjs")
    return folder, ""
