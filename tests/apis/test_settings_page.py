import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Tenant
from apis.models import API
from apis.operations import create_api, update_api
from applications.models import ClientGrant
from applications.operations import authorize_application
from audit.actors import Actor
from audit.models import Event
from tests.conftest import PASSWORD, make_app

GOOD = {
    "name": "Calendar API",
    "token_lifetime": "86400",
    "token_lifetime_for_web": "7200",
    "token_dialect": "access_token",
    "client_policy": "require_client_grant",
    "user_policy": "allow_all",
    "revision": "1",
}


def page_of(api: API, name: str = "settings") -> str:
    return f"/t/{api.tenant.name}/apis/{api.pk}/{name}/"


@pytest.fixture
def legacy_api(tenant: Tenant, by: Actor) -> API:
    return create_api(tenant, by, name="Legacy", identifier="urn:legacy", signing_alg="HS256")


@pytest.fixture
def system_api(tenant: Tenant) -> API:
    return tenant.apis.get(is_system=True)


def confirm(browser: Client) -> None:
    """Type the password again, as the confirm page asks."""
    assert browser.post("/account/confirm/", {"password": PASSWORD}).status_code == 302


# Looking and saving


def test_every_setting_of_the_founding_documents_is_there(as_bea: Client, calendar_api: API) -> None:
    html = as_bea.get(page_of(calendar_api)).content.decode()

    for label in [
        "Id",
        "Name",
        "Identifier",
        "Token expiration",
        "Token expiration for browser flows",
        "Allow skipping user consent",
        "Allow offline access",
        "Signing algorithm",
        "Token profile",
        "Application access",
        "User access",
    ]:
        assert re.search(rf">{label}\s*<", html), label
    assert calendar_api.pk in html and 'value="https://calendar.example/"' not in html


def test_saving_changes_everything_that_can_change(as_eve: Client, calendar_api: API) -> None:
    response = as_eve.post(
        page_of(calendar_api),
        {
            "name": "Diary API",
            "token_lifetime": "3600",
            "token_lifetime_for_web": "1800",
            "token_dialect": "rfc9068_profile_authz",
            "enforce_policies": "on",
            "skip_consent_for_verifiable_first_party_clients": "on",
            "allow_offline_access": "on",
            "client_policy": "deny_all",
            "user_policy": "deny_all",
            "revision": "1",
        },
    )

    api = API.objects.get(pk=calendar_api.pk)
    assert response.status_code == 302 and response["Location"] == page_of(calendar_api)
    assert (api.name, api.token_lifetime, api.token_lifetime_for_web) == ("Diary API", 3600, 1800)
    assert api.token_dialect == "rfc9068_profile_authz" and api.enforce_policies and api.allow_offline_access
    assert api.skip_consent_for_verifiable_first_party_clients
    assert (api.client_policy, api.user_policy, api.revision) == ("deny_all", "deny_all", 2)


def test_a_lower_expiration_takes_that_of_browser_flows_along(as_eve: Client, calendar_api: API) -> None:
    response = as_eve.post(page_of(calendar_api), GOOD | {"token_lifetime": "900"})

    api = API.objects.get(pk=calendar_api.pk)
    assert response.status_code == 302 and (api.token_lifetime, api.token_lifetime_for_web) == (900, 900)


def test_an_operation_too_takes_it_along(calendar_api: API, by: Actor) -> None:
    assert update_api(calendar_api, by, token_lifetime=900).token_lifetime_for_web == 900
    with pytest.raises(ValidationError, match="cannot be above token expiration"):
        update_api(calendar_api, by, token_lifetime=900, token_lifetime_for_web=901)


def test_what_is_permanent_stays_whatever_is_sent(as_eve: Client, calendar_api: API) -> None:
    as_eve.post(
        page_of(calendar_api),
        GOOD | {"identifier": "urn:evil", "signing_alg": "HS256", "is_system": "on", "id": "0" * 24, "tenant": "2"},
    )

    api = API.objects.get(pk=calendar_api.pk)
    assert (api.identifier, api.signing_alg, api.is_system) == ("https://calendar.example/", "RS256", False)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "This field is required."),
        ("name", "<b>", "Use any characters except < and >."),
        ("name", "x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("token_lifetime", "0", "Use at least 1 second."),
        ("token_lifetime", "2592001", "Use at most 2592000 seconds (30 days)."),
        ("token_lifetime", "soon", "Enter a whole number."),
        ("token_lifetime_for_web", "86401", "The expiration for browser flows cannot be above token expiration."),
        ("token_lifetime_for_web", "0", "Ensure this value is greater than or equal to 1."),
        ("token_dialect", "x", "Select a valid choice. x is not one of the available choices."),
        ("client_policy", "allow_all", "Select a valid choice. allow_all is not one of the available choices."),
        ("user_policy", "x\x00", "Select a valid choice. x\x00 is not one of the available choices."),
        ("revision", "", "This field is required."),
        ("revision", "x", "Enter a whole number."),
        ("revision", "9" * 30, "Ensure this value is less than or equal to 2147483647."),
    ],
)
def test_a_broken_rule_is_told_at_the_field(
    as_eve: Client, calendar_api: API, field: str, value: str, message: str
) -> None:
    response = as_eve.post(page_of(calendar_api), GOOD | {field: value})

    assert response.status_code == 422
    assert message in response.context["form"].errors[field]
    assert API.objects.get(pk=calendar_api.pk).revision == 1


def test_the_head_of_a_refused_page_shows_the_saved_name(as_eve: Client, calendar_api: API) -> None:
    html = as_eve.post(page_of(calendar_api), GOOD | {"name": "New", "token_lifetime": "0"}).content.decode()

    assert "<h1>Calendar API</h1>" in html and 'value="New"' in html


def test_a_stale_edit_shows_what_was_saved_and_saving_again_wins(as_eve: Client, calendar_api: API, by: Actor) -> None:
    update_api(calendar_api, by, name="Theirs", token_lifetime=9000)

    stale = as_eve.post(page_of(calendar_api), GOOD | {"name": "Mine"})
    html = stale.content.decode()
    again = as_eve.post(page_of(calendar_api), GOOD | {"name": "Mine", "revision": "2"})

    assert stale.status_code == 422 and 'value="Mine"' in html
    assert "Saved by somebody else: Theirs" in html and "Saved by somebody else: 9000" in html
    assert 'name="revision" value="2"' in html
    assert again.status_code == 302 and API.objects.get(pk=calendar_api.pk).name == "Mine"


def test_hostile_text_is_escaped(as_eve: Client, tenant: Tenant, by: Actor) -> None:
    api = create_api(tenant, by, name="\"'&{{ 7*7 }}", identifier="urn:\"'&")
    html = as_eve.get(page_of(api)).content.decode()

    assert "<h1>&quot;&#x27;&amp;{{ 7*7 }}</h1>" in html and "urn:\"'" not in html


# The system API


def test_of_the_system_api_only_lifetimes_and_consent_change(as_ada: Client, system_api: API) -> None:
    response = as_ada.post(
        page_of(system_api),
        {
            "token_lifetime": "3600",
            "token_lifetime_for_web": "600",
            "skip_consent_for_verifiable_first_party_clients": "on",
            "name": "Mine",
            "client_policy": "deny_all",
            "allow_offline_access": "on",
            "revision": "1",
        },
    )

    api = API.objects.get(pk=system_api.pk)
    assert response.status_code == 302
    assert (api.token_lifetime, api.token_lifetime_for_web, api.name) == (3600, 600, "Auth0 Management API")
    assert api.client_policy == "require_client_grant" and not api.allow_offline_access
    assert api.skip_consent_for_verifiable_first_party_clients


def test_the_system_api_cannot_be_deleted(as_ada: Client, system_api: API) -> None:
    assert "Delete this API" not in as_ada.get(page_of(system_api)).content.decode()
    assert as_ada.get(page_of(system_api, "delete")).status_code == 403
    assert as_ada.post(page_of(system_api, "delete"), {"name": system_api.name}).status_code == 403
    assert API.objects.filter(pk=system_api.pk).exists()


# Who may


@pytest.mark.parametrize("name", ["settings", "delete", "settings/signing-secret"])
def test_a_viewer_may_not_change(as_bea: Client, legacy_api: API, name: str) -> None:
    assert as_bea.post(page_of(legacy_api, name), GOOD | {"action": "reveal"}).status_code == 403
    assert API.objects.get(pk=legacy_api.pk).revision == 1


def test_a_viewer_sees_settings_but_no_buttons(as_bea: Client, legacy_api: API) -> None:
    html = as_bea.get(page_of(legacy_api)).content.decode()

    assert '<fieldset class="bare" disabled>' in html
    assert "Save changes" not in html and "Danger zone" not in html and "Reveal" not in html


@pytest.mark.parametrize("name", ["settings", "delete", "settings/signing-secret", "scopes"])
def test_a_stranger_and_a_neighbour_learn_nothing(as_cal: Client, client: Client, calendar_api: API, name: str) -> None:
    in_their_own = page_of(calendar_api, name).replace("/t/main/", "/t/other/")
    confirm(as_cal)

    assert as_cal.get(page_of(calendar_api, name)).status_code == 404
    assert as_cal.post(page_of(calendar_api, name), GOOD).status_code == 404
    assert as_cal.get(in_their_own).status_code == 404
    assert as_cal.post(in_their_own, GOOD).status_code == 404
    assert client.get(page_of(calendar_api, name)).status_code == 302


@pytest.mark.parametrize("name", ["settings", "delete", "settings/signing-secret", "scopes", "scopes/1"])
@pytest.mark.parametrize("api_id", ["0" * 24, "%00", "x" * 10000, "'\"&"])
def test_an_id_that_cannot_be_is_not_found(as_eve: Client, api_id: str, name: str) -> None:
    confirm(as_eve)

    assert as_eve.get(f"/t/main/apis/{api_id}/{name}/").status_code in {400, 404}
    assert as_eve.post(f"/t/main/apis/{api_id}/{name}/").status_code in {400, 404}


def test_the_number_of_queries(as_ada: Client, calendar_api: API, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(10):
        as_ada.get(page_of(calendar_api))


# The signing secret


def test_the_secret_is_nowhere_on_the_settings_page(as_ada: Client, legacy_api: API) -> None:
    assert legacy_api.reveal_signing_secret() not in as_ada.get(page_of(legacy_api)).content.decode()


@pytest.mark.parametrize("action", ["reveal", "rotate"])
def test_the_secret_asks_for_the_password_first(as_eve: Client, legacy_api: API, action: str) -> None:
    secret = legacy_api.reveal_signing_secret()
    page = page_of(legacy_api, "settings/signing-secret")

    for response in (as_eve.get(page), as_eve.post(page, {"action": action})):
        assert response.status_code == 302 and response["Location"].startswith("/account/confirm/?next=")
    assert API.objects.get(pk=legacy_api.pk).reveal_signing_secret() == secret
    assert not Event.objects.filter(type__startswith="api.signing_secret").exists()


def test_revealing_shows_the_secret_and_leaves_a_trace(as_eve: Client, legacy_api: API) -> None:
    confirm(as_eve)
    page = page_of(legacy_api, "settings/signing-secret")

    before = as_eve.get(page)
    shown = as_eve.post(page, {"action": "reveal"})

    assert legacy_api.reveal_signing_secret() not in before.content.decode()
    assert legacy_api.reveal_signing_secret() in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    event = Event.objects.get(type="api.signing_secret_revealed")
    assert event.actor_name == "eve@example.com" and event.target_id == legacy_api.pk


def test_rotating_replaces_the_secret_and_shows_the_new_one(as_eve: Client, legacy_api: API) -> None:
    confirm(as_eve)
    old = legacy_api.reveal_signing_secret()

    response = as_eve.post(page_of(legacy_api, "settings/signing-secret"), {"action": "rotate"})

    new = API.objects.get(pk=legacy_api.pk).reveal_signing_secret()
    assert new != old and new in response.content.decode() and "no-store" in response["Cache-Control"]
    assert Event.objects.filter(type="api.signing_secret_rotated").count() == 1
    assert not Event.objects.filter(details__icontains=new).exists()


def test_an_api_that_signs_with_keys_has_no_secret_page(as_eve: Client, calendar_api: API) -> None:
    confirm(as_eve)

    assert as_eve.get(page_of(calendar_api, "settings/signing-secret")).status_code == 404
    assert as_eve.post(page_of(calendar_api, "settings/signing-secret"), {"action": "rotate"}).status_code == 404


# Deleting


def test_deleting_an_unused_api_takes_one_click(as_eve: Client, calendar_api: API) -> None:
    assert "No application is affected." in as_eve.get(page_of(calendar_api, "delete")).content.decode()

    response = as_eve.post(page_of(calendar_api, "delete"))

    assert response["Location"] == "/t/main/apis/" and not API.objects.filter(pk=calendar_api.pk).exists()


@pytest.mark.parametrize("typed", ["", "calendar api", "x\x00"])
def test_deleting_a_used_api_wants_its_name_typed(
    as_eve: Client, billing_grant: ClientGrant, calendar_api: API, typed: str
) -> None:
    response = as_eve.post(page_of(calendar_api, "delete"), {"name": typed})

    assert response.status_code == 422 and "<li>Billing</li>" in response.content.decode()
    assert API.objects.filter(pk=calendar_api.pk).exists()


def test_deleting_with_the_name_takes_the_authorizations_along(
    as_eve: Client, billing_grant: ClientGrant, calendar_api: API
) -> None:
    as_eve.post(page_of(calendar_api, "delete"), {"name": "Calendar API"})

    assert not API.objects.filter(pk=calendar_api.pk).exists() and not ClientGrant.objects.exists()


def test_twenty_names_and_how_many_more(as_eve: Client, tenant: Tenant, calendar_api: API, by: Actor) -> None:
    for number in range(23):
        authorize_application(
            make_app(tenant, by, name=f"App & {number:02}", app_type="non_interactive").row, calendar_api, by
        )

    html = as_eve.get(page_of(calendar_api, "delete")).content.decode()

    assert "<strong>23 applications</strong>" in html and "<li>and 3 more</li>" in html
    assert "<li>App &amp; 19</li>" in html and "App &amp; 20" not in html
