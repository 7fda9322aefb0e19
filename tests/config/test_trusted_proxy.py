"""X-Forwarded-* is believed from the configured proxy and from nobody else."""

import pytest
from django.test import Client, RequestFactory

from config.middleware import TrustedProxy
from tests.conftest import HOST


def seen(remote: str, settings, proxies=("10.0.0.0/8", "127.0.0.1"), **headers: str):
    """Return (scheme, host, caller's address) as the rest of the server sees a request."""
    settings.GATEHOUSE_TRUSTED_PROXIES = list(proxies)
    found = {}

    def view(request):
        found["all"] = (request.scheme, request.get_host(), request.META["REMOTE_ADDR"])

    meta = {f"HTTP_{name}": value for name, value in headers.items()}
    TrustedProxy(view)(RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_HOST="inside:8000", **meta))
    return found["all"]


def test_the_proxy_is_believed(settings):
    assert seen(
        "10.1.2.3",
        settings,
        X_FORWARDED_PROTO="https",
        X_FORWARDED_HOST="auth.example.com",
        X_FORWARDED_FOR="203.0.113.5",
    ) == ("https", "auth.example.com", "203.0.113.5")


def test_nobody_else_is(settings):
    assert seen(
        "203.0.113.5",
        settings,
        X_FORWARDED_PROTO="https",
        X_FORWARDED_HOST="auth.example.com",
        X_FORWARDED_FOR="198.51.100.1",
    ) == ("http", "inside:8000", "203.0.113.5")


def test_what_stands_left_of_the_first_stranger_is_hearsay(settings):
    chain = "198.51.100.66, 203.0.113.5, 10.9.9.9"

    assert seen("10.1.2.3", settings, X_FORWARDED_FOR=chain)[2] == "203.0.113.5"


@pytest.mark.parametrize("garbage", ["", "unknown", "<script>", "203.0.113.5:80", "1.2.3.4.5", "é"])
def test_an_address_that_is_none_is_ignored(settings, garbage):
    assert seen("10.1.2.3", settings, X_FORWARDED_FOR=garbage)[2] == "10.1.2.3"


@pytest.mark.parametrize("scheme", ["", "javascript", "https, http", "HTTPS "])
def test_only_http_and_https_are_schemes(settings, scheme):
    assert seen("10.1.2.3", settings, X_FORWARDED_PROTO=scheme)[0] in {"http", "https"}


def test_a_server_behind_tls_presents_its_public_address(db, by, settings):
    from tokens.setup import create_tenant

    settings.GATEHOUSE_TRUSTED_PROXIES = ["127.0.0.1"]
    create_tenant("public", "https://auth.example.com/", by)
    outside = {"X-Forwarded-Host": "auth.example.com", "X-Forwarded-Proto": "https"}

    document = Client(HTTP_HOST=HOST).get("/.well-known/openid-configuration", headers=outside).json()

    assert document["issuer"] == "https://auth.example.com/"
    assert document["token_endpoint"] == "https://auth.example.com/oauth/token"
