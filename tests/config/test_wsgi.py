"""Headers that Django itself stumbles over, offered to the application that the server runs."""

import io
from typing import Any

import pytest

from tests.conftest import HOST

# A request of its own closes connections, which a test in one transaction would not survive.
pytestmark = pytest.mark.django_db(transaction=True)


def call(path: str, content_type: str, method: str = "POST") -> int:
    from config.wsgi import application

    said: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": HOST,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": "3",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b"a=b"),
        "wsgi.errors": io.StringIO(),
    }
    response = application(environ, lambda status, headers, *_: said.append(status))
    if hasattr(response, "close"):
        response.close()
    return int(said[0].split()[0])


@pytest.mark.parametrize(
    "content_type",
    [
        "a/b; charset*=x''y",
        "application/x-www-form-urlencoded; charset=hex",
        "application/x-www-form-urlencoded; charset=undefined",
        "application/json; charset=utf-16",
        "text/plain; charset=\xff",
        ";",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/oauth/token", "/account/sign-in/", "/healthz", "/"])
def test_an_odd_content_type_is_a_clean_refusal(tenant, path, content_type):
    assert call(path, content_type) < 500


def test_a_usual_content_type_passes(tenant):
    assert call("/healthz", "", "GET") == 200
