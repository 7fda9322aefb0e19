"""Run a quick start's code as its reader would: written into files, started as a program, asked over HTTP."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

import requests

# Each framework's own test client answers the lines of standard input, so that nothing needs an ASGI server.
DRIVERS = {
    "fastapi": """
from fastapi.testclient import TestClient
from main import app
client = TestClient(app)
def get(path, headers): return client.get(path, headers=headers).status_code
""",
    "flask": """
from main import app
client = app.test_client()
def get(path, headers): return client.get(path, headers=headers).status_code
""",
    "drf": """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], DATABASES={},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
)
django.setup()
from django.test import Client
client = Client()
def get(path, headers): return client.get(path, headers=headers).status_code
""",
}
LOOP = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(get(asked["path"], asked["headers"]), flush=True)
"""


class Server(ABC):
    """A running project. `get` returns the status of one request."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    @abstractmethod
    def get(self, path: str, token: str | None) -> int: ...

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


class PythonServer(Server):
    """Asks through a pipe."""

    def get(self, path: str, token: str | None) -> int:
        assert self.process.stdin and self.process.stdout
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        self.process.stdin.write(json.dumps({"path": path, "headers": headers}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


class PortServer(Server):
    """Asks over HTTP."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        super().__init__(process)
        self.address = f"http://localhost:{port}"
        for _ in range(100):
            try:
                requests.get(self.address, timeout=1)
                return
            except requests.ConnectionError:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
        raise AssertionError("The server did not start.")

    def get(self, path: str, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return requests.get(self.address + path, headers=headers, timeout=10).status_code


def start_python(key: str, folder: Path, secret: str | None) -> Server:
    (folder / "driver.py").write_text(DRIVERS[key] + LOOP)
    return PythonServer(_start([sys.executable, "driver.py"], folder, secret))


def start_node(folder: Path, packages: Path, secret: str | None) -> Server:
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(packages / "node_modules")
    port = free_port()
    return PortServer(_start([node(), "main.js"], folder, secret, port), port)


def start_go(folder: Path, module: Path, secret: str | None) -> Server:
    for name in ("go.mod", "go.sum"):
        shutil.copy(module / name, folder)
    subprocess.run(["go", "build", "-o", "server", "."], cwd=folder, check=True, capture_output=True, timeout=300)
    port = free_port()
    return PortServer(_start(["./server"], folder, secret, port), port)


def node() -> str:
    return os.environ.get("GATEHOUSE_NODE") or shutil.which("node") or ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _start(command: list[str], folder: Path, secret: str | None, port: int = 0) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PORT": str(port), **({"API_SIGNING_SECRET": secret} if secret else {})}
    for name in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH"):
        environment.pop(name, None)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if command[0] == sys.executable else subprocess.DEVNULL,
    )
