"""A client grant in one form: who, for which API, which scopes. The console asks these one after the other."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from applications.authorization_forms import PAST
from applications.models import ClientGrant


class ClientGrantForm(forms.ModelForm):
    """A client grant, new or changed. Scopes are named by value; the operation says which of them the API has."""

    scopes = forms.CharField(
        required=False,
        max_length=300_000,
        widget=forms.Textarea(attrs={"class": "mono", "rows": 6, "spellcheck": "false"}),
        help_text="One per line.",
    )
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        help_text="UTC. From then on it gets no tokens. Empty: never.",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)

    class Meta:
        model = ClientGrant
        fields = ["application", "api", "scopes", "allow_all_scopes", "expires_at"]
        labels = {"api": "API"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].required = not self.instance._state.adding
        if not self.instance._state.adding:
            self.initial["scopes"] = "\n".join(sorted(scope.value for scope in self.instance.scopes.all()))
            self.fields["revision"].initial = self.instance.revision

    def clean_scopes(self) -> list[str]:
        return self.cleaned_data["scopes"].split()

    def clean_expires_at(self) -> Any:
        """Return the moment; one that has passed is refused, unless it is what is saved already."""
        expires_at, saved = self.cleaned_data["expires_at"], self.instance.expires_at
        if expires_at and saved and expires_at == saved.replace(microsecond=0):
            return saved
        if expires_at and expires_at <= timezone.now():
            raise ValidationError(PAST, code="past")
        return expires_at

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.instance._state.adding and values.get("api"):
            self.instance.tenant = values["api"].tenant
        return values

    def _post_clean(self) -> None:
        # The model's rules are about the two ends together.
        if not {"application", "api"} & self.errors.keys():
            super()._post_clean()  # type: ignore[misc]

    def show_saved(self, saved: ClientGrant) -> None:
        """Say what somebody else saved in between, and let the next save of this form replace it."""
        held = "all, also future ones" if saved.allow_all_scopes else ", ".join(saved.scope_values()) or "no scopes"
        self.add_error(None, ValidationError(f"Saved by somebody else: {held[:1000]}.", code="saved"))
        data = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("revision")] = str(saved.revision)
        self.data = data

    def values(self) -> dict[str, Any]:
        """Return what `applications.operations` takes for either a new grant or a changed one."""
        return {name: self.cleaned_data[name] for name in ("scopes", "allow_all_scopes", "expires_at")}
