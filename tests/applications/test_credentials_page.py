import datetime
import json
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from applications.models import Application, ClientSecret, Credential
from applications.operations import add_credential, add_secret, create_application, set_authentication_method
from applications.public_keys import public_jwk_from_pem
from audit.models import Event
from tests.conftest import HOST

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def pem_of(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private_pem_of(key):
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, no_password).decode()


def certificate_of(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "billing")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=900))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def page(at, billing_app):
    return at(billing_app, "credentials/")


def post(browser, page, act, data=None):
    return browser.post(f"{page}{act}", data or {})


def secret_of(app):
    return ClientSecret.objects.get(application=app.row)


def works(ask, secret):
    return ask(client_secret=secret).status_code == 200


def test_a_secret_is_shown_by_its_end_only(as_ada, page, billing_app):
    shown = as_ada.get(page).content.decode()

    assert f"••••{billing_app.secret[-4:]}" in shown
    assert billing_app.secret not in shown


def test_a_second_secret_works_beside_the_first(as_eve, page, billing_app, billing_grant, ask):
    response = post(as_eve, page, "secrets/add/")

    second = response.context["secret"]
    assert works(ask, second) and works(ask, billing_app.secret)


def test_a_new_secret_is_on_that_one_answer_and_nowhere_else(as_eve, page, billing_app, at):
    response = post(as_eve, page, "secrets/add/")

    secret = response.context["secret"]
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    assert secret in response.content.decode()
    assert secret not in str(response.headers)
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(secret not in str(event.details) for event in Event.objects.all())
    assert all(secret not in row.digest for row in ClientSecret.objects.all())
    for address in (page, at(billing_app), "/t/main/applications/", "/t/main/activity/"):
        assert secret not in as_eve.get(address).content.decode()


def test_a_third_secret_is_refused(as_eve, page, billing_app, by):
    add_secret(billing_app.row, by)

    response = post(as_eve, page, "secrets/add/")

    assert response.status_code == 422
    assert "2 live secrets already" in response.content.decode()
    assert ClientSecret.objects.count() == 2


def test_reloading_the_answer_makes_no_further_secret(as_eve, page):
    form = {"once": as_eve.get(page).context["once"]}
    post(as_eve, page, "secrets/add/", form)

    again = post(as_eve, page, "secrets/add/", form)

    assert again["Location"] == page
    assert ClientSecret.objects.count() == 2


@pytest.mark.parametrize("act", ["secrets/add/", "method/"])
def test_the_address_of_an_answer_leads_back_to_the_page(as_eve, page, act):
    assert as_eve.get(f"{page}{act}")["Location"] == page
    assert ClientSecret.objects.count() == 1


def test_rolled_now_the_old_secret_stops(as_eve, page, billing_app, billing_grant, ask):
    response = post(as_eve, page, f"secrets/{secret_of(billing_app).pk}/roll/", {"grace": "0"})

    assert not works(ask, billing_app.secret)
    assert works(ask, response.context["secret"])


@pytest.mark.parametrize("grace", [3600, 86400, 604800])
def test_rolled_with_grace_the_old_secret_works_that_long(as_eve, page, billing_app, billing_grant, ask, grace):
    response = post(as_eve, page, f"secrets/{secret_of(billing_app).pk}/roll/", {"grace": str(grace)})

    assert works(ask, billing_app.secret) and works(ask, response.context["secret"])
    old = ClientSecret.objects.order_by("pk").first()
    assert abs((old.expires_at - timezone.now()).total_seconds() - grace) < 30


@pytest.mark.parametrize("grace", ["", "-1", "1", "99999999999", "now"])
def test_no_other_grace_is_taken(as_eve, page, billing_app, grace):
    response = post(as_eve, page, f"secrets/{secret_of(billing_app).pk}/roll/", {"grace": grace})

    assert response.status_code == 422
    assert ClientSecret.objects.count() == 1


def test_with_two_secrets_one_can_only_be_replaced_at_once(as_eve, page, billing_app, by):
    first = secret_of(billing_app).pk
    add_secret(billing_app.row, by)

    assert post(as_eve, page, f"secrets/{first}/roll/", {"grace": "3600"}).status_code == 422
    assert post(as_eve, page, f"secrets/{first}/roll/", {"grace": "0"}).status_code == 200
    assert billing_app.row.secrets.live().count() == 2


def test_a_secret_that_has_stopped_cannot_be_rolled(as_eve, page, billing_app):
    old = secret_of(billing_app).pk
    post(as_eve, page, f"secrets/{old}/roll/", {"grace": "0"})

    assert post(as_eve, page, f"secrets/{old}/roll/", {"grace": "0"}).status_code == 404


def test_revoking_says_what_stops_and_then_stops_it(as_eve, page, billing_app, billing_grant, ask):
    address = f"{page}secrets/{secret_of(billing_app).pk}/revoke/"

    assert "This is its only secret" in as_eve.get(address).content.decode()
    assert works(ask, billing_app.secret)
    assert as_eve.post(address)["Location"] == page
    assert not works(ask, billing_app.secret)
    assert "No secret works" in as_eve.get(page).content.decode()


def test_signing_jwts_needs_a_key_first(as_eve, page, billing_app, billing_grant, ask):
    response = post(as_eve, page, "method/", {"method": "private_key_jwt"})

    assert response.status_code == 422
    assert "Add a public key first." in response.content.decode()
    assert works(ask, billing_app.secret)


def test_signing_jwts_ends_the_secrets_after_asking(as_eve, page, billing_app, billing_grant, ask, by):
    add_credential(billing_app.row, by, public_jwk_from_pem(pem_of(RSA_KEY), "RS256"))

    asked = post(as_eve, page, "method/", {"method": "private_key_jwt"})

    assert billing_app.secret[-4:] in asked.content.decode()
    assert works(ask, billing_app.secret)
    post(as_eve, page, "method/", {"method": "private_key_jwt", "confirmed": "on"})
    assert not works(ask, billing_app.secret)
    assert Application.objects.get().token_endpoint_auth_method == "private_key_jwt"


def test_going_back_to_secrets_shows_a_new_one_once(as_eve, page, billing_app, billing_grant, ask, by):
    add_credential(billing_app.row, by, public_jwk_from_pem(pem_of(RSA_KEY), "RS256"))
    set_authentication_method(billing_app.row, by, "private_key_jwt")

    response = post(as_eve, page, "method/", {"method": "client_secret_basic"})

    assert works(ask, response.context["secret"])
    assert response.context["secret"] not in as_eve.get(page).content.decode()


@pytest.mark.parametrize("method", ["none", "", "client_secret_jwt", "\x00"])
def test_no_other_method_is_taken(as_eve, page, method):
    assert post(as_eve, page, "method/", {"method": method}).status_code == 422


@pytest.mark.parametrize(
    ("text", "alg"),
    [
        (pem_of(RSA_KEY), "RS256"),
        (pem_of(RSA_KEY), "RS384"),
        (pem_of(RSA_KEY), "PS256"),
        (pem_of(EC_KEY), "ES256"),
        (certificate_of(RSA_KEY), "RS256"),
        (json.dumps(public_jwk_from_pem(pem_of(EC_KEY), "ES256")), "ES256"),
    ],
    ids=["PEM", "RS384", "PS256", "EC", "certificate", "JWK"],
)
def test_a_public_key_is_taken_as_people_have_it(as_eve, page, billing_app, text, alg):
    response = post(as_eve, page, "keys/add/", {"name": "Production", "alg": alg, "text": text})

    key = Credential.objects.get()
    assert response["Location"] == page
    assert (key.name, key.alg, key.expires_at) == ("Production", alg, None)
    assert key.kid in as_eve.get(page).content.decode()


def test_a_key_may_come_as_a_file(as_eve, page):
    file = SimpleUploadedFile("key.pem", pem_of(EC_KEY).encode())

    post(as_eve, page, "keys/add/", {"alg": "ES256", "file": file})

    assert Credential.objects.get().alg == "ES256"


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"text": private_pem_of(EC_KEY)}, "text", "private key"),
        ({"text": "hello"}, "text", "not a public key"),
        ({"text": ""}, "text", "Paste a public key"),
        ({"text": "\x00"}, "text", ""),
        ({"text": "x" * 20_000}, "text", "16 kB"),
        ({"text": pem_of(RSA_KEY)}, "text", "does not sign with ES256"),
        ({"alg": "HS256"}, "alg", ""),
        ({"alg": "none"}, "alg", ""),
        ({"name": "<b>"}, "name", ""),
        ({"name": "x" * 129}, "name", ""),
        ({"expires_at": "2001-01-01T00:00"}, "expires_at", "future"),
        ({"expires_at": "soon"}, "expires_at", ""),
        ({"file": SimpleUploadedFile("key.der", b"\x30\x82\xff\xfe\x80")}, "file", "not text"),
        ({"file": SimpleUploadedFile("key.pem", b"x" * 20_000)}, "file", "16 kB"),
    ],
)
def test_what_is_no_public_key_is_refused(as_eve, page, wrong, field, words):
    response = post(as_eve, page, "keys/add/", {"alg": "ES256", "text": pem_of(EC_KEY)} | wrong)

    assert response.status_code == 422
    assert words in " ".join(response.context["form"].errors[field])
    assert not Credential.objects.exists()


def test_a_key_can_expire(as_eve, page):
    soon = timezone.now() + datetime.timedelta(days=30)

    post(as_eve, page, "keys/add/", {"alg": "ES256", "text": pem_of(EC_KEY), "expires_at": f"{soon:%Y-%m-%dT%H:%M}"})

    assert Credential.objects.get().expires_at == soon.replace(second=0, microsecond=0)


def test_the_same_key_twice_and_a_third_key_are_refused(as_eve, page, billing_app, by):
    add_credential(billing_app.row, by, public_jwk_from_pem(pem_of(EC_KEY), "ES256"))

    assert post(as_eve, page, "keys/add/", {"alg": "ES256", "text": pem_of(EC_KEY)}).status_code == 422
    assert post(as_eve, page, "keys/add/", {"alg": "RS256", "text": pem_of(RSA_KEY)}).status_code == 302
    third = ec.generate_private_key(ec.SECP256R1())
    assert post(as_eve, page, "keys/add/", {"alg": "ES256", "text": pem_of(third)}).status_code == 422
    assert Credential.objects.count() == 2


def test_the_only_key_of_an_application_that_signs_stays(as_eve, page, billing_app, by):
    key = add_credential(billing_app.row, by, public_jwk_from_pem(pem_of(EC_KEY), "ES256"))
    set_authentication_method(billing_app.row, by, "private_key_jwt")

    assert post(as_eve, page, f"keys/{key.pk}/delete/").status_code == 422
    set_authentication_method(billing_app.row, by, "client_secret_post")
    assert post(as_eve, page, f"keys/{key.pk}/delete/").status_code == 302
    assert not Credential.objects.exists()


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_a_public_application_says_why_there_is_nothing(as_eve, tenant, by, kind):
    made, _ = create_application(tenant, by, name="Widget", app_type=kind)
    address = f"/t/main/applications/{made.client_id}/credentials/"

    page = as_eve.get(address).content.decode()

    assert "Why there is nothing else here" in page
    assert "Add secret" not in page and "Add public key" not in page
    assert as_eve.post(f"{address}secrets/add/").status_code == 422
    assert as_eve.post(f"{address}keys/add/", {"alg": "ES256", "text": pem_of(EC_KEY)})["Location"] == address
    assert not ClientSecret.objects.exists() and not Credential.objects.exists()


def acts_of(app):
    secret = secret_of(app).pk
    of_secret = [f"secrets/{secret}/roll/", f"secrets/{secret}/revoke/"]
    return ["secrets/add/", *of_secret, "method/", "keys/add/", "keys/x/delete/"]


def test_a_viewer_sees_the_page_and_can_do_nothing_on_it(as_bea, page, billing_app):
    shown = as_bea.get(page).content.decode()

    assert "Add secret" not in shown and "Revoke" not in shown and "Save method" not in shown
    for act in acts_of(billing_app):
        assert post(as_bea, page, act, {"grace": "0", "method": "client_secret_basic"}).status_code == 403
    assert ClientSecret.objects.count() == 1


def test_another_tenants_credentials_are_not_there(as_cal, other_tenant, billing_app, by):
    own, _ = create_application(other_tenant, by, name="Own", app_type="non_interactive")
    strange = secret_of(billing_app).pk

    for act in ["", *acts_of(billing_app)]:
        address = f"/t/other/applications/{billing_app.client_id}/credentials/{act}"
        assert as_cal.post(address, {"grace": "0"}).status_code == 404
        assert as_cal.get(address).status_code == 404
    # The right application, but somebody else's secret.
    for act in ("roll", "revoke"):
        address = f"/t/other/applications/{own.client_id}/credentials/secrets/{strange}/{act}/"
        assert as_cal.post(address, {"grace": "0"}).status_code == 404
    assert ClientSecret.objects.filter(pk=strange, expires_at=None).exists()


@pytest.mark.parametrize("number", ["0", "9" * 30, "9" * 5000])
def test_a_number_that_is_no_secret_is_not_found(as_eve, page, number):
    assert as_eve.get(f"{page}secrets/{number}/roll/").status_code == 404


@pytest.mark.parametrize("credential_id", ["nobody", "%00", "x" * 10_000])
def test_an_id_that_is_no_key_is_not_found(as_eve, page, credential_id):
    assert as_eve.get(f"{page}keys/{credential_id}/delete/").status_code == 404


def test_a_form_from_elsewhere_is_refused(eve, page, billing_app):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    outside.force_login(eve, backend="accounts.backends.MemberBackend")

    assert {post(outside, page, act).status_code for act in acts_of(billing_app)} == {403}
    assert ClientSecret.objects.count() == 1


def test_the_name_of_a_key_is_shown_as_words(as_eve, page, billing_app, by):
    key = public_jwk_from_pem(pem_of(EC_KEY), "ES256")
    add_credential(billing_app.row, by, key, name="\"'&{% now %}")

    shown = as_eve.get(page).content.decode()

    assert "&quot;&#x27;&amp;{% now %}" in shown
    assert not re.search(r"\"'&\{%", shown)


def test_the_page_asks_the_database_twelve_times_at_most(as_bea, page, billing_app, by, django_assert_max_num_queries):
    add_secret(billing_app.row, by)
    for key, alg in ((EC_KEY, "ES256"), (RSA_KEY, "RS256")):
        add_credential(billing_app.row, by, public_jwk_from_pem(pem_of(key), alg))

    with django_assert_max_num_queries(12):
        as_bea.get(page)
