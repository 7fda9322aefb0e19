from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Tenant
from accounts.operator_pages import OperationPages, values
from apis.forms import APIForm, APISettingsForm, ScopeDescriptionForm, ScopeForm, SystemAPISettingsForm
from apis.models import API, Scope
from apis.operations import add_scopes, create_api, delete_api, delete_scope, describe_scope, update_api
from audit.actors import Actor
from audit.operator_pages import ReadOnlyRows


class ScopeRows(ReadOnlyRows):
    model = Scope
    fields = ["value", "description"]


class OperatorAPIForm(APIForm):
    """The console's form, with the tenant chosen in it."""

    tenant = forms.ModelChoiceField(Tenant.objects.all())

    def clean_tenant(self) -> Tenant:
        self.instance.tenant = self.cleaned_data["tenant"]
        return self.instance.tenant

    def _post_clean(self) -> None:
        # Half of the model's rules ask whose API it is.
        if self.instance.tenant_id is not None:
            super()._post_clean()  # type: ignore[misc]


@admin.register(API)
class APIAdmin(OperationPages):
    list_display = ["name", "identifier", "tenant", "signing_alg", "token_lifetime", "is_system"]
    list_filter = ["tenant", "signing_alg", "token_dialect", "is_system"]
    list_select_related = ["tenant"]
    search_fields = ["name", "identifier"]
    add_form = OperatorAPIForm
    permanent = ["tenant", "id", "identifier", "signing_alg", "is_system", "created_at", "updated_at"]
    inlines = [ScopeRows]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = SystemAPISettingsForm if obj.is_system else APISettingsForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else []

    def create(self, form: Any, by: Actor) -> API:
        return create_api(form.cleaned_data["tenant"], by, **values(form, APIForm))

    def update(self, api: API, form: Any, by: Actor) -> API:
        of = SystemAPISettingsForm if api.is_system else APISettingsForm
        return update_api(api, by, form.cleaned_data["revision"], **values(form, of))

    def remove(self, api: API, by: Actor) -> None:
        delete_api(api, by)


class OperatorScopeForm(ScopeForm):
    """The console's form, with the API chosen in it."""

    api = forms.ModelChoiceField(API.objects.select_related("tenant"), label="API")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, api=None, **kwargs)  # type: ignore[arg-type]

    def clean_api(self) -> API:
        self.instance.api = self.cleaned_data["api"]
        return self.instance.api


@admin.register(Scope)
class ScopeAdmin(OperationPages):
    list_display = ["value", "description", "api"]
    list_filter = ["api__tenant", "api__is_system"]
    list_select_related = ["api"]
    search_fields = ["value", "description", "api__name"]
    form = ScopeDescriptionForm
    add_form = OperatorScopeForm
    permanent = ["api", "value"]

    def create(self, form: Any, by: Actor) -> Scope:
        typed = form.cleaned_data
        return add_scopes(typed["api"], by, [(typed["value"], typed["description"])])[0]

    def update(self, scope: Scope, form: Any, by: Actor) -> Scope:
        return describe_scope(scope, by, **form.values())

    def remove(self, scope: Scope, by: Actor) -> None:
        delete_scope(scope, by)
