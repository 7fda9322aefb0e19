"""What people choose about an application's access to one API. The rules are the operations'; nothing here saves."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.utils import timezone

from applications.models import ClientGrant

THESE, ALL = "these", "all"
PAST = "Choose a moment that has not passed yet."


class AuthorizationForm(forms.Form):
    """Which scopes an authorization has, and until when. `revision` is the one the editor saw."""

    scopes = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    reach = forms.ChoiceField(
        label="Which scopes",
        choices=[
            (THESE, "These scopes\nScopes that are added to the API later are not included."),
            (ALL, "Always all, also future ones\nFor tests and for applications you run yourself."),
        ],
        widget=forms.RadioSelect,
    )
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        help_text="UTC. From then on it gets no tokens. Empty: never.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "short"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, grant: ClientGrant, **kwargs: Any) -> None:
        held_here = ClientGrant.scopes.through.objects.filter(clientgrant=grant, scope=OuterRef("pk"))
        scopes = list(grant.api.scopes.annotate(is_held=Exists(held_here)))
        initial = {
            "scopes": [scope.value for scope in scopes if scope.is_held],
            "reach": ALL if grant.allow_all_scopes else THESE,
            "expires_at": grant.expires_at,
            "revision": grant.revision,
        }
        super().__init__(*args, initial=initial, auto_id=f"{grant.pk}-%s", **kwargs)  # type: ignore[misc]
        self.grant = grant
        self.fields["scopes"].label = f"Scopes of {grant.api}"
        self.fields["scopes"].error_messages["invalid_choice"] = f"{grant.api} has no scope %(value)s."
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope.value, f"{scope.value}\n{scope.description}") for scope in scopes
        ]

    def clean_expires_at(self) -> Any:
        """Return the moment; one that has passed is refused, unless it is what is saved already."""
        expires_at = self.cleaned_data["expires_at"]
        saved = self.grant.expires_at and self.grant.expires_at.replace(second=0, microsecond=0)
        if expires_at and expires_at == saved:
            return self.grant.expires_at
        if expires_at and expires_at <= timezone.now():
            raise ValidationError(PAST, code="past")
        return expires_at

    def values(self) -> dict[str, Any]:
        """Return what `applications.operations.update_client_grant` takes."""
        return {
            "scopes": self.cleaned_data["scopes"],
            "allow_all_scopes": self.cleaned_data["reach"] == ALL,
            "expires_at": self.cleaned_data["expires_at"],
        }

    def show_saved(self, saved: ClientGrant) -> None:
        """Say what somebody else saved in between, and let the next save of this form replace it."""
        held = "all, also future ones" if saved.allow_all_scopes else ", ".join(saved.scope_values()) or "no scopes"
        self.add_error(None, ValidationError(f"Saved by somebody else: {held[:1000]}.", code="saved"))
        data: QueryDict = self.data.copy()  # type: ignore[attr-defined]
        data["revision"] = str(saved.revision)
        self.data = data
