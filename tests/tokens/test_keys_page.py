import datetime
from typing import Any

import pytest
from cryptography import x509
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from apis.models import API
from audit.actors import Actor
from audit.models import Event
from tests.tokens.pages import text_of
from tokens.models import PREVIOUS_KEPT, KeyState, SigningKey
from tokens.operations import JWKS_MAX_AGE, ensure_signing_keys, revoke_signing_key, rotate_signing_keys

PAGE = "/t/main/keys/"
ROTATE = PAGE + "rotate/"


@pytest.fixture
def current(tenant: Tenant) -> SigningKey:
    return tenant.signing_keys.get(state=KeyState.CURRENT)


@pytest.fixture
def ripe(tenant: Tenant) -> Tenant:
    """The tenant, whose next keys have been published long enough to sign."""
    tenant.signing_keys.update(created_at=timezone.now() - datetime.timedelta(seconds=JWKS_MAX_AGE + 1))
    return tenant


@pytest.fixture
def previous(tenant: Tenant, current: SigningKey, by: Actor) -> SigningKey:
    rotate_signing_keys(tenant, by, emergency=True)
    current.refresh_from_db()
    return current


def published(client: Client) -> list[str]:
    return [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]


def revoke_page(key: SigningKey) -> str:
    return f"{PAGE}{key.kid}/revoke/"


def test_each_key_is_shown_with_its_place_in_time(as_bea: Client, tenant: Tenant, previous: SigningKey) -> None:
    response = as_bea.get(PAGE)

    labels = [item["label"] for item in response.context["families"][0]["keys"]]
    assert labels == ["Previous", "Current", "Next"]
    for key in tenant.signing_keys.all():
        assert key.kid in text_of(response) and key.public_jwk["x5t"] in text_of(response)
    needed = previous.previous_at + PREVIOUS_KEPT
    assert f"Needed until {needed.day} {needed:%b %Y, %H:%M} UTC" in text_of(response)


def test_no_private_half_is_on_the_page(as_ada: Client, tenant: Tenant, previous: SigningKey) -> None:
    page = as_ada.get(PAGE).content.decode()

    for key in tenant.signing_keys.all():
        assert key.private_jwk and key.private_jwk not in page
    assert '"d"' not in page and "&quot;d&quot;" not in page


def test_the_certificate_is_the_keys_own(as_bea: Client, current: SigningKey) -> None:
    response = as_bea.get(f"{PAGE}{current.kid}/certificate/")

    assert response["Content-Disposition"] == f'attachment; filename="rs256-{current.kid[:8]}.pem"'
    assert x509.load_pem_x509_certificate(response.content).public_key().public_numbers().n.bit_length() == 2048


def test_rotation_waits_until_every_verifier_can_know_the_next_key(as_ada: Client, current: SigningKey) -> None:
    page = as_ada.get(PAGE)

    assert "Rotation opens in 4 minutes" in text_of(page) or "Rotation opens in 5 minutes" in text_of(page)
    assert f'href="{ROTATE}">' not in page.content.decode()
    assert "Not yet: safe from" in text_of(as_ada.get(ROTATE))
    response = as_ada.post(ROTATE)
    assert response.status_code == 422
    assert "The next key has not been published long enough." in text_of(response)
    current.refresh_from_db()
    assert current.state == KeyState.CURRENT


def test_rotation_moves_every_key_one_place(as_ada: Client, ripe: Tenant, current: SigningKey, client: Client) -> None:
    upcoming = ripe.signing_keys.get(state=KeyState.NEXT)
    assert f'href="{ROTATE}"' in as_ada.get(PAGE).content.decode()
    assert f"{upcoming.kid[:8]}… signs from now on." in text_of(as_ada.get(ROTATE))

    response = as_ada.post(ROTATE, follow=True)

    assert "Rotated." in text_of(response) and response.redirect_chain == [(PAGE, 302)]
    assert ripe.signing_keys.get(state=KeyState.CURRENT) == upcoming
    assert ripe.signing_keys.get(state=KeyState.PREVIOUS) == current
    assert len(published(client)) == 3
    assert Event.objects.filter(type="signing_key.rotated").count() == 1


def test_rotating_anyway_needs_the_word(as_ada: Client, current: SigningKey) -> None:
    assert "Verifiers may refuse new tokens for up to 5 minutes" in text_of(as_ada.get(ROTATE + "?emergency=1"))
    refused = as_ada.post(ROTATE, {"emergency": "1", "confirmation": "yes"})
    assert refused.status_code == 422 and "Type rotate to confirm." in text_of(refused)

    as_ada.post(ROTATE, {"emergency": "1", "confirmation": "rotate"})

    current.refresh_from_db()
    assert current.state == KeyState.PREVIOUS


def test_revoking_takes_a_previous_key_out_of_the_key_set(as_ada: Client, previous: SigningKey, client: Client) -> None:
    assert previous.kid in published(client)
    page = as_ada.get(revoke_page(previous))
    assert "This cannot be undone" in text_of(page) and "stops verifying" in text_of(page)

    response = as_ada.post(revoke_page(previous), {"confirmation": previous.kid[:8]}, follow=True)

    assert previous.kid not in published(client)
    assert [key.kid for key in response.context["revoked"]] == [previous.kid]
    assert as_ada.get(revoke_page(previous)).status_code == 404


@pytest.mark.parametrize("typed", ["", "no", "x" * 100])
def test_revoking_needs_the_beginning_of_the_key_id(as_ada: Client, previous: SigningKey, typed: str) -> None:
    response = as_ada.post(revoke_page(previous), {"confirmation": typed})

    assert response.status_code == 422 and "Revoke key" in text_of(response)
    previous.refresh_from_db()
    assert previous.state == KeyState.PREVIOUS


def test_a_current_key_cannot_be_revoked(as_ada: Client, current: SigningKey, client: Client) -> None:
    assert "Only a previous key can be revoked" in text_of(as_ada.get(revoke_page(current)))
    response = as_ada.post(revoke_page(current), {"confirmation": current.kid[:8]})

    assert response.status_code == 422 and "Rotate first." in text_of(response)
    assert current.kid in published(client)


def test_the_last_three_revoked_keys_are_listed(as_bea: Client, tenant: Tenant, by: Actor) -> None:
    kids = []
    for _ in range(4):
        rotate_signing_keys(tenant, by, emergency=True)
        kids.append(revoke_signing_key(tenant.signing_keys.get(state=KeyState.PREVIOUS), by).kid)

    assert [key.kid for key in as_bea.get(PAGE).context["revoked"]] == kids[:0:-1]


def test_a_previous_key_that_no_token_needs_is_retired(as_ada: Client, previous: SigningKey, client: Client) -> None:
    SigningKey.objects.filter(pk=previous.pk).update(previous_at=timezone.now() - PREVIOUS_KEPT)

    assert previous.kid not in published(client)
    assert "Its last token has expired, so it is out of the key set." in text_of(as_ada.get(PAGE))


def test_a_previous_key_is_published_until_its_last_token_has_expired(previous: SigningKey, client: Client) -> None:
    almost = timezone.now() - PREVIOUS_KEPT + datetime.timedelta(minutes=1)
    SigningKey.objects.filter(pk=previous.pk).update(previous_at=almost)

    assert previous.kid in published(client)


def test_only_admins_change_keys(
    as_eve: Client, as_bea: Client, previous: SigningKey, ripe: Tenant, calendar_api: API
) -> None:
    for member in (as_eve, as_bea):
        assert "Only admins rotate and revoke keys" in text_of(member.get(PAGE))
        assert "Revoke…" not in text_of(member.get(PAGE)) and "Danger zone" not in text_of(member.get(PAGE))
        for address in (ROTATE, ROTATE + "?emergency=1", revoke_page(previous)):
            assert member.get(address).status_code == 403
            assert member.post(address, {"confirmation": previous.kid[:8]}).status_code == 403
    previous.refresh_from_db()
    assert previous.state == KeyState.PREVIOUS


def test_another_tenants_key_is_not_found(as_ada: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = other_tenant.signing_keys.get(state=KeyState.CURRENT)

    for address in (revoke_page(foreign), f"{PAGE}{foreign.kid}/certificate/"):
        assert as_ada.get(address).status_code == 404
    assert as_ada.post(revoke_page(foreign), {"confirmation": foreign.kid[:8]}).status_code == 404
    assert as_ada.get("/t/other/keys/").status_code == 404
    assert foreign.kid not in as_ada.get(PAGE).content.decode()


@pytest.mark.parametrize("kid", ["a%00b", "x" * 10_000, "nosuch"])
def test_an_id_that_cannot_be_is_not_found(as_ada: Client, tenant: Tenant, kid: str) -> None:
    assert as_ada.get(f"{PAGE}{kid}/revoke/").status_code in {400, 404}


def test_strangers_sign_in_first(client: Client, tenant: Tenant) -> None:
    assert client.get(PAGE)["Location"].startswith("/account/sign-in/")
    assert client.post(ROTATE).status_code == 302


@pytest.mark.parametrize("rotations", [1, 8])
def test_queries_do_not_grow_with_keys(
    as_ada: Client, tenant: Tenant, by: Actor, rotations: int, django_assert_max_num_queries: Any
) -> None:
    ensure_signing_keys(tenant, "ES256")
    for _ in range(rotations):
        rotate_signing_keys(tenant, by, emergency=True)

    with django_assert_max_num_queries(10):
        as_ada.get(PAGE)
