"""One table, three doors: the console's page, the operators' admin, the operation. Each refuses in the same words and
leaves nothing behind. The day a rule is written twice, this fails."""

import html
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from accounts.models import Role
from accounts.operations import create_member
from apis.models import SCOPES_PER_API, Scope
from apis.operations import add_scopes, create_api, describe_scope, update_api
from applications.operations import (
    authorize_application,
    create_application,
    update_application,
    update_client_grant,
)
from tests.conftest import PASSWORD, browser_of, make_app
from tests.doors.bad_input import GOOD, ROWS, Row

OURS = {"audit", "accounts", "apis", "applications", "tokens"}


@pytest.fixture
def cast(tenant, other_tenant, by, calendar_api, billing_app, web_app, spa_app, billing_grant):
    """Everything that the rows name, and somebody who may use every door."""
    foreign_api = create_api(other_tenant, by, name="Foreign API", identifier="https://foreign.example/")
    add_scopes(foreign_api, by, [("read:secrets", "")])
    return SimpleNamespace(
        tenant=tenant,
        by=by,
        calendar_api=calendar_api,
        scope=calendar_api.scopes.get(value="read:appointments"),
        billing_app=billing_app.row,
        web_app=web_app.row,
        spa_app=spa_app.row,
        grant=billing_grant,
        foreign_api=foreign_api,
        foreign_app=make_app(other_tenant, by, name="Foreign app", app_type="non_interactive").row,
        browser=browser_of(create_member(tenant, by, "opal@example.com", PASSWORD, Role.ADMIN, operator=True)),
    )


def everything():
    """Every row of our tables and of Django's own log of the admin."""
    models = [model for model in apps.get_models() if model._meta.app_label in OURS | {"admin"}]
    through = [field.remote_field.through for model in models for field in model._meta.many_to_many]
    return {model._meta.label: sorted(map(str, model._default_manager.values())) for model in {*models, *through}}


def offer(door, row, cast):
    """Offer a row to a door; returns all it says."""
    values = {**GOOD[row.kind], **row.bad}
    return DOORS[door](row.kind, values, row, cast)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_door_refuses_in_the_same_words_and_stores_nothing(row, cast):
    before = everything()

    for door in DOORS:
        said = offer(door, row, cast)

        assert row.words(door) in said, door
        assert everything() == before, door


# The operation


def operation(kind, values, row, cast):
    by = cast.by
    calls = {
        "new API": lambda: create_api(cast.tenant, by, **values),
        "API": lambda: update_api(cast.calendar_api, by, **values),
        "new scope": lambda: add_scopes(cast.calendar_api, by, [(values["value"], values["description"])]),
        "scope": lambda: describe_scope(cast.scope, by, **values),
        "new application": lambda: create_application(cast.tenant, by, **values),
        "application": lambda: update_application(cast.web_app, by, **values),
        "public application": lambda: update_application(cast.spa_app, by, **values),
        "new grant": lambda: authorize_application(
            getattr(cast, values["application"]), getattr(cast, values["api"]), by
        ),
        "grant": lambda: update_client_grant(cast.grant, by, **values),
    }
    with pytest.raises(ValidationError) as refusal:
        calls[kind]()
    return "\n".join(refusal.value.messages)


# The console's page


def page(kind, values, row, cast):
    t = f"/t/{cast.tenant.name}"
    api = f"{t}/apis/{cast.calendar_api.pk}"
    addresses = {
        "new API": f"{t}/apis/new/",
        "API": f"{api}/settings/",
        "new scope": f"{api}/scopes/",
        "scope": f"{api}/scopes/{cast.scope.pk}/",
        "new application": f"{t}/applications/new/",
        "application": f"{t}/applications/{cast.web_app.client_id}/settings/",
        "public application": f"{t}/applications/{cast.spa_app.client_id}/settings/",
        "new grant": "",
        "grant": f"{api}/machine-to-machine/{cast.billing_app.client_id}/",
    }
    address = addresses[kind]
    if kind == "new grant":
        application, api = getattr(cast, values["application"]), getattr(cast, values["api"])
        address = f"{t}/applications/{application.client_id}/apis/"
        values = {"api": api.pk, "authorize": "on"}
    elif kind == "grant":
        values = {"action": "save", "reach": "these", "revision": cast.grant.revision, **values}
    elif kind in {"API", "application", "public application"}:
        values = {**shown(cast.browser.get(address).context["form"]), **values}
    answer = cast.browser.post(address, values)
    if not row.page:
        assert answer.status_code == 404
        return row.words("page")
    assert answer.status_code == 422
    return html.unescape(answer.content.decode())


def shown(form):
    """What the page would send back, had nobody changed anything."""
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


# The operators' admin


def admin(kind, values, row, cast):
    grants = "applications/clientgrant"
    addresses = {
        "new API": "apis/api/add/",
        "API": f"apis/api/{cast.calendar_api.pk}/change/",
        "new scope": "apis/scope/add/",
        "scope": f"apis/scope/{cast.scope.pk}/change/",
        "new application": "applications/application/add/",
        "application": f"applications/application/{cast.web_app.pk}/change/",
        "public application": f"applications/application/{cast.spa_app.pk}/change/",
        "new grant": f"{grants}/add/",
        "grant": f"{grants}/{cast.grant.pk}/change/",
    }
    address = f"/admin/{addresses[kind]}"
    if kind in {"new API", "new application"}:
        values = {"tenant": cast.tenant.pk, **values}
    elif kind == "new scope":
        values = {"api": cast.calendar_api.pk, **values}
    elif kind == "new grant":
        values = {name: getattr(cast, member).pk for name, member in values.items()}
    else:
        values = {**shown(cast.browser.get(address).context["adminform"].form), **values}
        if kind == "grant" and isinstance(values.get("scopes"), list):
            values["scopes"] = "\n".join(values["scopes"])
    answer = cast.browser.post(address, values)
    assert answer.status_code == 200
    said = [message for field in answer.context["errors"] for message in field]
    text = html.unescape(answer.content.decode())
    assert said and all(message in text for message in said)
    return "\n".join(said)


DOORS = {"operation": operation, "page": page, "admin": admin}


# Two rows that need a full house first, and what is permanent


def test_every_door_refuses_one_scope_too_many(cast):
    have = cast.calendar_api.scopes.count()
    more = [Scope(api=cast.calendar_api, value=f"s:{n}") for n in range(SCOPES_PER_API - have)]
    Scope.objects.bulk_create(more)
    row = Row("new scope", {}, f"An API has at most {SCOPES_PER_API} scopes.")
    before = everything()

    for door in DOORS:
        assert row.says in offer(door, row, cast), door
        assert everything() == before, door


def test_every_door_refuses_scopes_for_the_system_api(cast):
    cast.calendar_api = cast.tenant.apis.get(is_system=True)
    cast.scope = cast.calendar_api.scopes.first()
    row = Row("new scope", {}, "The scopes of a system API cannot be changed.")
    before = everything()

    for door in DOORS:
        assert row.says in offer(door, row, cast), door
        assert everything() == before, door


def test_no_door_changes_identifier_algorithm_or_tenant(cast, other_tenant):
    api = cast.calendar_api
    wanted = {
        "identifier": "https://new.example/",
        "signing_alg": "HS256",
        "tenant": other_tenant.pk,
        "is_system": "on",
    }

    for address in (f"/t/main/apis/{api.pk}/settings/", f"/admin/apis/api/{api.pk}/change/"):
        context = cast.browser.get(address).context
        form = context["adminform"].form if "adminform" in context else context["form"]
        cast.browser.post(address, {**shown(form), **wanted})
    for name, value in {"identifier": "https://new.example/", "signing_alg": "HS256", "tenant": other_tenant}.items():
        with pytest.raises(ValidationError, match="is permanent"):
            update_api(api, cast.by, **{name: value})

    api.refresh_from_db()
    assert (api.identifier, api.signing_alg, api.tenant_id) == ("https://calendar.example/", "RS256", cast.tenant.pk)
    assert not api.is_system
