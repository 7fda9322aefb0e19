"""The map of the site. The console and the admin answer on the console's host, the protocol on each tenant's."""

from django.contrib import admin
from django.urls import include, path

from config import protocol_urls

urlpatterns = [
    # Tenants' hosts (here that of the tenant the console shares its host with)
    *protocol_urls.urlpatterns,
    # People
    path("admin/", admin.site.urls),
    path("account/", include("config.account_urls")),
    # The console: a page's view lives in the highest app it needs, its address where people look for it
    path("", include("accounts.urls")),
    path("t/<slug:tenant>/", include("tokens.urls")),
    path("t/<slug:tenant>/", include("applications.urls")),
    path("t/<slug:tenant>/", include("apis.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
