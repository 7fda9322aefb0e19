from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Tenant
from accounts.operator_pages import OperationPages, values
from applications.forms import ApplicationForm, NewApplicationForm
from applications.grant_form import ClientGrantForm
from applications.models import Application, ClientGrant, Credential
from applications.operations import (
    authorize_application,
    create_application,
    deauthorize_application,
    delete_application,
    update_application,
    update_client_grant,
)
from applications.sentences import losses_of
from audit.actors import Actor
from audit.operator_pages import ReadOnlyRows


class CredentialRows(ReadOnlyRows):
    model = Credential
    verbose_name_plural = "public keys"
    fields = ["kid", "alg", "name", "created_at", "expires_at"]
    readonly_fields = ["created_at"]


class GrantRows(ReadOnlyRows):
    model = ClientGrant
    fields = ["api", "subject_type", "allow_all_scopes", "expires_at"]


class OperatorApplicationForm(NewApplicationForm):
    """The console's form, with the tenant chosen in it, and without the API to authorize for."""

    authorize_for = None  # type: ignore[assignment]
    tenant = forms.ModelChoiceField(
        Tenant.objects.all(),
        help_text="The application gets no secret yet: somebody of the tenant adds one under Credentials.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, tenant=None, **kwargs)

    def clean_tenant(self) -> Tenant:
        self.instance.tenant = self.cleaned_data["tenant"]
        return self.instance.tenant


class OperatorSettingsForm(ApplicationForm):
    """The console's form: it says what a change of type ends, and asks for it twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, losses=losses_of(kwargs["instance"]), **kwargs)


class ApplicationAdmin(OperationPages):
    list_display = ["name", "tenant", "app_type", "enabled", "client_id"]
    list_filter = ["tenant", "app_type", "enabled"]
    list_select_related = ["tenant"]
    search_fields = ["name", "client_id"]
    form = OperatorSettingsForm
    add_form = OperatorApplicationForm
    permanent = ["tenant", "client_id", "token_endpoint_auth_method", "created", "updated"]
    inlines = [CredentialRows, GrantRows]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else []

    def create(self, form: Any, by: Actor) -> Application:
        # A secret made here would be seen by nobody.
        of = form.cleaned_data["tenant"]
        application, _ = create_application(of, by, with_secret=False, **values(form, NewApplicationForm))
        return application

    def update(self, application: Application, form: Any, by: Actor) -> Application:
        return update_application(application, by, form.cleaned_data["revision"], **values(form, ApplicationForm))

    def remove(self, application: Application, by: Actor) -> None:
        delete_application(application, by)


@admin.register(ClientGrant)
class ClientGrantAdmin(OperationPages):
    list_display = ["__str__", "tenant", "subject_type", "allow_all_scopes", "expires_at"]
    list_filter = ["tenant", "allow_all_scopes", "subject_type"]
    list_select_related = ["application", "api", "tenant"]
    search_fields = ["application__name", "application__client_id", "api__name", "api__identifier"]
    form = ClientGrantForm
    permanent = ["tenant", "application", "api", "subject_type", "created_at", "updated_at"]

    def create(self, form: Any, by: Actor) -> ClientGrant:
        chosen = form.cleaned_data
        return authorize_application(chosen["application"], chosen["api"], by, **form.values())

    def update(self, grant: ClientGrant, form: Any, by: Actor) -> ClientGrant:
        return update_client_grant(grant, by, revision=form.cleaned_data["revision"], **form.values())

    def remove(self, grant: ClientGrant, by: Actor) -> None:
        deauthorize_application(grant, by)
