from django.urls import path

from applications.views import apis, create, credentials, list, machine_to_machine, settings

app_name = "applications"

urlpatterns = [
    path("applications/", list.application_list, name="list"),
    path("applications/new/", create.create, name="create"),
    path("applications/<str:client_id>/", list.open_application, name="open"),
    path("applications/<str:client_id>/settings/", settings.settings, name="settings"),
    path("applications/<str:client_id>/revoke-issued/", settings.revoke_issued, name="revoke_issued"),
    path("applications/<str:client_id>/delete/", settings.delete, name="delete"),
    path("applications/<str:client_id>/credentials/", credentials.credentials, name="credentials"),
    path("applications/<str:client_id>/credentials/method/", credentials.method, name="method"),
    path("applications/<str:client_id>/credentials/secrets/add/", credentials.secret_add, name="secret_add"),
    path(
        "applications/<str:client_id>/credentials/secrets/<int:secret_id>/roll/",
        credentials.secret_roll,
        name="secret_roll",
    ),
    path(
        "applications/<str:client_id>/credentials/secrets/<int:secret_id>/revoke/",
        credentials.secret_revoke,
        name="secret_revoke",
    ),
    path("applications/<str:client_id>/credentials/keys/add/", credentials.key_add, name="key_add"),
    path(
        "applications/<str:client_id>/credentials/keys/<str:credential_id>/delete/",
        credentials.key_delete,
        name="key_delete",
    ),
    path("applications/<str:client_id>/apis/", apis.apis, name="apis"),
    path("apis/<str:api_id>/scopes/grant/", machine_to_machine.grant_new_scopes, name="grant_scopes"),
    path("apis/<str:api_id>/machine-to-machine/", machine_to_machine.machine_to_machine, name="machine_to_machine"),
    path(
        "apis/<str:api_id>/machine-to-machine/<str:client_id>/", machine_to_machine.authorization, name="authorization"
    ),
    path(
        "apis/<str:api_id>/machine-to-machine/<str:client_id>/revoke-issued/",
        machine_to_machine.revoke_issued,
        name="authorization_revoke_issued",
    ),
]
