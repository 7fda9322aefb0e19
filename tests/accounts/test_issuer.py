"""What an issuer may be: an https origin with its final slash, or http on this very machine (RFC 8414 §2)."""

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.models import validate_issuer
from config import env

GOOD = [
    "https://auth.example.com/",
    "https://auth.example.com:8443/",
    "https://a/",
    "https://[2001:db8::1]/",
    "http://localhost:8000/",
    "http://127.0.0.1:1/",
    "http://[::1]:8000/",
]
BAD = [
    "",
    "auth.example.com",
    "https://auth.example.com",
    "https://auth.example.com/path/",
    "https://Auth.example.com/",
    "https://auth.example.com:443/",
    "http://localhost:80/",
    "http://auth.example.com/",
    "ftp://auth.example.com/",
    "https://user@auth.example.com/",
    "https://auth.example.com/?a",
    "https://auth.example.com/#a",
    "https://[::1",
    "https://[abc]/",
    "https://exa℀mple/",
    "https://a b/",
    'https://a"b/',
    "https://a<b/",
    "https://ex_%41/",
    "https://example.com:99999/",
    "https://-a/",
]


@pytest.mark.parametrize("issuer", GOOD)
def test_an_origin_is_an_issuer(issuer):
    validate_issuer(issuer)


@pytest.mark.parametrize("issuer", BAD)
def test_anything_else_is_refused(issuer):
    with pytest.raises(ValidationError):
        validate_issuer(issuer)


@pytest.mark.parametrize("address", ["https://[::1", "https://[abc]/", "https://exa℀mple/", "https://a:x/", "x"])
def test_a_setting_that_is_no_address_is_refused_by_name(monkeypatch, address):
    monkeypatch.setenv("GATEHOUSE_ISSUER", address)

    with pytest.raises(ImproperlyConfigured, match="GATEHOUSE_ISSUER"):
        env.origin("GATEHOUSE_ISSUER")
