from django.urls import path

from tokens.views import api_create, keys, logs, test

app_name = "tokens"

urlpatterns = [
    path("apis/new/", api_create.api_create, name="api_create"),
    path("apis/<str:api_id>/test/", test.test, name="test"),
    path("keys/", keys.keys, name="keys"),
    path("keys/rotate/", keys.rotate, name="key_rotate"),
    path("keys/<str:kid>/revoke/", keys.revoke, name="key_revoke"),
    path("keys/<str:kid>/certificate/", keys.certificate, name="key_certificate"),
    path("logs/", logs.logs, name="logs"),
    path("logs/<str:log_id>/", logs.log, name="log"),
]
