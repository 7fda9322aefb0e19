from django.urls import path

from tokens.endpoints import health, introspection, metadata, revocation, token

app_name = "oauth"

urlpatterns = [
    path("oauth/token", token.token, name="token"),
    path("oauth/revoke", revocation.revocation, name="revoke"),
    path("oauth/introspect", introspection.introspection, name="introspect"),
    path(".well-known/jwks.json", metadata.jwks, name="jwks"),
    path(".well-known/openid-configuration", metadata.authorization_server, name="openid_configuration"),
    path(".well-known/oauth-authorization-server", metadata.authorization_server, name="oauth_authorization_server"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
