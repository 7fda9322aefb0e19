"""The API that every tenant is born with: its own Management API."""

from accounts.models import Tenant

_READ_WRITE = {
    "client_grants": "authorizations of applications",
    "clients": "applications",
    "resource_servers": "APIs and their scopes",
    "roles": "roles and their permissions",
    "users": "users",
    "client_credentials": "public keys of applications",
}

MANAGEMENT_API_SCOPES: list[tuple[str, str]] = [
    *(
        (f"{verb}:{noun}", f"{verb.capitalize()} {text}")
        for noun, text in _READ_WRITE.items()
        for verb in ("read", "create", "update", "delete")
    ),
    ("read:client_keys", "Read client secrets of applications"),
    ("create:client_keys", "Create client secrets of applications"),
    ("update:client_keys", "Rotate client secrets of applications"),
    ("delete:client_keys", "Delete client secrets of applications"),
    ("read:client_summary", "Read name and type of applications"),
    ("create:role_members", "Give roles to users"),
    ("read:role_members", "Read who has a role"),
    ("delete:role_members", "Take roles from users"),
    ("read:grants", "Read consents of users"),
    ("delete:grants", "Delete consents of users"),
    ("read:signing_keys", "Read signing keys"),
    ("create:signing_keys", "Rotate signing keys"),
    ("update:signing_keys", "Revoke signing keys"),
    ("read:tenant_settings", "Read tenant settings"),
    ("update:tenant_settings", "Update tenant settings"),
    ("read:logs", "Read logs"),
    ("read:logs_users", "Read logs about users"),
    ("read:stats", "Read usage"),
]


def management_api_identifier(tenant: Tenant) -> str:
    """Return `<issuer>api/v2/`, the audience that Auth0's tools ask for."""
    return f"{tenant.issuer}api/v2/"
