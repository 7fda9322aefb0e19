"""What each kind of event is called in the activity: one sentence per type, and the picture beside it."""

import re
from typing import Any

from audit.models import Event

SENTENCES = {
    "tenant.created": "{actor} created the tenant {target}",
    "tenant.updated": "{actor} changed the settings of {target}",
    "tenant.issuer_changed": "{actor} moved {target} to another issuer",
    "invitation.created": "{actor} invited somebody as {target}",
    "invitation.revoked": "{actor} revoked an invitation as {target}",
    "member.joined": "{target} became a member",
    "member.role_changed": "{actor} changed the role of {target}",
    "member.updated": "{actor} changed the account of {target}",
    "member.password_reset": "{actor} set a new password for {target}",
    "member.removed": "{actor} removed the member {target}",
    "user.tokens_revoked": "{actor} revoked what was issued for {target}",
    "api.created": "{actor} created the API {target}",
    "api.updated": "{actor} changed {target}",
    "api.deleted": "{actor} deleted the API {target}",
    "api.scopes_added": "{actor} added scopes to {target}",
    "api.signing_secret_revealed": "{actor} looked at the signing secret of {target}",
    "api.signing_secret_rotated": "{actor} replaced the signing secret of {target}",
    "api.tokens_revoked": "{actor} revoked what was issued for {target}",
    "scope.described": "{actor} described the scope {target}",
    "scope.deleted": "{actor} deleted the scope {target}",
    "application.created": "{actor} created the application {target}",
    "application.updated": "{actor} changed {target}",
    "application.deleted": "{actor} deleted the application {target}",
    "application.authentication_method_changed": "{actor} changed how {target} authenticates",
    "application.secret_added": "{actor} added a secret to {target}",
    "application.secret_rolled": "{actor} rolled a secret of {target}",
    "application.secret_revoked": "{actor} revoked a secret of {target}",
    "application.secret_rotated": "{actor} replaced all secrets of {target}",
    "application.tokens_revoked": "{actor} revoked what was issued to {target}",
    "application.key_added": "{actor} added a public key to {target}",
    "application.key_deleted": "{actor} deleted a public key of {target}",
    "client_grant.created": "{actor} authorized {target}",
    "client_grant.updated": "{actor} changed the authorization {target}",
    "client_grant.scopes_added": "{actor} granted scopes of {target} to applications",
    "client_grant.tokens_revoked": "{actor} revoked what was issued under the authorization {target}",
    "client_grant.deleted": "{actor} ended the authorization {target}",
    "signing_key.created": "{actor} made the signing key {target}",
    "signing_key.rotated": "{actor} rotated the signing keys to {target}",
    "signing_key.revoked": "{actor} revoked the signing key {target}",
}

# The picture of a type is that of its last word, else that of its first.
ICONS = {
    "created": "plus",
    "deleted": "trash",
    "removed": "trash",
    "revoked": "ban",
    "joined": "user-plus",
    "invitation": "mail",
    "secret_added": "key-round",
    "secret_rolled": "refresh-cw",
    "secret_rotated": "refresh-cw",
    "signing_secret_rotated": "refresh-cw",
    "signing_secret_revealed": "eye",
    "secret_revoked": "ban",
    "tokens_revoked": "ban",
    "key_added": "key-round",
    "key_deleted": "trash",
    "rotated": "refresh-cw",
    "role_changed": "users",
    "password_reset": "key-round",
}

# What the choice "Kind" of the activity offers: the first words of types.
KINDS = {
    "api": "APIs",
    "scope": "Scopes",
    "application": "Applications",
    "client_grant": "Authorizations",
    "signing_key": "Signing keys",
    "member": "Members",
    "user": "Users",
    "invitation": "Invitations",
    "tenant": "Tenant",
}


def parts_of(event: Event) -> list[tuple[str, str]]:
    """Return the sentence in pieces, ("actor" | "target" | "text", words), so that a page can dress each of them."""
    sentence = SENTENCES.get(event.type, "{actor}: " + event.type.replace(".", " ").replace("_", " ") + " {target}")
    words = {"{actor}": ("actor", event.actor_name), "{target}": ("target", event.target_name or event.target_id)}
    pieces = re.split(r"(\{actor\}|\{target\})", sentence)
    return [words.get(piece, ("text", piece)) for piece in pieces if piece]


def icon_of(event: Event) -> str:
    """Return the name of the picture that goes with an event."""
    first, _, last = event.type.partition(".")
    return ICONS.get(last) or ICONS.get(first) or "pencil"


def value_in_words(value: Any) -> str:
    """Return a value of the history as a person would write it: “on”, “a, b”, “nothing”."""
    if value is None or value == "" or value == [] or value == {}:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {value_in_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(value_in_words, value))
    return str(value)
