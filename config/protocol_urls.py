"""All that a tenant's own host answers."""

from django.urls import include, path

urlpatterns = [path("", include("tokens.protocol_urls"))]

handler400 = "config.errors.plain_bad_request"
handler403 = "config.errors.plain_permission_denied"
handler404 = "config.errors.plain_not_found"
handler500 = "config.errors.plain_server_error"
