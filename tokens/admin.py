import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.forms import TenantForm
from accounts.models import Tenant
from accounts.operations import update_tenant
from accounts.operator_pages import OperationPages, values
from audit.actors import Actor
from audit.operator_pages import ReadOnlyPages
from tokens.models import LogEntry, SigningKey
from tokens.setup import create_tenant


class NewTenantForm(forms.ModelForm):
    class Meta:
        model = Tenant
        fields = ["name", "issuer", "friendly_name"]
        help_texts = {
            "name": "In console addresses. It stays.",
            "issuer": "Its public address, such as https://auth.example.com/. It answers there at once.",
            "friendly_name": "What people call it.",
        }


@admin.register(Tenant)
class TenantAdmin(OperationPages):
    """Tenants. A new one is born with keys and Management API; give somebody a membership of it next."""

    list_display = ["__str__", "name", "issuer", "created_at"]
    search_fields = ["name", "friendly_name", "issuer"]
    form = TenantForm
    add_form = NewTenantForm
    permanent = ["name", "issuer", "domain", "config_version", "created_at"]

    def create(self, form: Any, by: Actor) -> Tenant:
        typed = form.cleaned_data
        return create_tenant(typed["name"], typed["issuer"], by, friendly_name=typed["friendly_name"])

    def update(self, tenant: Tenant, form: Any, by: Actor) -> Tenant:
        return update_tenant(tenant, by, form.cleaned_data["revision"], **values(form, TenantForm))


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyPages):
    """Public halves only. Keys are rotated and revoked in the console, or by `manage.py rotate_signing_key`."""

    list_display = ["kid", "alg", "state", "tenant", "created_at"]
    list_filter = ["tenant", "alg", "state"]
    list_select_related = ["tenant"]
    search_fields = ["kid"]
    fields = ["tenant", "kid", "alg", "state", "public_key", "created_at", "current_at", "previous_at", "revoked_at"]

    @admin.display(description="public JWK")
    def public_key(self, key: SigningKey) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(key.public_jwk, indent=2))


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyPages):
    list_display = ["at", "tenant", "type", "client_name", "api_name", "description"]
    list_filter = ["tenant", "type", "is_test"]
    list_select_related = ["tenant"]
    search_fields = ["log_id", "client_id", "client_name", "audience"]
    fields = [
        "log_id", "tenant", "at", "type", "description", "rule", "client_id", "client_name", "audience", "api_name",
        "scope", "is_test", "ip", "user_agent", "what_was_checked",
    ]  # fmt: skip

    @admin.display(description="details")
    def what_was_checked(self, entry: LogEntry) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(entry.details, indent=2, ensure_ascii=False))


class NotShown(admin.ModelAdmin):
    """Rows that only the server reads: the admin has no page for them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
