import pytest

from applications.models import Application
from applications.operations import authorize_application, update_application
from audit.models import Event


def test_what_is_changed_is_saved(as_eve, web_app, at, form_of):
    changes = {"name": "Booking", "description": "Books", "redirect_uris": "https://app.example/cb", "enabled": None}

    response = as_eve.post(at(web_app), form_of(web_app.row, **changes))

    saved = Application.objects.get()
    assert response["Location"] == at(web_app)
    assert (saved.name, saved.description, saved.enabled) == ("Booking", "Books", False)
    assert saved.redirect_uris == "https://app.example/cb"


def test_saving_nothing_changes_nothing(as_eve, web_app, at, form_of):
    as_eve.post(at(web_app), form_of(web_app.row))

    assert Event.objects.order_by("sequence").last().changes == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "<script>"}, "name"),
        ({"description": "x" * 141}, "description"),
        ({"logo_uri": "http://plain.example/logo.png"}, "logo_uri"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"grant_types": []}, "grant_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"redirect_uris": "http://app.example/cb"}, "redirect_uris"),
        ({"redirect_uris": "https://*.example/cb"}, "redirect_uris"),
        ({"redirect_uris": "https://app.example/cb#x"}, "redirect_uris"),
        ({"post_logout_redirect_uris": "javascript:alert(1)"}, "post_logout_redirect_uris"),
        ({"allowed_origins": "https://app.example/path"}, "allowed_origins"),
        ({"app_type": "toaster"}, "app_type"),
        ({"revision": "999999999999999999999"}, "revision"),
        ({"revision": None}, "revision"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(as_eve, web_app, at, form_of, wrong, field):
    before = Application.objects.values().get()

    response = as_eve.post(at(web_app), form_of(web_app.row, **wrong))

    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert Application.objects.values().get() == before


def test_the_head_shows_what_is_saved_while_the_form_keeps_what_was_typed(as_eve, web_app, at, form_of):
    page = as_eve.post(at(web_app), form_of(web_app.row, name="New name", description="x" * 141)).content.decode()

    assert "<h1>Booking site</h1>" in page
    assert 'value="New name"' in page


def test_somebody_who_comes_too_late_sees_both_and_may_insist(as_eve, web_app, at, form_of, by):
    mine = form_of(web_app.row, name="Mine")
    update_application(web_app.row, by, name="Theirs", description="Theirs too")

    late = as_eve.post(at(web_app), mine)

    form = late.context["form"]
    assert late.status_code == 422
    assert form.errors["name"] == ["Saved by somebody else: Theirs"]
    assert form["name"].value() == "Mine"
    assert Application.objects.get().name == "Theirs"
    as_eve.post(at(web_app), mine | {"revision": form["revision"].value()})
    assert Application.objects.get().name == "Mine"


def test_becoming_public_says_first_what_it_ends(as_eve, billing_app, billing_grant, at, form_of):
    widget = form_of(billing_app.row, app_type="spa", grant_types=["authorization_code"])

    asked = as_eve.post(at(billing_app), widget)

    assert asked.status_code == 422
    assert "Calendar API" in asked.context["form"].errors["app_type"][0]
    assert Application.objects.get().app_type == "non_interactive"
    as_eve.post(at(billing_app), widget | {"confirmed_type": "spa"})
    made = Application.objects.get()
    assert (made.app_type, made.token_endpoint_auth_method) == ("spa", "none")
    assert not made.secrets.exists() and not made.client_grants.exists()


def test_a_secret_does_not_come_back_when_the_type_does(
    as_eve, billing_app, billing_grant, at, form_of, calendar_api, ask, by
):
    as_eve.post(
        at(billing_app),
        form_of(billing_app.row, app_type="spa", grant_types=["authorization_code"], confirmed_type="spa"),
    )
    machine = {"app_type": "non_interactive", "grant_types": ["client_credentials"]}
    as_eve.post(at(billing_app), form_of(billing_app.row, **machine))
    authorize_application(Application.objects.get(), calendar_api, by, scopes=["read:appointments"])

    assert Application.objects.get().token_endpoint_auth_method == "client_secret_post"
    assert ask().status_code == 401


def test_a_public_application_cannot_use_client_credentials(as_eve, spa_app, at, form_of):
    response = as_eve.post(at(spa_app), form_of(spa_app.row, grant_types=["client_credentials"]))

    assert response.status_code == 422
    assert "keeps no secret" in response.context["form"].errors["grant_types"][0]


def test_a_viewer_sees_the_settings_and_cannot_save_them(as_bea, web_app, at, form_of):
    page = as_bea.get(at(web_app)).content.decode()

    assert '<fieldset class="bare" disabled>' in page
    assert "Delete application" not in page and "save-bar" not in page
    assert as_bea.post(at(web_app), form_of(web_app.row, name="Mine")).status_code == 403
    assert Application.objects.get().name == "Booking site"


@pytest.mark.parametrize("page", ["", "settings/", "credentials/", "apis/", "delete/"])
def test_another_tenants_application_is_not_there(as_cal, other_tenant, web_app, page):
    address = f"/t/other/applications/{web_app.client_id}/{page}"

    assert as_cal.get(address).status_code == 404
    assert as_cal.post(address, {"name": "Booking site"}).status_code in {404, 405}
    assert Application.objects.filter(name="Booking site").exists()


@pytest.mark.parametrize("client_id", ["nobody", "%00", "x" * 10_000, "%F0%9F%92%A9", "'%20OR%201=1"])
def test_an_id_that_is_none_is_not_found(as_ada, tenant, client_id):
    assert as_ada.get(f"/t/main/applications/{client_id}/settings/").status_code == 404


def test_deleting_names_what_is_lost_and_asks_for_the_name(as_eve, billing_app, billing_grant, at):
    page = as_eve.get(at(billing_app, "delete/"))

    assert page.context["apis"] == ["Calendar API"]
    assert "Calendar API" in page.content.decode()
    assert as_eve.post(at(billing_app, "delete/"), {"name": "billing"}).status_code == 422
    assert Application.objects.exists()
    assert as_eve.post(at(billing_app, "delete/"), {"name": "Billing"})["Location"] == "/t/main/applications/"
    assert not Application.objects.exists()


def test_a_viewer_cannot_delete(as_bea, billing_app, at):
    assert as_bea.post(at(billing_app, "delete/"), {"name": "Billing"}).status_code == 403
    assert Application.objects.exists()


@pytest.mark.parametrize("apis", [3, 30])
def test_the_number_of_queries_does_not_grow(
    as_bea, billing_app, tenant, by, at, apis, make_apis, django_assert_max_num_queries
):
    for api in make_apis(apis):
        authorize_application(billing_app.row, api, by)

    with django_assert_max_num_queries(12):
        as_bea.get(at(billing_app))
