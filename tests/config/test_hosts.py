"""Which host answers what, and what is refused before anything reads it."""

import pytest
from django.test import Client

from tests.conftest import HOST, browser_of


@pytest.fixture
def console_apart(settings):
    """A console on a host of its own: no tenant's."""
    settings.GATEHOUSE_CONSOLE_URL = "http://127.0.0.1:8000/"
    settings.CSRF_TRUSTED_ORIGINS = ["http://127.0.0.1:8000"]


@pytest.mark.parametrize("page", ["quick-start", "settings", "scopes", "machine-to-machine", "test"])
def test_a_console_on_its_own_host_has_every_tab(console_apart, ada, calendar_api, page):
    client = browser_of(ada)

    response = client.get(f"/t/main/apis/{calendar_api.pk}/{page}/", headers={"host": "127.0.0.1:8000"})

    assert response.status_code == 200


@pytest.mark.parametrize("page", ["keys", "logs", "activity", "members", "settings", "apis", "applications"])
def test_a_console_on_its_own_host_has_every_page(console_apart, ada, page):
    assert browser_of(ada).get(f"/t/main/{page}/", headers={"host": "127.0.0.1:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/token", "/.well-known/jwks.json", "/.well-known/openid-configuration"])
def test_a_console_on_its_own_host_has_no_protocol(console_apart, tenant, path):
    client = Client(HTTP_HOST="127.0.0.1:8000")

    assert client.get(path).status_code == client.post(path).status_code == 404
    assert Client(HTTP_HOST=HOST).get(path).status_code in {200, 405}


@pytest.mark.parametrize("length", ["2000000", "99999999999999", "-1", "abc"])
def test_a_body_too_large_for_any_form_is_not_read(client, tenant, length):
    response = client.post("/theme/", CONTENT_LENGTH=length)

    assert response.status_code == 413


def test_a_foreign_host_is_logged_and_not_sniffed(tenant, caplog):
    caplog.set_level("INFO")

    response = Client(HTTP_HOST="nobody.example").get("/")

    assert response["X-Content-Type-Options"] == "nosniff"
    assert [record.msg["status"] for record in caplog.records if record.name == "gatehouse.request"] == [404]
