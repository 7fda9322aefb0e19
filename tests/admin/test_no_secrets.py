"""Every page of the operators' admin, with a full database, searched for everything that must not be on it."""

import json
import re

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Invitation, Role, User
from accounts.operations import invite
from apis.operations import create_api
from applications.models import ClientSecret
from applications.operations import add_credential, add_secret
from applications.public_keys import public_jwk_from_pem
from tokens import keys
from tokens.models import SigningKey

SECRET_COLUMNS = re.compile(r"secret|digest|password|private|token_hash|hint|signing_secret")


@pytest.fixture
def full(tenant, other_tenant, by, opal, ada, bea, cal, calendar_api, billing_app, web_app, billing_grant, ask):
    """A database with every kind of row and secret. Returns what no page may hold, by name."""
    hs256 = create_api(tenant, by, name="HS API", identifier="https://hs.example/", signing_alg="HS256")
    private, public = keys.generate("ES256")
    add_credential(billing_app.row, by, public_jwk_from_pem(json.dumps(public), "ES256"), name="Laptop")
    invitation, link = invite(tenant, by, Role.VIEWER, email="new@example.com")
    assert ask().status_code == 200 and ask(client_secret="wrong").status_code == 401
    found = {
        "client secret": [billing_app.secret, web_app.secret, add_secret(billing_app.row, by)],
        "client's private key": [json.loads(private)["d"]],
        "digest": [part for row in ClientSecret.objects.all() for part in row.digest.split("$")[1:]],
        "signing secret": [hs256.reveal_signing_secret(), hs256.signing_secret],
        "private key": [json.loads(key.reveal_private_jwk())["d"] for key in SigningKey.objects.all()],
        "sealed private key": list(SigningKey.objects.values_list("private_jwk", flat=True)),
        "password": list(User.objects.values_list("password", flat=True)),
        "invitation": [link, *Invitation.objects.values_list("token_hash", flat=True)],
    }
    assert all(found.values()) and all(len(text) > 20 for texts in found.values() for text in texts)
    return found


def every_page():
    yield reverse("admin:index")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        for row in model._default_manager.all():
            for page in ("change", "delete", "history"):
                yield reverse(f"{name}_{page}", args=[row.pk])


def test_no_page_holds_a_secret(full, as_opal):
    seen = 0
    for page in every_page():
        answer = as_opal.get(page)
        assert answer.status_code in {200, 403}, (page, answer.status_code)
        text = answer.content.decode()
        leaks = [name for name, texts in full.items() if any(secret in text for secret in texts)]
        assert not leaks, (page, leaks)
        assert not re.search(r"""\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)|-----BEGIN""", text), page
        seen += answer.status_code == 200
    assert seen > 100


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.label)
def test_no_list_searches_filters_or_shows_a_secret_column(model):
    pages = admin.site._registry[model]
    names = [*pages.search_fields, *pages.list_display, *map(str, pages.list_filter), *(pages.fields or ())]

    assert not [name for name in names if SECRET_COLUMNS.search(name)]


def test_a_list_cannot_be_filtered_by_a_secret_in_its_address(full, as_opal):
    digest = ClientSecret.objects.first().digest
    for address in (
        "/admin/accounts/user/?password__startswith=argon2",
        f"/admin/applications/application/?secrets__digest={digest}",
        "/admin/tokens/signingkey/?private_jwk__startswith=ey",
        "/admin/accounts/invitation/?token_hash__startswith=a",
        "/admin/accounts/membership/?user__password__startswith=argon2",
    ):
        assert as_opal.get(address).status_code == 400, address


def test_what_nobody_may_change_offers_no_way_to(full, as_opal):
    for name in ("audit_event", "tokens_logentry", "tokens_signingkey"):
        row = next(model for model in admin.site._registry if model._meta.db_table == name)._default_manager.first()
        for page in ("change", "delete"):
            answer = as_opal.post(reverse(f"admin:{name}_{page}", args=[row.pk]), {"post": "yes"})
            assert answer.status_code == 403, (name, page)
        assert as_opal.get(reverse(f"admin:{name}_add")).status_code == 403


@pytest.mark.parametrize("address", ["_00/change/", "_00/delete/", "?q=%00", "?signing_alg__exact=%00"])
def test_a_nul_in_an_address_is_no_fault_of_the_server(as_opal, address):
    assert as_opal.get(f"/admin/apis/api/{address}").status_code in {200, 302, 400, 404}
