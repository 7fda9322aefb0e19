"""RFC 8414 and OpenID Connect Discovery 1.0: what a tenant says about itself."""

import json
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.conftest import HOST

WELL_KNOWN = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.fixture
def document(client, tenant):
    return client.get(WELL_KNOWN[0]).json()


def test_both_addresses_say_the_same(client, tenant):
    assert client.get(WELL_KNOWN[0]).content == client.get(WELL_KNOWN[1]).content


def test_the_issuer_is_the_address_it_was_found_at(document, tenant):
    assert document["issuer"] == tenant.issuer == f"http://{HOST}/"


def test_every_endpoint_is_under_the_issuer_and_exists(client, document):
    addresses = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]

    assert addresses
    for address in addresses:
        assert address.startswith(document["issuer"])
        assert client.get(urlsplit(address).path).status_code != 404


def test_none_is_not_an_algorithm(document):
    for name, value in document.items():
        if name.endswith("alg_values_supported"):
            assert value and "none" not in value


def test_only_flows_that_exist_are_advertised(document):
    assert document["grant_types_supported"] == ["client_credentials"]
    assert "authorization_endpoint" not in document
    assert "registration_endpoint" not in document


def test_lists_that_clients_read_are_there(document):
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert set(document["token_endpoint_auth_methods_supported"]) == {
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    }


@pytest.mark.parametrize("path", [*WELL_KNOWN, "/.well-known/jwks.json"])
def test_documents_may_be_kept_and_read_from_anywhere(client, tenant, path):
    response = client.get(path, headers={"Origin": "https://anywhere.example"})

    assert response["Content-Type"] == "application/json"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    assert "public" in response["Cache-Control"] and "max-age=300" in response["Cache-Control"]
    again = client.get(path, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304 and not again.content
    assert again["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"X-Original-Host": "evil.example"},
        {"X-Forwarded-Port": "444"},
        {"Host": "evil.example"},
        {"Host": "localhost:8000.evil.example"},
        {"Host": "localhost:8000@evil.example"},
        {"Host": "localhost"},
        {"Host": ""},
        {"Host": "127.0.0.1:8000"},
    ],
)
@pytest.mark.parametrize("remote", ["203.0.113.9", "127.0.0.1"])
def test_no_header_changes_the_document(client, tenant, document, headers, remote):
    response = client.get(WELL_KNOWN[0], headers=headers, REMOTE_ADDR=remote)

    assert "evil" not in response.content.decode()
    if response.status_code == 200:
        assert response.json() == document
    else:
        assert response.status_code in {400, 404}


def test_another_host_gets_404_without_detail(tenant):
    response = Client(HTTP_HOST="nobody.example").get("/")

    assert response.status_code == 404
    assert response.content == b"Not found.\n"


@pytest.mark.parametrize(
    "path", ["/nope", "/oauth/", "/oauth/token/", "/authorize", "/.env", "/.git/config", "/metrics"]
)
def test_an_unknown_path_gets_404(client, tenant, path):
    response = client.get(path)

    assert response.status_code == 404
    assert "Traceback" not in response.content.decode()


def test_a_tenants_own_host_has_no_console(other_tenant):
    client = Client(HTTP_HOST="other.example")

    for path in ("/", "/admin/", "/account/sign-in/", "/t/other/apis/", "/static/console.css"):
        assert client.get(path).status_code == 404
    assert json.loads(client.get("/.well-known/jwks.json").content)["keys"]


def test_health_is_told_at_any_address(tenant):
    client = Client(HTTP_HOST="10.0.0.7")

    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_server_without_keys_is_not_ready(db):
    response = Client(HTTP_HOST="10.0.0.7").get("/readyz")

    assert response.status_code == 503
    assert response["Retry-After"]
