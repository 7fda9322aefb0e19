"""The operators' admin: Django's, behind the console's own sign-in and its limits."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_safe

from config import storage

# Other packages register pages too, for groups, e-mail confirmations and the like. None of them is an operator's
# affair, and some would show secrets.
SHOWN = {"audit", "accounts", "apis", "applications", "tokens"}


class OperatorsSite(AdminSite):
    site_header = "Gatehouse operators"
    site_title = "Gatehouse operators"
    index_title = "Tenants, people and what they made"
    site_url = "/"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Show a model, or models, of our own apps; leave out all others."""
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        super().register([model for model in models if model._meta.app_label in SHOWN], admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("storage/", self.admin_view(require_safe(self.storage)), name="storage"), *super().get_urls()]

    def storage(self, request: HttpRequest) -> HttpResponse:
        """Show what the tables hold that grow."""
        tables = storage.stored()
        context = {
            **self.each_context(request),
            "title": "Storage",
            "tables": tables,
            "database_size": storage.database_size(),
            "rows": sum(table.rows for table in tables),
        }
        return TemplateResponse(request, "admin/storage.html", context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the one sign-in page; a member who is no operator gets 403."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied("This area is for operators. Your account is not one.")
        return redirect_to_login(request.GET.get("next", "/admin/"), settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return LogoutView.as_view(next_page=settings.LOGIN_URL)(request)  # type: ignore[return-value]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Send people to the one page where they change their password."""
        return redirect("account_change_password")
