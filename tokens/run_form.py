"""What somebody fills in on the Test tab, from an address or a form."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.urls import reverse

from accounts.lookups import search_text
from apis.models import API, SCOPE_LENGTH, SCOPES_PER_API
from applications.models import ClientGrant
from applications.secrets import LENGTH as SECRET_LENGTH
from tokens.fixes import FIXES

# More would make the page slow; the one that is asked for is always among them.
LISTED = 200
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class AnyScopes(forms.MultipleChoiceField):
    """Scopes by value, on offer or not: what may be asked for is the decision's business, not the form's."""

    def validate(self, value: list[str]) -> None:
        if len(value) > SCOPES_PER_API or not all(_is_scope(scope) for scope in value):
            raise ValidationError("Scopes are visible ASCII characters without spaces, quotes and backslashes.")


class AnyClient(forms.ChoiceField):
    """A client id, on offer or not."""

    def validate(self, value: str) -> None:
        forms.Field.validate(self, value)
        if len(value) > 255 or not value.isprintable():
            raise ValidationError("This is not a client ID.")


class RunForm(forms.Form):
    """A test: who asks, for which scopes. Only the shape is checked here; the rest is decided by the test itself."""

    application = AnyClient(error_messages={"required": "Choose an application."})
    scope = AnyScopes(
        label="Scopes",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Leave empty to request every granted scope.",
    )
    client_secret = forms.CharField(
        label="Check my secret too",
        required=False,
        strip=False,
        max_length=4 * SECRET_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "mono"}),
        help_text="Checked once, then forgotten: never stored, logged or shown.",
    )
    body = forms.ChoiceField(
        label="Body of the request",
        required=False,
        choices=[("form", "Form, as in RFC 6749"), ("json", "JSON, as Auth0's examples")],
        widget=forms.RadioSelect,
        initial="form",
    )
    address = forms.CharField(
        label="Address of your API",
        required=False,
        max_length=600,
        help_text="Only for the examples; nothing is sent there from here.",
    )
    audience = forms.CharField(required=False, strip=False, max_length=600, widget=forms.HiddenInput)
    fix = forms.ChoiceField(required=False, choices=[(name, name) for name in FIXES], widget=forms.HiddenInput)
    changed = AnyScopes(required=False, widget=forms.MultipleHiddenInput)

    def offer(
        self, api: API, applications: Iterable[Any], grant: ClientGrant | None, chosen: str, asked: Iterable[str]
    ) -> None:
        """List what can be chosen: applications by whether they are authorized, scopes with what is not granted.

        chosen, asked: what is selected now, shown even when the tenant or the API does not have it.
        """
        groups: dict[str, list[tuple[str, str]]] = {"Authorized": [], "Not authorized": []}
        for application in applications:
            groups["Authorized" if application.authorized else "Not authorized"].append(
                (application.client_id, application.name)
            )
        known = {client_id for group in groups.values() for client_id, _ in group}
        if chosen and chosen not in known:
            groups["Unknown"] = [(chosen, chosen)]
        field = self.fields["application"]
        field.choices = [(label, group) for label, group in groups.items() if group]  # type: ignore[attr-defined]
        # With scripts, another choice shows at once what it is authorized for. Only its own value is sent.
        field.widget.attrs.update(
            {
                "hx-get": reverse("tokens:test", args=[api.tenant.name, api.pk]),
                "hx-target": "#chosen",
                "hx-select": "#chosen",
                "hx-swap": "outerHTML",
                "hx-select-oob": "#id_scope",
                # The list that is about to be replaced takes no more clicks: they would be lost.
                "hx-disable": "#id_scope",
            }
        )
        self.fields["scope"].choices = scope_choices(api, grant, asked)  # type: ignore[attr-defined]


def scope_choices(api: API, grant: ClientGrant | None, asked: Iterable[str]) -> list[tuple[str, str]]:
    """Return each scope with its description and whether the authorization lacks it, as a label of three lines."""
    held = ClientGrant.scopes.through.objects.filter(clientgrant=grant, scope=OuterRef("pk"))
    everything = grant is not None and grant.allow_all_scopes
    choices = [
        (scope.value, f"{scope.value}\n{scope.description}\n{'' if everything or scope.granted else 'Not granted'}")
        for scope in api.scopes.annotate(granted=Exists(held))
    ]
    known = {value for value, _ in choices}
    return [(value, f"{value}\n\nNot a scope of this API") for value in asked if value not in known] + choices


def from_address(parameters: Any) -> dict[str, Any]:
    """Return the initial values that an address asks for, without what no form could have sent."""
    values: dict[str, Any] = {
        "application": search_text(parameters.get("application"))[:255],
        "scope": [scope for scope in parameters.getlist("scope")[:SCOPES_PER_API] if _is_scope(scope)],
        "body": "json" if parameters.get("body") == "json" else "form",
    }
    if "audience" in parameters:
        values["audience"] = search_text(parameters.get("audience"))
    return values


def _is_scope(value: str) -> bool:
    return len(value) <= SCOPE_LENGTH and _SCOPE.fullmatch(value) is not None


def chosen_application(applications: list[Any], api: API) -> str:
    """Return the client id to start with: the API's own test application, else the first that is authorized."""
    test_application = f"{api.name} (Test Application)"
    for application in applications:
        if application.name == test_application and application.authorized:
            return application.client_id
    return applications[0].client_id if applications else ""
