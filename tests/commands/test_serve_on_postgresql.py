"""bin/serve with DATABASE_URL, on a database of its own."""

import base64
import os
import secrets
import urllib.request
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.commands.serving import environment, free_port, port, serve, stop, until_ready

__all__ = ["environment", "port", "serve"]
pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL server"
    ),
]


@pytest.fixture
def database():
    """The address of a new, empty database."""
    server = os.environ["DATABASE_URL"]
    name = f"gatehouse_serve_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_machines_that_start_at_once_make_one_installation(serve, port, database, tmp_path):
    shared = {
        "DATABASE_URL": database,
        "GATEHOUSE_ISSUER": f"http://localhost:{port}/",
        "GATEHOUSE_SECRET_KEY": secrets.token_urlsafe(64),
        "GATEHOUSE_ENCRYPTION_KEYS": f"first:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip('=')}",
    }
    ports = (port, free_port())
    started = [
        serve("--port", number, GATEHOUSE_DATA=str(tmp_path / f"machine-{number}"), **shared) for number in ports
    ]

    said = [until_ready(*start) for start in started]
    keys = [jwks(number, f"localhost:{port}") for number in ports]

    assert keys[0] == keys[1]
    assert sum("Preparing the database" in text for text in said) == 1
    assert "(PostgreSQL)" in said[0]
    assert [stop(process) for process, _ in started] == [0, 0]


def jwks(port, host):
    asked = urllib.request.Request(f"http://localhost:{port}/.well-known/jwks.json", headers={"Host": host})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read()
