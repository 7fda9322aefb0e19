"""What people type on the pages about people and tenants. Every limit comes from the model."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from accounts.models import ROLE_HELP, Invitation, Membership, Role, Tenant, User

NO_AUDIENCE = "None: the request must name one"


def role_choices() -> list[tuple[str, str]]:
    """Return the roles, each with what it may do on its second line."""
    return [(role.value, f"{role.label}\n{ROLE_HELP[role]}") for role in Role]


def password_rules() -> str:
    return " ".join(str(rule) for rule in password_validators_help_texts())


class SignInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, "login", "E-mail address", "username", autofocus=True)
        _plain(self, "password", "Password", "current-password")


class PasswordForm(ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, "oldpassword", "Current password", "current-password", autofocus=True)
        _plain(self, "password1", "New password", "new-password", password_rules())
        _plain(self, "password2", "New password, again", "new-password")


class ConfirmForm(ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, "password", "Password", "current-password", autofocus=True)


class AcceptForm(forms.ModelForm):
    """Who accepts an invitation: a new member's address, name and password."""

    password = forms.CharField(strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    class Meta:
        model = User
        fields = ["email", "name"]
        labels = {"email": "E-mail address"}
        help_texts = {"email": "You sign in with it.", "name": "How the others see you, such as Rita Morel."}
        widgets = {
            "email": forms.EmailInput(attrs={"autocomplete": "username"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_rules()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "password" in values:
            try:
                validate_password(values["password"], User(email=values.get("email", ""), name=values.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return values


class InviteForm(forms.ModelForm):
    role = forms.ChoiceField(choices=role_choices, widget=forms.RadioSelect)

    class Meta:
        model = Invitation
        fields = ["email", "role"]
        labels = {"email": "E-mail address"}
        help_texts = {"email": "Tells open invitations apart and is filled in for them. Nothing is sent to it."}
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "off"})}


class RoleForm(forms.ModelForm):
    role = forms.ChoiceField(choices=role_choices, widget=forms.RadioSelect)

    class Meta:
        model = Membership
        fields = ["role"]


class TenantForm(forms.ModelForm):
    """A tenant's settings. `revision` is the one the editor saw."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    default_audience = forms.ChoiceField(required=False, label="Default API")

    class Meta:
        model = Tenant
        fields = ["friendly_name", "support_email", "support_url", "default_audience"]
        labels = {
            "friendly_name": "Name",
            "support_email": "Support e-mail address",
            "support_url": "Support page",
        }
        help_texts = {
            "friendly_name": "What people read in the console and on sign-in pages.",
            "support_email": "Shown to people who cannot get in.",
            "support_url": "A page that helps them, such as https://example.com/help.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = self.instance.revision
        apis = self.instance.apis.order_by("name").values_list("identifier", "name")
        choices = [("", NO_AUDIENCE), *((identifier, f"{name} – {identifier}") for identifier, name in apis)]
        self.fields["default_audience"].choices = choices  # type: ignore[attr-defined]
        self.fields["default_audience"].help_text = (
            "The API that a token is for when the request says no `audience`. Leave it at none unless an "
            "application cannot send one."
        )


def _plain(
    form: forms.BaseForm, name: str, label: str, autocomplete: str, help_text: str = "", autofocus: bool = False
) -> None:
    """Label an allauth field in our words: no placeholder that repeats the label, and what password managers expect."""
    field = form.fields[name]
    field.label, field.help_text = label, help_text
    field.widget.attrs = {**field.widget.attrs, "autocomplete": autocomplete}
    field.widget.attrs.pop("placeholder", None)
    if autofocus:
        field.widget.attrs["autofocus"] = True
