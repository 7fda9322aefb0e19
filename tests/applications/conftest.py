from typing import Any

import pytest

from accounts.models import Tenant
from apis.models import API
from apis.operations import add_scopes, create_api
from applications.models import Application
from audit.actors import Actor


@pytest.fixture
def at() -> Any:
    """Return the address of a page of an application: `at(app)`, `at(app, "credentials/")`."""

    def at(app: Any, page: str = "settings/") -> str:
        return f"/t/{app.row.tenant.name}/applications/{app.client_id}/{page}"

    return at


@pytest.fixture
def form_of() -> Any:
    """Return what the settings form of an application holds, with changes."""

    def form_of(application: Application, **changes: Any) -> dict[str, Any]:
        application.refresh_from_db()
        names = ["name", "description", "logo_uri", "app_type", "grant_types"]
        names += ["redirect_uris", "post_logout_redirect_uris", "allowed_origins", "revision"]
        values = {name: getattr(application, name) for name in names}
        values |= {name: "on" for name in ("enabled", "quota_enforce") if getattr(application, name)}
        return {name: value for name, value in (values | changes).items() if value is not None}

    return form_of


@pytest.fixture
def make_apis(tenant: Tenant, by: Actor) -> Any:
    """Make so many APIs, each with a scope."""

    def make_apis(number: int) -> list[API]:
        apis = [create_api(tenant, by, name=f"API {n:02}", identifier=f"urn:api:{n}") for n in range(number)]
        for api in apis:
            add_scopes(api, by, [("read:all", "")])
        return apis

    return make_apis
