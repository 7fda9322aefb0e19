"""What the operators' pages of every app share: Django's own, with the gaps closed that a crafted address finds."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

# What a filter's links add to the name of its column.
FILTER_ENDINGS = ("", "__exact", "__id__exact", "__isnull")


class OperatorPages(admin.ModelAdmin):
    """Pages about one kind of row."""

    show_full_result_count = False
    list_per_page = 50

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # PostgreSQL refuses to compare with NUL, so no row can have it in its key.
        return None if "\x00" in object_id else super().get_object(request, object_id, from_field)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        # Django lets an address filter by any column of the row itself, so that a password's hash or a sealed key could
        # be guessed letter by letter. Only what the list offers is answered.
        offered = [str(name) for name in self.get_list_filter(request)]
        return lookup in {f"{name}{ending}" for name in offered for ending in FILTER_ENDINGS}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if any("\x00" in f"{name}{value}" for name, values in request.GET.lists() for value in values):
            raise BadRequest("This address has a NUL in it.")
        return super().changelist_view(request, extra_context)


class ReadOnlyPages(OperatorPages):
    """Pages that change nothing."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyRows(admin.TabularInline):
    """Rows that belong to the one above, shown below it."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
