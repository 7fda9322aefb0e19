"""What people type about applications and their credentials, made into values. The rules come from the models."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Tenant
from apis import quotas
from apis.forms import draw_quotas
from apis.models import API
from applications.models import (
    DEFAULT_GRANT_TYPES,
    Application,
    ApplicationType,
    AuthenticationMethod,
    Credential,
    GrantType,
    authentication_method_for,
)
from applications.public_keys import CLIENT_ALGORITHMS, MAX_UPLOAD, public_jwk_from_pem

# A choice's label has up to three lines: its name, what it means, and a badge.
TYPES = [
    (
        ApplicationType.NON_INTERACTIVE,
        "Machine to Machine\nA service, a job or a command line that calls APIs on its own behalf.",
    ),
    (ApplicationType.REGULAR_WEB, "Regular Web\nA site whose pages a server makes; the server keeps the secret."),
    (ApplicationType.SPA, "Single Page\nA site whose code runs in the browser, where nothing can be kept secret."),
    (ApplicationType.NATIVE, "Native\nAn app on a phone, a desktop or a television."),
]
GRANT_TYPES = [
    (
        GrantType.CLIENT_CREDENTIALS,
        "Client credentials\nThe application gets tokens for itself, with its secret or key. Nobody signs in.",
    ),
    (GrantType.AUTHORIZATION_CODE, "Authorization code\nSomebody signs in, and the application acts for them."),
    (GrantType.REFRESH_TOKEN, "Refresh token\nThe application gets new tokens later without a new sign-in."),
    (GrantType.DEVICE_CODE, "Device code\nSomebody signs in on another device, with a code that this one shows."),
]
METHODS = [
    (
        AuthenticationMethod.POST,
        "Client secret in the body\nclient_secret_post: the simplest, and what most SDKs send.",
    ),
    (
        AuthenticationMethod.BASIC,
        "Client secret in the header\nclient_secret_basic: HTTP Basic, as RFC 6749 prefers it.",
    ),
    (
        AuthenticationMethod.PRIVATE_KEY_JWT,
        "Signed JWT\nprivate_key_jwt: the application signs with a key that only it has.\nStrongest",
    ),
]
GRACES = [
    ("0", "Now\nThe old secret stops at once. For one that has leaked."),
    ("3600", "In 1 hour"),
    ("86400", "In 24 hours"),
    ("604800", "In 7 days"),
]
ADDRESSES = {"class": "mono", "rows": 3, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}


class GrantTypeBoxes(forms.CheckboxSelectMultiple):
    """Check boxes of which some cannot be chosen: `impossible` values are drawn switched off and cleared."""

    impossible: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, label: Any, selected: Any, *args: Any, **kwargs: Any) -> Any:
        possible = value not in self.impossible
        option = super().create_option(name, value, label, selected and possible, *args, **kwargs)
        if not possible:
            option["attrs"]["disabled"] = True
        return option


class APIField(forms.ModelChoiceField):
    """One of the APIs on offer. PostgreSQL refuses to compare with NUL, so that is no API either."""

    def to_python(self, value: Any) -> Any:
        if "\x00" in str(value):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class NewApplicationForm(forms.ModelForm):
    """A new application of `tenant`, and the API a machine is authorized for at once."""

    app_type = forms.ChoiceField(
        label="Type",
        choices=TYPES,
        initial=ApplicationType.NON_INTERACTIVE,
        widget=forms.RadioSelect,
        help_text="Can be changed later.",
    )
    authorize_for = APIField(
        API.objects.none(),
        required=False,
        label="Authorize it for",
        empty_label="Choose later",
        help_text="For Machine to Machine: it may ask for every scope the API has today. Change that at any time.",
    )

    class Meta:
        model = Application
        fields = ["name", "app_type"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}
        help_texts = {"name": "Only people see this, such as Nightly report."}

    def __init__(self, *args: Any, tenant: Tenant | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if tenant is not None:
            self.instance.tenant = tenant
            # The system API is left out: its scopes rule the tenant, so they are given one by one on its own page.
            self.fields["authorize_for"].queryset = tenant.apis.filter(is_system=False)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        app_type = values.get("app_type", "")
        self.instance.grant_types = list(DEFAULT_GRANT_TYPES.get(app_type, []))
        self.instance.token_endpoint_auth_method = authentication_method_for(app_type, AuthenticationMethod.POST)
        if app_type != ApplicationType.NON_INTERACTIVE:
            values["authorize_for"] = None
        return values


class ApplicationForm(forms.ModelForm):
    """An application's settings. `revision` is the one the editor saw.

    A change to a type that keeps no secrets is asked for twice: the first answer says what it ends.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    confirmed_type = forms.CharField(widget=forms.HiddenInput, required=False)
    app_type = forms.ChoiceField(label="Type", choices=TYPES, widget=forms.RadioSelect)
    grant_types = forms.MultipleChoiceField(
        choices=GRANT_TYPES,
        widget=GrantTypeBoxes,
        label="Grant types",
        error_messages={
            "required": "Choose at least one.",
            "public_client": "An application of this type keeps no secret, so client credentials are not for it. "
            "Choose what it uses instead.",
        },
    )
    enabled = forms.BooleanField(required=False, label="Enabled", template_name="components/switch.html")

    class Meta:
        model = Application
        fields = [
            "name",
            "description",
            "logo_uri",
            "app_type",
            "enabled",
            "grant_types",
            "redirect_uris",
            "post_logout_redirect_uris",
            "allowed_origins",
            *quotas.FIELDS,
        ]
        labels = {
            "logo_uri": "Logo",
            "redirect_uris": "Allowed callback URLs",
            "post_logout_redirect_uris": "Allowed logout URLs",
            "allowed_origins": "Allowed origins (CORS)",
        }
        help_texts = {"logo_uri": "The https address of a picture, 150 by 150 pixels. Shown to people who sign in."}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "description": forms.TextInput(attrs={"autocomplete": "off"}),
            "logo_uri": forms.URLInput(attrs={"class": "mono", "placeholder": "https://", "autocomplete": "off"}),
            "redirect_uris": forms.Textarea(attrs=ADDRESSES),
            "post_logout_redirect_uris": forms.Textarea(attrs=ADDRESSES),
            "allowed_origins": forms.Textarea(attrs=ADDRESSES),
        }

    def __init__(self, *args: Any, losses: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.losses = losses
        self.fields["revision"].initial = self.instance.revision
        draw_quotas(self)
        self.fields["enabled"].help_text = Application._meta.get_field("enabled").help_text  # type: ignore[union-attr]
        chosen = self["app_type"].value()
        if chosen in ApplicationType.values and Application(app_type=chosen).is_public:
            boxes = self.fields["grant_types"].widget
            boxes.impossible = frozenset({GrantType.CLIENT_CREDENTIALS})  # type: ignore[attr-defined]

    def clean_grant_types(self) -> list[str]:
        stored, chosen = self.instance.grant_types, self.cleaned_data["grant_types"]
        return stored if set(stored) == set(chosen) else chosen

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        app_type = values.get("app_type", self.instance.app_type)
        becomes_public = Application(app_type=app_type).is_public and not self.instance.is_public
        if becomes_public and self.losses and values.get("confirmed_type") != app_type:
            self.add_error("app_type", ValidationError(f"{self.losses} Save again to go on.", code="unconfirmed"))
            data = self.data.copy()  # type: ignore[attr-defined]
            data[self.add_prefix("confirmed_type")] = app_type
            self.data = data
            if GrantType.CLIENT_CREDENTIALS in values.get("grant_types", []):
                self.add_error("grant_types", self.fields["grant_types"].error_messages["public_client"])
        else:
            self.instance.token_endpoint_auth_method = authentication_method_for(
                app_type, self.instance.token_endpoint_auth_method
            )
        return values

    def values(self) -> dict[str, Any]:
        """Return what `applications.operations.update_application` takes."""
        return {name: self.cleaned_data[name] for name in (*self.Meta.fields, "revision")}


class MethodForm(forms.Form):
    """How an application authenticates. Signing JWTs can be chosen once there is a key, and is asked for twice."""

    method = forms.ChoiceField(label="Method", choices=METHODS, widget=forms.RadioSelect)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)


class RollForm(forms.Form):
    """When the secret that is replaced stops working."""

    grace = forms.ChoiceField(label="The old secret stops", choices=GRACES, initial="86400", widget=forms.RadioSelect)

    def __init__(self, *args: Any, only_now: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if only_now:
            self.fields["grace"].choices = GRACES[:1]  # type: ignore[attr-defined]
            self.fields["grace"].initial = "0"

    def clean_grace(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=int(self.cleaned_data["grace"]))


class KeyForm(forms.ModelForm):
    """A public key, pasted or as a file, in any of the forms people have them in."""

    alg = forms.ChoiceField(
        label="Algorithm",
        choices=[(alg, alg) for alg in CLIENT_ALGORITHMS],
        help_text="What the application signs with. RSA: RS256, RS384, RS512, PS256. P-256: ES256. Ed25519: EdDSA.",
    )
    text = forms.CharField(
        label="Public key",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "mono", "rows": 8, "spellcheck": "false", "placeholder": "-----BEGIN PUBLIC KEY-----"}
        ),
        help_text="A PEM public key, a PEM certificate, or a JWK. Never the private key.",
    )
    file = forms.FileField(label="Or a file", required=False, allow_empty_file=True)

    class Meta:
        model = Credential
        fields = ["name", "alg", "expires_at"]
        labels = {"expires_at": "Expires"}
        help_texts = {
            "name": "Tells keys apart, such as Production 2026.",
            "expires_at": "UTC. Empty: the key works until somebody deletes it.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "expires_at": forms.DateTimeInput({"type": "datetime-local", "class": "short"}, "%Y-%m-%dT%H:%M"),
        }

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file is None:
            return ""
        if file.size > MAX_UPLOAD:
            raise ValidationError("This file is larger than 16 kB, too large for a public key.", code="large")
        try:
            return file.read().decode()
        except UnicodeDecodeError:
            message = "This file is not text. Convert it to PEM: openssl x509 -inform der -in <file>."
            raise ValidationError(message, code="binary") from None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "alg" in values and "file" in values and "text" in values:
            field = "file" if values["file"] else "text"
            try:
                values["public_jwk"] = public_jwk_from_pem(values[field], values["alg"])
            except ValueError as error:
                self.add_error(field, ValidationError(str(error), code="key"))
        return values

    def values(self) -> dict[str, Any]:
        """Return what `applications.operations.add_credential` takes."""
        return {name: self.cleaned_data[name] for name in ("public_jwk", "name", "expires_at")}
