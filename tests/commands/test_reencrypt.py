"""Every sealed column opens after the key was changed, and fails closed with a retired key or a swapped row."""

import base64
import os
import re

import pytest
from django.apps import apps
from django.db import models

from accounts.sealing import CannotUnseal
from apis.models import API
from apis.operations import create_api
from tokens.models import SigningKey
from tokens.reencryption import SEALED_COLUMNS

COMPACT_JWE = re.compile(r"\A[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+\Z")


def ring(*names):
    return ",".join(f"{name}:{KEYS[name]}" for name in names)


KEYS = {name: base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode() for name in ("old", "new")}


@pytest.fixture
def sealed(settings, request):
    """A tenant with two signing keys and an HS256 API, sealed under the old key."""
    settings.GATEHOUSE_ENCRYPTION_KEYS = ring("old")
    tenant = request.getfixturevalue("tenant")
    create_api(tenant, request.getfixturevalue("by"), name="HS", identifier="https://hs.example/", signing_alg="HS256")
    return settings


def secrets_in_clear():
    return [api.reveal_signing_secret() for api in API.objects.filter(signing_alg="HS256")] + [
        key.reveal_private_jwk() for key in SigningKey.objects.order_by("pk")
    ]


def test_everything_opens_under_the_new_key_alone(manage, sealed):
    before = secrets_in_clear()
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new", "old")

    said = manage("reencrypt")

    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new")
    assert secrets_in_clear() == before
    assert "apis.API.signing_secret: 1 under 'new'; 1 encrypted anew" in said
    assert "tokens.SigningKey.private_jwk: 2 under 'new'; 2 encrypted anew" in said
    assert "All under 'new'" in said


def test_tokens_are_issued_all_along(manage, sealed, ask, billing_grant):
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new", "old")
    first = ask()
    manage("reencrypt")
    second = ask()
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new")
    third = ask()

    assert [answer.status_code for answer in (first, second, third)] == [200, 200, 200]


def test_a_second_run_changes_no_text(manage, sealed):
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new", "old")
    manage("reencrypt")
    before = list(SigningKey.objects.order_by("pk").values_list("private_jwk", flat=True))

    assert "0 encrypted anew" in manage("reencrypt")

    assert list(SigningKey.objects.order_by("pk").values_list("private_jwk", flat=True)) == before


def test_check_reports_what_is_left_and_changes_nothing(refuses, manage, sealed):
    assert "All under 'old'" in manage("reencrypt", "--check")
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new", "old")
    before = list(SigningKey.objects.order_by("pk").values_list("private_jwk", flat=True))

    assert "Run manage.py reencrypt" in refuses("reencrypt", "--check")

    assert list(SigningKey.objects.order_by("pk").values_list("private_jwk", flat=True)) == before


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_an_unknown_key_is_named(refuses, sealed, arguments):
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new")

    said = refuses("reencrypt", *arguments)

    assert "'old'" in said and "GATEHOUSE_ENCRYPTION_KEYS does not hold" in said
    assert KEYS["new"] not in said


def test_with_a_retired_key_nothing_opens_and_no_token_is_issued(sealed, ask, billing_grant):
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new")

    with pytest.raises(CannotUnseal):
        secrets_in_clear()
    answer = ask()

    assert answer.status_code >= 500 and "access_token" not in answer.content.decode()


def test_a_row_swapped_with_another_is_refused_and_named(refuses, sealed):
    first, second = SigningKey.objects.order_by("pk")
    SigningKey.objects.filter(pk=first.pk).update(private_jwk=second.private_jwk)
    sealed.GATEHOUSE_ENCRYPTION_KEYS = ring("new", "old")

    said = refuses("reencrypt")

    assert f"tokens.SigningKey.private_jwk, row {first.pk}" in said and "moved" in said
    with pytest.raises(CannotUnseal):
        SigningKey.objects.get(pk=first.pk).reveal_private_jwk()


def test_every_column_that_holds_sealed_texts_is_walked(sealed, billing_grant):
    holding = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, (models.CharField, models.TextField)):
                texts = model._default_manager.values_list(field.attname, flat=True)
                if any(COMPACT_JWE.match(text or "") for text in texts):
                    holding.add(f"{model._meta.label}.{field.name}")

    assert holding == {str(column) for column in SEALED_COLUMNS}
