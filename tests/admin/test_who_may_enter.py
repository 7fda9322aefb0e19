import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.operations import update_member


def pages():
    labels = [model._meta.label_lower.replace(".", "_") for model in admin.site._registry]
    return ["/admin/", *(reverse(f"admin:{label}_changelist") for label in labels)]


@pytest.mark.parametrize("page", pages())
def test_a_stranger_is_sent_to_the_sign_in_page(client, tenant, page):
    answer = client.get(page)

    assert answer.status_code == 302
    assert client.get(answer["Location"], follow=True).redirect_chain[-1][0].startswith("/account/sign-in/")


@pytest.mark.parametrize("page", ["/admin/", "/admin/apis/api/", "/admin/accounts/user/"])
def test_a_tenants_own_admin_is_refused(as_ada, page):
    assert as_ada.get(page, follow=True).status_code == 403


def test_an_operator_enters_and_sees_that_changes_are_recorded(as_opal):
    page = as_opal.get("/admin/")

    assert page.status_code == 200 and "Operator area: changes here are recorded" in page.content.decode()
    assert "style=" not in page.content.decode() and "'unsafe-inline'" not in page["Content-Security-Policy"]


def test_somebody_who_is_no_operator_any_more_is_refused_at_once(as_opal, opal, ada, by):
    update_member(ada, by, is_staff=True)
    update_member(opal, by, is_staff=False)

    assert as_opal.get("/admin/", follow=True).status_code == 403


def test_it_answers_on_the_consoles_host_only(as_opal, other_tenant):
    assert as_opal.get("/admin/", headers={"host": "other.example"}).status_code == 404


def test_only_our_own_models_are_there(as_opal):
    labels = {model._meta.label for model in admin.site._registry}

    assert {label.partition(".")[0] for label in labels} == {"audit", "accounts", "apis", "applications", "tokens"}
    shown = as_opal.get("/admin/").content.decode()
    for name in ("authorizationcode", "accesstoken", "refreshtoken", "idtoken"):
        assert name not in shown
        assert as_opal.get(f"/admin/tokens/{name}/").status_code == 403


def test_signing_out_ends_at_the_sign_in_page(as_opal):
    assert as_opal.post("/admin/logout/")["Location"] == "/account/sign-in/"
    assert as_opal.get("/admin/").status_code == 302


def test_passwords_are_changed_on_the_consoles_own_page(as_opal):
    assert as_opal.get("/admin/password_change/")["Location"] == "/account/password/"
