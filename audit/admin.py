import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import Event
from audit.operator_pages import ReadOnlyPages


@admin.register(Event)
class EventAdmin(ReadOnlyPages):
    list_display = ["at", "tenant", "type", "actor_name", "target_name"]
    list_filter = ["tenant", "type"]
    search_fields = ["actor_name", "target_name", "target_id"]
    ordering = ["-at", "-sequence"]
    fields = [
        "tenant", "sequence", "at", "type", "actor_name", "actor_id", "target_type", "target_id", "target_name", "ip",
        "user_agent", "what_changed", "previous_hash", "hash",
    ]  # fmt: skip

    @admin.display(description="details")
    def what_changed(self, event: Event) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.details, indent=2, ensure_ascii=False))
