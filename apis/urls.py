from django.urls import path

from apis.views import list, quick_start, scopes, settings

app_name = "apis"

urlpatterns = [
    path("apis/", list.api_list, name="list"),
    path("apis/<str:api_id>/", list.open_api, name="open"),
    path("apis/<str:api_id>/quick-start/", quick_start.quick_start, name="quick_start"),
    path("apis/<str:api_id>/settings/", settings.settings, name="settings"),
    path("apis/<str:api_id>/settings/signing-secret/", settings.signing_secret, name="signing_secret"),
    path("apis/<str:api_id>/revoke-issued/", settings.revoke_issued, name="revoke_issued"),
    path("apis/<str:api_id>/delete/", settings.delete, name="delete"),
    path("apis/<str:api_id>/scopes/", scopes.scopes, name="scopes"),
    path("apis/<str:api_id>/scopes/<int:scope_id>/", scopes.edit, name="scope_edit"),
    path("apis/<str:api_id>/scopes/<int:scope_id>/delete/", scopes.delete, name="scope_delete"),
]
