import pytest
from django.test import Client

from accounts.models import Tenant
from accounts.operations import update_tenant
from apis.operations import delete_api
from tests.conftest import HOST

PAGE = "/t/main/settings/"


def form_of(tenant, **changes):
    tenant.refresh_from_db()
    names = ["friendly_name", "support_email", "support_url", "default_audience", "revision"]
    return {name: getattr(tenant, name) for name in names} | changes


def test_an_admin_saves(as_ada, tenant, calendar_api):
    changes = {
        "friendly_name": "Acme",
        "support_email": "help@acme.example",
        "support_url": "https://acme.example/help",
        "default_audience": calendar_api.identifier,
    }

    assert as_ada.post(PAGE, form_of(tenant, **changes))["Location"] == PAGE
    assert form_of(tenant) == {**changes, "revision": 2}


def test_name_and_issuer_are_shown_and_stay(as_ada, tenant):
    assert tenant.issuer in as_ada.get(PAGE).content.decode()

    as_ada.post(PAGE, form_of(tenant, name="mine", issuer="https://evil.example/", domain="evil.example"))

    saved = Tenant.objects.get()
    assert (saved.name, saved.issuer, saved.domain) == ("main", tenant.issuer, tenant.domain)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"friendly_name": "<b>"}, "friendly_name"),
        ({"friendly_name": "x" * 101}, "friendly_name"),
        ({"friendly_name": "a\x00b"}, "friendly_name"),
        ({"support_email": "nobody"}, "support_email"),
        ({"support_url": "javascript:alert(1)"}, "support_url"),
        ({"default_audience": "https://nobody.example/"}, "default_audience"),
        ({"revision": ""}, "revision"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(as_ada, tenant, wrong, field):
    before = form_of(tenant)

    response = as_ada.post(PAGE, before | wrong)

    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert form_of(tenant) == before


def test_another_tenants_api_is_no_default(as_ada, tenant, other_tenant):
    identifier = other_tenant.apis.get().identifier

    assert as_ada.post(PAGE, form_of(tenant, default_audience=identifier)).status_code == 422


def test_settings_can_be_saved_after_the_default_api_is_gone(as_ada, tenant, calendar_api, by):
    update_tenant(tenant, by, default_audience=calendar_api.identifier)
    delete_api(calendar_api, by)

    as_ada.post(PAGE, form_of(tenant, friendly_name="Acme", default_audience=""))

    assert form_of(tenant)["friendly_name"] == "Acme"


def test_somebody_who_comes_too_late_sees_both_and_may_insist(as_ada, tenant, by):
    mine = form_of(tenant, friendly_name="Mine")
    update_tenant(tenant, by, friendly_name="Theirs")

    late = as_ada.post(PAGE, mine)

    form = late.context["form"]
    assert late.status_code == 422
    assert form.errors["friendly_name"] == ["Saved by somebody else: Theirs"]
    assert form["friendly_name"].value() == "Mine"
    as_ada.post(PAGE, mine | {"revision": form["revision"].value()})
    assert form_of(tenant)["friendly_name"] == "Mine"


@pytest.mark.parametrize("who", ["as_eve", "as_bea"])
def test_only_admins_save(request, who, tenant):
    browser = request.getfixturevalue(who)

    page = browser.get(PAGE).content.decode()

    assert '<fieldset class="bare" disabled>' in page and "save-bar" not in page
    assert browser.post(PAGE, form_of(tenant, friendly_name="Mine")).status_code == 403
    assert form_of(tenant)["friendly_name"] == "Main"


def test_a_stranger_finds_nothing(as_cal, tenant):
    assert as_cal.get(PAGE).status_code == as_cal.post(PAGE, form_of(tenant)).status_code == 404


def test_a_form_from_elsewhere_is_refused(ada, tenant):
    outside = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    outside.force_login(ada, backend="accounts.backends.MemberBackend")

    assert outside.post(PAGE, form_of(tenant, friendly_name="Mine")).status_code == 403


def test_the_page_asks_the_database_twelve_times_at_most(as_ada, calendar_api, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        as_ada.get(PAGE)
