"""Nobody gets an admin's powers through the system API: who may use it, and how those authenticate, takes an admin."""

import pytest

from applications.models import ClientGrant
from applications.operations import add_credential, authorize_application
from applications.public_keys import public_jwk_from_pem
from tests.applications.test_credentials_page import EC_KEY, pem_of

REASON = "Only an admin decides who may use the Management API."
HELD = "so only an admin changes how it authenticates."


@pytest.fixture
def system(tenant):
    return tenant.apis.get(is_system=True)


@pytest.fixture
def grant(billing_app, system, by):
    """Billing may use the Management API, as an admin decided."""
    return authorize_application(billing_app.row, system, by, scopes=["read:clients"])


def tab(api, page="machine-to-machine/"):
    return f"/t/main/apis/{api.pk}/{page}"


def terms(grant):
    return [(row.pk, row.scope_values(), row.allow_all_scopes) for row in ClientGrant.objects.filter(pk=grant.pk)]


@pytest.mark.parametrize("switch", ["on", "off"])
def test_an_editor_cannot_switch_it_on_the_application(as_eve, at, billing_app, grant, switch):
    before = terms(grant)

    answer = as_eve.post(at(billing_app, "apis/"), {"api": grant.api_id, "authorize": switch})

    assert (answer.status_code, REASON in answer.content.decode(), terms(grant)) == (403, True, before)


@pytest.mark.parametrize("action", ["authorize", "deauthorize", "undo", "save"])
def test_an_editor_cannot_decide_on_the_tab(as_eve, billing_app, grant, action):
    before = terms(grant)
    sent = {"action": action, "reach": "all", "revision": grant.revision}

    answer = as_eve.post(f"{tab(grant.api)}{billing_app.client_id}/", sent)

    assert (answer.status_code, REASON in answer.content.decode(), terms(grant)) == (403, True, before)


def test_an_editor_cannot_grant_several_at_once(as_eve, billing_app, grant):
    ids = sorted(grant.api.scopes.values_list("pk", flat=True))
    sent = {"added": f"{ids[0]}-{ids[-1]}", "applications": billing_app.client_id}

    answer = as_eve.post(f"{tab(grant.api, 'scopes/')}grant/", sent)

    assert (answer.status_code, grant.scope_values()) == (403, ["read:clients"])


@pytest.mark.parametrize("fix", ["", "grant", "authorize", "unauthorize"])
def test_an_editor_cannot_run_its_test(as_eve, billing_app, grant, fix):
    sent = {"application": billing_app.client_id, "scope": ["update:tenant_settings"], "fix": fix}

    answer = as_eve.post(tab(grant.api, "test/"), sent)

    assert (answer.status_code, REASON in answer.content.decode()) == (403, True)
    assert grant.scope_values() == ["read:clients"]


def test_an_admin_decides_all_of_it(as_ada, at, billing_app, system):
    as_ada.post(at(billing_app, "apis/"), {"api": system.pk, "authorize": "on"})
    sent = {"action": "save", "reach": "these", "scopes": ["read:clients"], "revision": "1"}
    as_ada.post(f"{tab(system)}{billing_app.client_id}/", sent)

    assert ClientGrant.objects.get().scope_values() == ["read:clients"]
    assert as_ada.post(tab(system, "test/"), {"application": billing_app.client_id}).context["token"]


def test_an_editor_sees_the_controls_locked_and_why(as_eve, as_ada, at, billing_app, grant, calendar_api):
    opened = f"{tab(grant.api)}?open={billing_app.client_id}"
    for address in (opened, f"{tab(grant.api)}{billing_app.client_id}/", at(billing_app, "apis/")):
        page, whole = (browser.get(address).content.decode() for browser in (as_eve, as_ada))
        assert REASON in page and REASON not in whole
        assert " disabled" in page and " disabled" not in whole
    assert REASON in as_eve.get(tab(grant.api, "test/")).content.decode()
    assert REASON not in as_eve.get(tab(calendar_api)).content.decode()


def acts_on(app, by):
    key = add_credential(app.row, by, public_jwk_from_pem(pem_of(EC_KEY), "ES256"))
    secret = app.row.secrets.get().pk
    return {
        "method/": {"method": "client_secret_basic"},
        "secrets/add/": {},
        f"secrets/{secret}/roll/": {"grace": "0"},
        f"secrets/{secret}/revoke/": {},
        "keys/add/": {"alg": "ES256", "text": pem_of(EC_KEY)},
        f"keys/{key.pk}/delete/": {},
    }


def test_an_editor_gets_no_credentials_of_an_application_that_may_use_it(as_eve, at, billing_app, grant, by):
    page, acts = at(billing_app, "credentials/"), acts_on(billing_app, by)
    before = [*billing_app.row.secrets.values(), *billing_app.row.credentials.values()]

    for act, sent in acts.items():
        answer = as_eve.post(f"{page}{act}", sent)
        assert (act, answer.status_code, HELD in answer.content.decode()) == (act, 403, True)
    shown = as_eve.get(page).content.decode()

    assert HELD in shown and "Add secret" not in shown and "Revoke…" not in shown and "Save method" not in shown
    assert [*billing_app.row.secrets.values(), *billing_app.row.credentials.values()] == before


def test_an_admin_does(as_ada, at, billing_app, grant):
    page = at(billing_app, "credentials/")

    assert HELD not in as_ada.get(page).content.decode()
    assert as_ada.post(f"{page}secrets/add/").context["secret"]
