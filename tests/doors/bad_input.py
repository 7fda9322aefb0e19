"""The table: what must be refused, by what words. Each row is offered to every door; see test_doors.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LONG = "x" * 5000
HUGE = str(10**30)
ISSUER = "http://localhost:8000/"

# What the kinds are, and the good values that a row spoils.
GOOD: dict[str, dict[str, Any]] = {
    "new API": {
        "name": "Orders",
        "identifier": "https://orders.example/",
        "signing_alg": "RS256",
        "token_dialect": "access_token",
        "token_lifetime": 3600,
    },
    "API": {},
    "new scope": {"value": "read:orders", "description": "Read orders"},
    "scope": {},
    "new application": {"name": "Nightly job", "app_type": "non_interactive"},
    "application": {},
    "public application": {},
    "new grant": {"application": "billing_app", "api": "calendar_api"},
    "grant": {},
}


@dataclass
class Row:
    """kind: of GOOD. bad: the values that spoil it. says: the words of the rule, at every door.

    typed: the words of people's doors instead, where a form's own field is the first to speak.
    page: False where the console's page offers no way to say such a thing; it answers 404 then.
    """

    kind: str
    bad: dict[str, Any]
    says: str
    typed: str = ""
    page: bool = True
    before: Callable[[Any], None] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        name, value = next(iter(self.bad.items()))
        return f"{self.kind}: {name}={str(value)[:40]!r}"

    def words(self, door: str) -> str:
        return self.typed if self.typed and door != "operation" else self.says


BLANK = {"says": "This field cannot be blank.", "typed": "This field is required."}
CONTROL = {"says": "Remove the control and invisible characters."}
NUL = CONTROL | {"typed": "Null characters are not allowed."}
ANGLE = {"says": "Use any characters except < and >."}
OUTER_SPACE = {"says": "Remove the space at the start or end."}
RESERVED = {"says": "The selected identifier is reserved."}
NO_NUMBER = {"typed": "Enter a whole number."}
TOKEN = {"says": 'Use visible ASCII characters without spaces, " and \\, such as read:appointments.'}


def choice(value: str) -> dict[str, str]:
    """What a field with choices says to programs, and what a select says to people."""
    return {
        "says": f"Value '{value}' is not a valid choice.",
        "typed": f"Select a valid choice. {value} is not one of the available choices.",
    }


def at_most(limit: int, length: int) -> dict[str, str]:
    return {"says": f"Ensure this value has at most {limit} characters (it has {length})."}


def address(value: str, why: str, column: str = "redirect_uris") -> Row:
    return Row("application", {column: value}, f"{value[:120]}: {why}")


SCHEME = "use https, http on localhost, or a scheme of your own such as com.example.app:/callback."
ORIGIN = "write scheme and host only, such as https://app.example.com."

ROWS = [
    # APIs: name
    Row("new API", {"name": ""}, **BLANK),
    Row("new API", {"name": "   "}, **OUTER_SPACE | {"typed": "This field is required."}),
    Row("new API", {"name": "x" * 201}, **at_most(200, 201)),
    Row("new API", {"name": "<script>alert(1)</script>"}, **ANGLE),
    Row("new API", {"name": "Or\x00ders"}, **NUL),
    Row("new API", {"name": "Or\x07ders"}, **CONTROL),
    Row("new API", {"name": "Or\u2028ders"}, **CONTROL),
    Row("API", {"name": "a > b"}, **ANGLE),
    Row("API", {"name": ""}, **BLANK),
    # APIs: identifier
    Row("new API", {"identifier": ""}, **BLANK),
    Row("new API", {"identifier": " "}, **OUTER_SPACE),
    Row("new API", {"identifier": " https://orders.example/"}, **OUTER_SPACE),
    Row("new API", {"identifier": "https://orders.example/\t"}, **OUTER_SPACE),
    Row("new API", {"identifier": "https://orders.example/" + "x" * 578}, **at_most(600, 601)),
    Row("new API", {"identifier": "https://orders.example/<id>"}, **ANGLE),
    Row("new API", {"identifier": "https://orders\x00.example/"}, **NUL),
    Row("new API", {"identifier": "https://orders\x1b.example/"}, **CONTROL),
    Row(
        "new API",
        {"identifier": "https://calendar.example/"},
        "A resource server with the same identifier already exists.",
    ),
    Row("new API", {"identifier": f"{ISSUER}api/v2/"}, **RESERVED),
    Row("new API", {"identifier": f"{ISSUER}api/v2"}, **RESERVED),
    Row("new API", {"identifier": "HTTP://LocalHost:8000/API/v2/"}, **RESERVED),
    Row("new API", {"identifier": f"{ISSUER}api/v2/clients"}, **RESERVED),
    Row("new API", {"identifier": f"{ISSUER}userinfo"}, **RESERVED),
    # APIs: algorithm, profile, policies
    Row("new API", {"signing_alg": "none"}, **choice("none")),
    Row("new API", {"signing_alg": "rs256"}, **choice("rs256")),
    Row("new API", {"signing_alg": "HS512"}, **choice("HS512")),
    Row("new API", {"signing_alg": ""}, **BLANK),
    Row("new API", {"token_dialect": "opaque"}, **choice("opaque")),
    Row("API", {"token_dialect": LONG}, **choice(LONG)),
    Row("API", {"client_policy": "everyone"}, **choice("everyone")),
    Row("API", {"user_policy": "nobody"}, **choice("nobody")),
    # APIs: lifetimes
    Row("new API", {"token_lifetime": "0"}, "Use at least 1 second."),
    Row("new API", {"token_lifetime": "-1"}, "Use at least 1 second."),
    Row("new API", {"token_lifetime": "2592001"}, "Use at most 2592000 seconds (30 days)."),
    Row("new API", {"token_lifetime": HUGE}, "Use at most 2592000 seconds (30 days)."),
    Row("new API", {"token_lifetime": "abc"}, "“abc” value must be an integer.", **NO_NUMBER),
    Row("new API", {"token_lifetime": "1.5"}, "“1.5” value must be an integer.", **NO_NUMBER),
    Row("new API", {"token_lifetime": "1e3"}, "“1e3” value must be an integer.", **NO_NUMBER),
    Row("API", {"token_lifetime": "0"}, "Use at least 1 second."),
    Row("API", {"token_lifetime": "2592001"}, "Use at most 2592000 seconds (30 days)."),
    Row(
        "API",
        {"token_lifetime": "60", "token_lifetime_for_web": "61"},
        "The expiration for browser flows cannot be above token expiration.",
    ),
    # Quotas
    Row("API", {"quota_per_hour": "0"}, "Use at least 1, or leave it empty for no quota."),
    Row("API", {"quota_per_hour": "-1"}, "Use at least 1, or leave it empty for no quota."),
    Row("API", {"quota_per_day": "2147483648"}, "Use at most 2147483647."),
    Row("API", {"quota_per_day": HUGE}, "Use at most 2147483647."),
    Row("API", {"quota_per_day": "many"}, "“many” value must be an integer.", **NO_NUMBER),
    Row("API", {"quota_per_day": "1.5"}, "“1.5” value must be an integer.", **NO_NUMBER),
    Row("application", {"quota_per_hour": "0"}, "Use at least 1, or leave it empty for no quota."),
    Row("application", {"quota_per_hour": "-1"}, "Use at least 1, or leave it empty for no quota."),
    Row("application", {"quota_per_day": "2147483648"}, "Use at most 2147483647."),
    Row("application", {"quota_per_day": HUGE}, "Use at most 2147483647."),
    Row("application", {"quota_per_day": "many"}, "“many” value must be an integer.", **NO_NUMBER),
    Row("application", {"quota_per_day": "1.5"}, "“1.5” value must be an integer.", **NO_NUMBER),
    # Scopes
    Row("new scope", {"value": ""}, **BLANK),
    Row("new scope", {"value": "read orders"}, **TOKEN),
    Row("new scope", {"value": 'read:"orders"'}, **TOKEN),
    Row("new scope", {"value": "read\\orders"}, **TOKEN),
    Row("new scope", {"value": "lire:événements"}, **TOKEN),
    Row("new scope", {"value": "read:оrders"}, **TOKEN),  # the o is Cyrillic
    Row("new scope", {"value": "read:\x00"}, **TOKEN | {"typed": "Null characters are not allowed."}),
    Row("new scope", {"value": "read:\x7forders"}, **TOKEN),
    Row("new scope", {"value": "x" * 281}, **at_most(280, 281)),
    Row("new scope", {"value": "read:appointments"}, "This API has a scope of that name already."),
    Row("new scope", {"value": "openid"}, "openid is reserved for OpenID Connect. Choose another name."),
    Row(
        "new scope", {"value": "offline_access"}, "offline_access is reserved for OpenID Connect. Choose another name."
    ),
    Row("new scope", {"description": "x" * 501}, **at_most(500, 501)),
    Row("new scope", {"description": "Read\x1borders"}, **CONTROL),
    Row("scope", {"description": "x" * 501}, **at_most(500, 501)),
    # Applications
    Row("new application", {"name": ""}, **BLANK),
    Row("new application", {"name": "  "}, **OUTER_SPACE | {"typed": "This field is required."}),
    Row("new application", {"name": "x" * 256}, **at_most(255, 256)),
    Row("new application", {"name": "<b>Nightly</b>"}, **ANGLE),
    Row("new application", {"name": "Night\x00ly"}, **NUL),
    Row("new application", {"app_type": "toaster"}, **choice("toaster")),
    Row("new application", {"app_type": ""}, **BLANK),
    Row("application", {"name": "a\x0bb"}, **CONTROL),
    Row("application", {"description": "x" * 141}, **at_most(140, 141)),
    Row("application", {"logo_uri": "http://cdn.example/logo.png"}, "Enter a valid URL."),
    Row("application", {"logo_uri": "javascript:alert(1)"}, "Enter a valid URL."),
    Row(
        "application",
        {"grant_types": ["password"]},
        "Choose from the grant types on offer.",
        typed="Select a valid choice. password is not one of the available choices.",
    ),
    Row("application", {"grant_types": []}, "This field cannot be blank.", typed="Choose at least one."),
    Row(
        "public application",
        {"grant_types": ["client_credentials"]},
        "Invalid grant types: client_credentials",
        typed="An application of this type keeps no secret, so client credentials are not for it. "
        "Choose what it uses instead.",
    ),
    address("http://shop.example/callback", SCHEME),
    address("https://*.shop.example/callback", "wildcards are not allowed; list each address."),
    address("https://shop.example/callback#here", "it has a fragment or a user name."),
    address("https://user@shop.example/callback", "it has a fragment or a user name."),
    address("javascript:alert(1)", SCHEME),
    address("data:text/html,hello", SCHEME),
    address("/callback", SCHEME),
    address("//shop.example/callback", SCHEME),
    address("https://shop.example:99999/", "it is not an address."),
    address("http://shop.example/bye", SCHEME, "post_logout_redirect_uris"),
    address("https://app.example/path", ORIGIN, "allowed_origins"),
    address("http://app.example", ORIGIN, "allowed_origins"),
    Row(
        "application", {"redirect_uris": "https://xn--é.example/"}, "Write addresses in ASCII; encode other characters."
    ),
    Row(
        "application",
        {"redirect_uris": "\n".join(f"https://shop.example/{n}" for n in range(101))},
        "Use at most 100 addresses of at most 1000 characters.",
    ),
    # Client grants
    Row("new grant", {"api": "foreign_api"}, "This API belongs to another tenant.", page=False),
    Row("new grant", {"application": "foreign_app"}, "This API belongs to another tenant.", page=False),
    Row(
        "new grant",
        {"application": "spa_app"},
        "Booking widget may not use client credentials. Allow that grant type in its settings first.",
    ),
    Row(
        "grant",
        {"expires_at": "tomorrow"},
        "“tomorrow” value has an invalid format.",
        typed="Enter a valid date/time.",
    ),
    Row("grant", {"scopes": ["fly:moon"]}, "Calendar API has no scope fly:moon."),
    Row("grant", {"scopes": ["read:secrets"]}, "Calendar API has no scope read:secrets."),
    Row("grant", {"scopes": ["READ:appointments"]}, "Calendar API has no scope READ:appointments."),
    Row("grant", {"scopes": ["read:appointments", "<script>"]}, "Calendar API has no scope <script>."),
]
