"""What people type about APIs and scopes, made into values. Every rule comes from the models; nothing here saves."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Tenant
from apis import quotas
from apis.models import API, LONGEST_LIFETIME, SAME_SCOPE, SCOPES_PER_API, Scope, TokenDialect, look_alikes

SWITCHES = {
    "allow_offline_access": "Allow offline access",
    "skip_consent_for_verifiable_first_party_clients": "Allow skipping user consent",
    "enforce_policies": "Enforce roles and permissions",
}

# A choice's label has up to three lines: its name, what it means, and a badge.
ALGORITHMS = [
    ("RS256", "RS256\nRSA with SHA-256. Every JWT library checks it.\nRecommended"),
    ("RS512", "RS512\nRSA with SHA-512."),
    ("PS256", "PS256\nRSA-PSS, which some financial profiles ask for."),
    ("ES256", "ES256\nElliptic curve P-256: short signatures, quick to make."),
    ("EdDSA", "EdDSA\nEd25519: the quickest. See that your library knows it."),
    ("HS256", "HS256\nOne secret signs and checks, for legacy systems.\nShared secret"),
]
PROFILES = [
    (TokenDialect.AUTH0, "Auth0"),
    (TokenDialect.AUTH0_AUTHZ, "Auth0, with the permissions claim"),
    (TokenDialect.RFC9068, "RFC 9068 (at+jwt)"),
    (TokenDialect.RFC9068_AUTHZ, "RFC 9068 (at+jwt), with the permissions claim"),
]
PLAIN_PROFILES = [
    (TokenDialect.AUTH0, "Auth0\nWhat Auth0's SDKs and documentation expect.\nDefault"),
    (TokenDialect.RFC9068, "RFC 9068\nThe standard profile: typ is at+jwt, the application is client_id."),
]


class APIForm(forms.ModelForm):
    """A new API. Give `tenant` to have the identifier compared with the tenant's others."""

    class Meta:
        model = API
        fields = [
            "name",
            "identifier",
            "signing_alg",
            "token_dialect",
            "token_lifetime",
            "allow_offline_access",
            "skip_consent_for_verifiable_first_party_clients",
        ]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "identifier": forms.TextInput(
                attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
            ),
            "signing_alg": forms.RadioSelect,
            "token_dialect": forms.RadioSelect,
        }

    def __init__(self, *args: Any, tenant: Tenant | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if tenant is not None:
            self.instance.tenant = tenant
        # Identifiers are compared byte for byte, so an outer space is refused and not silently removed.
        self.fields["identifier"].strip = False  # type: ignore[attr-defined]
        set_choices(self, "signing_alg", ALGORITHMS)
        set_choices(self, "token_dialect", PLAIN_PROFILES)
        draw_switches(self)
        draw_lifetimes(self)

    def _get_validation_exclusions(self) -> set[str]:
        # No field of the form, but half of the rule that an identifier is used once per tenant.
        return super()._get_validation_exclusions() - ({"tenant"} if self.instance.tenant_id else set())  # type: ignore[misc]

    def values(self) -> dict[str, Any]:
        """Return what `apis.operations` takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class NewAPIForm(APIForm):
    """The console's form for a new API: also asks for a test application, and warns of identifiers that look alike."""

    test_application = forms.BooleanField(
        label="Create a test application and authorize it",
        required=False,
        initial=True,
        help_text="It runs in the Test tab without a secret. To use it elsewhere, add a secret under its Credentials.",
    )
    confirmed_identifier = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def unconfirmed_look_alikes(self) -> list[API]:
        """Return the APIs that could be mistaken for this one, unless the person has been told of them already."""
        identifier = self.cleaned_data["identifier"]
        if self.cleaned_data["confirmed_identifier"] == identifier:
            return []
        return look_alikes(self.instance.tenant, identifier)


class SystemAPISettingsForm(forms.ModelForm):
    """What may be changed of the system API. `revision` is the one the editor saw."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    class Meta:
        model = API
        fields = ["token_lifetime", "token_lifetime_for_web", "skip_consent_for_verifiable_first_party_clients"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = self.instance.revision
        draw_switches(self)
        draw_lifetimes(self)

    def clean(self) -> dict[str, Any]:
        """Return the values. Who lowers the token expiration and leaves that of browser flows alone lowers both."""
        values = super().clean() or self.cleaned_data
        lifetime, for_web = values.get("token_lifetime"), values.get("token_lifetime_for_web")
        if lifetime and for_web and "token_lifetime_for_web" not in self.changed_data:
            values["token_lifetime_for_web"] = min(lifetime, for_web)
        return values

    def values(self) -> dict[str, Any]:
        """Return what `apis.operations.update_api` takes."""
        return {name: self.cleaned_data[name] for name in self._meta.fields}  # type: ignore[union-attr]


class APISettingsForm(SystemAPISettingsForm):
    """What may be changed of an API after its creation."""

    class Meta:
        model = API
        fields = [
            "name",
            "token_lifetime",
            "token_lifetime_for_web",
            "token_dialect",
            "enforce_policies",
            "skip_consent_for_verifiable_first_party_clients",
            "allow_offline_access",
            "client_policy",
            "user_policy",
            *quotas.FIELDS,
        ]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "token_dialect", PROFILES)
        draw_quotas(self)


class ScopeForm(forms.ModelForm):
    """One new scope of `api`."""

    class Meta:
        model = Scope
        fields = ["value", "description"]
        widgets = {
            "value": forms.TextInput(
                attrs={
                    "class": "mono",
                    "placeholder": "read:orders",
                    "autocomplete": "off",
                    "spellcheck": "false",
                    "autocapitalize": "off",
                }
            ),
            "description": forms.TextInput(attrs={"placeholder": "Read a customer's orders", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, api: API, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.api = api

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"api"}  # type: ignore[misc]


class ScopeDescriptionForm(forms.ModelForm):
    """The description of a scope; its value stays. `seen` is the description the editor saw."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    class Meta:
        model = Scope
        fields = ["description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self.instance.description

    def values(self) -> dict[str, str]:
        """Return what `apis.operations.describe_scope` takes."""
        return {name: self.cleaned_data[name] for name in ("description", "seen")}

    def show_saved(self, saved: Scope) -> None:
        """Say what somebody else saved in between, and let the next save of this form replace it."""
        words = saved.description or "nothing"
        self.add_error("description", ValidationError(f"Saved by somebody else: {words}", code="saved"))
        data = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("seen")] = saved.description
        self.data = data


class ScopesForm(forms.Form):
    """Several new scopes of `api`, one per line: the value, white space, the description."""

    lines = forms.CharField(
        label="Scopes",
        max_length=700_000,
        help_text="One per line: the scope, a space, and what it allows.",
        widget=forms.Textarea(
            attrs={
                "class": "mono",
                "rows": 6,
                "spellcheck": "false",
                "placeholder": "read:orders Read a customer's orders\nwrite:orders Create and change orders",
            }
        ),
    )

    def __init__(self, *args: Any, api: API, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.api = api

    def clean_lines(self) -> list[tuple[str, str]]:
        """Return (value, description) for each line; every error names its line."""
        lines = self.cleaned_data["lines"].splitlines()
        if len(lines) > 2 * SCOPES_PER_API:
            # Looking at each of them would take long.
            raise ValidationError(f"These are {len(lines)} lines. An API has at most {SCOPES_PER_API} scopes.")
        taken = set(self.api.scopes.values_list("value", flat=True))
        wrong: list[str] = []
        seen: dict[str, int] = {}
        scopes = []
        for number, line in enumerate(lines, 1):
            value, *rest = line.split(None, 1) or [""]
            if not value:
                continue
            scope = Scope(api=self.api, value=value, description=(rest or [""])[0].strip())
            wrong += [f"Line {number}: {refusal}" for refusal in _refusals(scope, taken)]
            if value in seen:
                wrong.append(f"Line {number}: {value} stands in line {seen[value]} already.")
            seen.setdefault(value, number)
            scopes.append((scope.value, scope.description))
        if len(scopes) + len(taken) > SCOPES_PER_API:
            wrong.append(f"An API has at most {SCOPES_PER_API} scopes; this one would have {len(scopes) + len(taken)}.")
        if wrong:
            raise ValidationError([*wrong[:20], f"And {len(wrong) - 20} more."] if len(wrong) > 20 else wrong)
        return scopes


class ConfirmForm(forms.Form):
    """The name of what is about to be deleted, typed by somebody who has read what will break.

    expected: the name. needed: False when nothing would break; then a click is enough.
    """

    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}), strip=False)

    def __init__(self, *args: Any, expected: str, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].label = f"Type {expected} to confirm"
        if not needed:
            del self.fields["name"]

    def clean_name(self) -> str:
        if self.cleaned_data["name"].strip() != self.expected.strip():
            raise ValidationError(f"This is not the name. Type {self.expected}.", code="name")
        return self.expected


def set_choices(form: forms.BaseForm, name: str, choices: list[tuple[Any, str]]) -> None:
    """Give a field the wording of its choices that pages use; the values are the model's."""
    form.fields[name].choices = choices  # type: ignore[attr-defined]


def draw_switches(form: forms.BaseForm) -> None:
    """Draw a form's booleans as switches, named by what they allow."""
    for name in SWITCHES.keys() & form.fields.keys():
        form.fields[name].template_name = "components/switch.html"  # type: ignore[attr-defined]
        form.fields[name].label = SWITCHES[name]


def draw_lifetimes(form: forms.BaseForm) -> None:
    """Leave the range of lifetimes to the model, whose words say what to do; the browser gets it as a hint."""
    for name in ("token_lifetime", "token_lifetime_for_web"):
        if name in form.fields:
            form.fields[name].validators = []
            form.fields[name].widget.attrs |= {"min": 1, "max": LONGEST_LIFETIME, "inputmode": "numeric"}


def draw_quotas(form: forms.BaseForm) -> None:
    """Draw a quota's fields; their range is the model's, whose words say what to do."""
    for name in ("quota_per_hour", "quota_per_day"):
        form.fields[name].validators = []
        form.fields[name].widget.attrs |= {"min": 1, "max": quotas.MOST, "inputmode": "numeric", "class": "short"}
    form.fields["quota_enforce"].template_name = "components/switch.html"  # type: ignore[attr-defined]


def _refusals(scope: Scope, taken: set[str]) -> list[str]:
    try:
        scope.full_clean(exclude=["api"], validate_constraints=False)
    except ValidationError as error:
        return error.messages
    return [SAME_SCOPE] if scope.value in taken else []
