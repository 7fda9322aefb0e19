from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from apis.models import API, Scope
from apis.operations import add_scopes, create_api, describe_scope
from applications.models import ClientGrant
from applications.operations import authorize_application, update_client_grant
from audit.actors import Actor
from audit.models import Event
from tests.conftest import App, make_app

SAME = "This API has a scope of that name already."
CHARACTERS = 'Use visible ASCII characters without spaces, " and \\, such as read:appointments.'


def page_of(api: API, *more: object) -> str:
    return f"/t/{api.tenant.name}/apis/{api.pk}/scopes/" + "".join(f"{part}/" for part in more)


@pytest.fixture
def read(calendar_api: API) -> Scope:
    return calendar_api.scopes.get(value="read:appointments")


def seen_in(scope: Scope) -> dict[str, str]:
    return {"seen": scope.description}


def test_adding_one(as_eve: Client, calendar_api: API) -> None:
    response = as_eve.post(page_of(calendar_api), {"value": "cancel:appointments", "description": "Cancel them"})

    scope = calendar_api.scopes.get(value="cancel:appointments")
    assert scope.description == "Cancel them"
    assert response["Location"] == f"{page_of(calendar_api)}?added={scope.pk}-{scope.pk}"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "This field is required."),
        ("read:appointments", SAME),
        ("two words", CHARACTERS),
        ('a"b', CHARACTERS),
        ("a\\b", CHARACTERS),
        ("lës", CHARACTERS),
        ("a\x00", "Null characters are not allowed."),
        ("openid", "openid is reserved for OpenID Connect. Choose another name."),
        ("offline_access", "offline_access is reserved for OpenID Connect. Choose another name."),
        ("x" * 281, "Ensure this value has at most 280 characters (it has 281)."),
    ],
)
def test_a_broken_rule_is_told_at_the_field(as_eve: Client, calendar_api: API, value: str, message: str) -> None:
    response = as_eve.post(page_of(calendar_api), {"value": value, "description": ""})

    assert response.status_code == 422 and message in response.context["form"].errors["value"]
    assert calendar_api.scopes.count() == 2


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("x" * 501, "Ensure this value has at most 500 characters (it has 501)."),
        ("a\x07", "Remove the control and invisible characters."),
        ("a\x00", "Null characters are not allowed."),
    ],
)
def test_a_description_has_rules_too(
    as_eve: Client, calendar_api: API, read: Scope, description: str, message: str
) -> None:
    added = as_eve.post(page_of(calendar_api), {"value": "new", "description": description})
    edited = as_eve.post(page_of(calendar_api, read.pk), {"description": description})

    for response in (added, edited):
        assert response.status_code == 422 and message in response.context["form"].errors["description"]
    assert calendar_api.scopes.count() == 2


def test_adding_several(as_eve: Client, calendar_api: API) -> None:
    lines = 'a:b   Does a to b  \n\n  c:d\r\nquote\'&<i>\tSays "hello" & <b>bye</b>\n'

    response = as_eve.post(page_of(calendar_api), {"lines": lines})

    assert response.status_code == 302
    added = dict(calendar_api.scopes.exclude(value__endswith=":appointments").values_list("value", "description"))
    assert added == {"a:b": "Does a to b", "c:d": "", "quote'&<i>": 'Says "hello" & <b>bye</b>'}


def test_several_with_mistakes_add_nothing_and_name_the_lines(as_eve: Client, calendar_api: API) -> None:
    lines = 'good:one Fine\nread:appointments Again\n\nbad"one x\nopenid\ngood:one Twice\nlong ' + "x" * 501

    response = as_eve.post(page_of(calendar_api), {"lines": lines})

    assert response.status_code == 422
    assert response.context["lines_form"].errors["lines"] == [
        f"Line 2: {SAME}",
        f"Line 4: {CHARACTERS}",
        "Line 5: openid is reserved for OpenID Connect. Choose another name.",
        "Line 6: good:one stands in line 1 already.",
        "Line 7: Ensure this value has at most 500 characters (it has 501).",
    ]
    assert calendar_api.scopes.count() == 2
    assert "good:one Fine" in response.content.decode()


@pytest.mark.parametrize("lines", ["", "  \n \n", "\x00", "x\x00y"])
def test_several_of_nothing(as_eve: Client, calendar_api: API, lines: str) -> None:
    assert as_eve.post(page_of(calendar_api), {"lines": lines}).status_code == 422
    assert calendar_api.scopes.count() == 2


def test_a_thousand_fit_and_not_one_more(as_eve: Client, calendar_api: API, django_assert_max_num_queries: Any) -> None:
    lines = "\n".join(f"read:thing-{number} Thing {number}" for number in range(998))

    assert as_eve.post(page_of(calendar_api), {"lines": lines}).status_code == 302
    one_more = as_eve.post(page_of(calendar_api), {"value": "one:more"})
    several = as_eve.post(page_of(calendar_api), {"lines": "one:more"})

    assert one_more.status_code == several.status_code == 422
    assert "An API has at most 1000 scopes" in one_more.content.decode()
    assert "An API has at most 1000 scopes" in several.content.decode()
    assert calendar_api.scopes.count() == 1000
    with django_assert_max_num_queries(12):
        html = as_eve.get(page_of(calendar_api), {"page": "20"}).content.decode()
    assert "Page 20 of 20" in html


@pytest.mark.parametrize("number", [3, 30])
def test_the_number_of_queries_does_not_grow(
    as_ada: Client, tenant: Tenant, by: Actor, number: int, django_assert_max_num_queries: Any
) -> None:
    api = create_api(tenant, by, name="Big", identifier="urn:big")
    scopes = add_scopes(api, by, [(f"s{index}", "") for index in range(number)])
    for index in range(number):
        application = make_app(tenant, by, name=f"App {index}", app_type="non_interactive").row
        authorize_application(application, api, by, scopes=["s0", "s1"])

    with django_assert_max_num_queries(12):
        as_ada.get(page_of(api), {"added": f"{scopes[2].pk}-{scopes[2].pk}"})


def test_the_list_filters(as_bea: Client, calendar_api: API) -> None:
    by_value = as_bea.get(page_of(calendar_api), {"q": "WRITE:"}).content.decode()
    by_description = as_bea.get(page_of(calendar_api), {"q": "change your"}).content.decode()
    nothing = as_bea.get(page_of(calendar_api), {"q": "<i>\x00"}).content.decode()

    for html in (by_value, by_description):
        assert "write:appointments" in html and "read:appointments" not in html
    assert "No scope matches “&lt;i&gt;”" in nothing


def test_who_holds_a_scope_is_counted(
    as_bea: Client, calendar_api: API, billing_grant: ClientGrant, web_app: App, by: Actor
) -> None:
    authorize_application(web_app.row, calendar_api, by, allow_all_scopes=True)

    rows = as_bea.get(page_of(calendar_api)).context["page"].object_list

    assert [(row.value, row.held) for row in rows] == [("read:appointments", 1), ("write:appointments", 0)]
    html = as_bea.get(page_of(calendar_api)).content.decode()
    assert "2 apps" in html and "1 app<" in html


def test_new_scopes_are_offered_to_who_is_authorized(
    as_eve: Client, as_bea: Client, calendar_api: API, billing_grant: ClientGrant, web_app: App, by: Actor
) -> None:
    authorize_application(web_app.row, calendar_api, by, allow_all_scopes=True)

    html = as_eve.post(page_of(calendar_api), {"lines": "new:one\nnew:two"}, follow=True).content.decode()

    assert "Grant the 2 new scopes to" in html
    assert f'value="{billing_grant.application.client_id}"' in html
    # It has all scopes, so there is nothing to grant.
    assert f'value="{web_app.client_id}"' not in html


@pytest.mark.parametrize("added", ["", "x", "1-", "-1", "9" * 40 + "-1", "1-2-3", "\x00", "999999-999999", "0-0"])
def test_an_address_that_names_no_new_scopes_offers_nothing(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, added: str
) -> None:
    response = as_eve.get(page_of(calendar_api), {"added": added})

    assert response.status_code == 200 and response.context["offer"] is None


def test_granting_new_scopes(as_eve: Client, calendar_api: API, billing_grant: ClientGrant, by: Actor) -> None:
    [scope] = add_scopes(calendar_api, by, [("new:one", "")])

    response = as_eve.post(
        page_of(calendar_api, "grant"),
        {"added": f"{scope.pk}-{scope.pk}", "applications": [billing_grant.application.client_id]},
    )

    grant = ClientGrant.objects.get(pk=billing_grant.pk)
    assert response["Location"] == page_of(calendar_api)
    assert grant.scope_values() == ["new:one", "read:appointments"] and grant.revision == 2
    assert Event.objects.filter(type="client_grant.scopes_added").count() == 1


def test_granting_is_all_or_nothing(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, web_app: App
) -> None:
    write = calendar_api.scopes.get(value="write:appointments")

    response = as_eve.post(
        page_of(calendar_api, "grant"),
        {
            "added": f"{write.pk}-{write.pk}",
            "applications": [billing_grant.application.client_id, web_app.client_id],
        },
        follow=True,
    )

    assert "Not all of these applications are authorized any more." in response.content.decode()
    assert billing_grant.scope_values() == ["read:appointments"]


@pytest.mark.parametrize(
    "data",
    [{}, {"added": "1-9999"}, {"added": "x", "applications": ["x"]}, {"added": "1-9999", "applications": ["\x00"]}],
)
def test_granting_nothing_says_so(
    as_eve: Client, calendar_api: API, billing_grant: ClientGrant, data: dict[str, Any]
) -> None:
    response = as_eve.post(page_of(calendar_api, "grant"), data, follow=True)

    assert response.status_code == 200 and 'class="toast error"' in response.content.decode()
    assert billing_grant.scope_values() == ["read:appointments"]


def test_the_description_can_be_changed(as_eve: Client, calendar_api: API, read: Scope) -> None:
    response = as_eve.post(
        page_of(calendar_api, read.pk), {**seen_in(read), "description": "\"See\" & 'read'", "value": "evil"}
    )

    read.refresh_from_db()
    assert response["Location"] == page_of(calendar_api)
    assert (read.value, read.description) == ("read:appointments", "\"See\" & 'read'")
    assert "&quot;See&quot; &amp; &#x27;read&#x27;" in as_eve.get(page_of(calendar_api)).content.decode()


def test_deleting_an_unused_scope_takes_one_click(as_eve: Client, calendar_api: API, read: Scope) -> None:
    assert "No application is affected." in as_eve.get(page_of(calendar_api, read.pk, "delete")).content.decode()

    assert as_eve.post(page_of(calendar_api, read.pk, "delete")).status_code == 302
    assert not calendar_api.scopes.filter(pk=read.pk).exists()


def test_deleting_a_used_scope_names_who_loses_it_and_wants_it_typed(
    as_eve: Client, calendar_api: API, read: Scope, billing_grant: ClientGrant, web_app: App, by: Actor
) -> None:
    authorize_application(web_app.row, calendar_api, by, allow_all_scopes=True)
    update_client_grant(billing_grant, by, scopes=["read:appointments", "write:appointments"])

    refused = as_eve.post(page_of(calendar_api, read.pk, "delete"), {"name": "read"})
    done = as_eve.post(page_of(calendar_api, read.pk, "delete"), {"name": "read:appointments"})

    html = refused.content.decode()
    assert refused.status_code == 422 and "2 applications" in html
    assert "<li>Billing</li>" in html and "<li>Booking site</li>" in html
    assert done.status_code == 302 and billing_grant.scope_values() == ["write:appointments"]


def test_the_scopes_of_the_system_api_are_read_only(as_ada: Client, tenant: Tenant) -> None:
    api = tenant.apis.get(is_system=True)
    scope = api.scopes.first()
    assert scope is not None

    assert "Add a scope" not in as_ada.get(page_of(api)).content.decode()
    assert as_ada.post(page_of(api), {"value": "new:one"}).status_code == 422
    assert as_ada.post(page_of(api), {"lines": "new:one"}).status_code == 422
    assert as_ada.post(page_of(api, scope.pk), {"description": "x"}).status_code == 403
    assert as_ada.post(page_of(api, scope.pk, "delete"), {"name": scope.value}).status_code == 403
    assert api.scopes.count() == 42


def test_a_viewer_reads(as_bea: Client, calendar_api: API, read: Scope) -> None:
    html = as_bea.get(page_of(calendar_api)).content.decode()

    assert "read:appointments" in html and "Add a scope" not in html and "Delete…" not in html
    for page in ("", f"{read.pk}/", f"{read.pk}/delete/", "grant/"):
        assert as_bea.post(page_of(calendar_api) + page, {"value": "x", "description": "x"}).status_code == 403
    assert calendar_api.scopes.count() == 2


def test_another_apis_scope_is_not_found(
    as_eve: Client, as_cal: Client, calendar_api: API, read: Scope, tenant: Tenant, by: Actor
) -> None:
    other = create_api(tenant, by, name="Other", identifier="urn:other")

    assert as_eve.post(page_of(other, read.pk, "delete")).status_code == 404
    assert as_eve.get(page_of(calendar_api, 9**30)).status_code == 404
    assert as_eve.get(page_of(calendar_api, "9" * 5000)).status_code in {400, 404}
    assert as_cal.post(page_of(calendar_api, read.pk, "delete")).status_code == 404
    assert as_cal.post(page_of(calendar_api, "grant")).status_code == 404
    assert calendar_api.scopes.count() == 2


def test_who_describes_a_scope_second_is_told_and_can_save_again(
    as_eve: Client, calendar_api: API, read: Scope, by: Actor
) -> None:
    page = page_of(calendar_api, read.pk)
    seen = as_eve.get(page).context["form"]["seen"].value()
    describe_scope(read, by, "Theirs & <new>")

    told = as_eve.post(page, {"description": "Mine", "seen": seen})

    read.refresh_from_db()
    assert (told.status_code, read.description) == (422, "Theirs & <new>")
    html = told.content.decode()
    assert "Somebody else saved this page" in html and "Saved by somebody else: Theirs &amp; &lt;new&gt;" in html
    assert 'value="Mine"' in html
    assert as_eve.post(page, {"description": "Mine", "seen": told.context["form"]["seen"].value()}).status_code == 302
    read.refresh_from_db()
    assert read.description == "Mine"


def test_far_too_many_lines_are_not_looked_at_one_by_one(as_eve: Client, calendar_api: API) -> None:
    response = as_eve.post(page_of(calendar_api), {"lines": "\n".join(["openid"] * 2001)})

    assert response.status_code == 422
    assert response.context["lines_form"].errors["lines"] == ["These are 2001 lines. An API has at most 1000 scopes."]
