"""Settings that would make a server unsafe. `manage.py check` and `bin/serve` refuse them, each with its fix.

What cannot be read at all was refused by `config.env` before; what is left here is readable and wrong.
"""

import os
import stat
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from accounts.models import is_on_this_machine
from accounts.sealing import parse_ring

SHORTEST_SECRET_KEY = 40
SLOW_HASHERS = {"Argon2PasswordHasher", "ScryptPasswordHasher", "PBKDF2PasswordHasher", "BCryptSHA256PasswordHasher"}


@register(Tags.security)
def safe_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return everything that is wrong, all at once."""
    found: list[CheckMessage] = []
    for check in (_addresses, _debug, _secret_key, _encryption_keys, _toolkit, _proxies, _passwords, _secrets_file):
        found += check()
    return found


def _addresses() -> Iterator[CheckMessage]:
    for name in ("GATEHOUSE_ISSUER", "GATEHOUSE_CONSOLE_URL"):
        address = getattr(settings, name)
        parts = urlsplit(address)
        if parts.scheme != "https" and not is_on_this_machine(address):
            yield Error(
                f"{name} is plain http on {parts.hostname}: tokens, passwords and cookies would travel in clear.",
                hint=f"Set {name}=https://{parts.netloc}/ and put a TLS proxy in front.",
                id="gatehouse.E001",
            )


def _debug() -> Iterator[CheckMessage]:
    if settings.DEBUG and (settings.HTTPS or settings.GATEHOUSE_ISSUER.startswith("https://")):
        yield Error(
            "GATEHOUSE_DEBUG is on while the server has a public address: error pages would show its insides.",
            hint="Unset GATEHOUSE_DEBUG.",
            id="gatehouse.E002",
        )


def _secret_key() -> Iterator[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_SECRET_KEY or len(set(key)) < 10:
        yield Error(
            "GATEHOUSE_SECRET_KEY is too short or too simple: whoever guesses it signs in as anybody.",
            hint="Unset it to have one made in the data directory, or use the output of: openssl rand -base64 48",
            id="gatehouse.E003",
        )
    ring = settings.GATEHOUSE_ENCRYPTION_KEYS
    keys = [entry.partition(":")[2].strip() for entry in ring.split(",")]
    if key and (key in ring or any(secret and secret.rstrip("=") in key for secret in keys)):
        yield Error(
            "GATEHOUSE_SECRET_KEY and GATEHOUSE_ENCRYPTION_KEYS share a value: who learns one has the other.",
            hint="Give GATEHOUSE_SECRET_KEY a value of its own; changing it only signs everybody out.",
            id="gatehouse.E004",
        )


def _encryption_keys() -> Iterator[CheckMessage]:
    try:
        parse_ring(settings.GATEHOUSE_ENCRYPTION_KEYS)
    except ValueError as problem:
        yield Error(
            f"GATEHOUSE_ENCRYPTION_KEYS is wrong. {problem}",
            hint="Write name:key, the newest first, with keys from: openssl rand -base64 32 | tr '+/' '-_'",
            id="gatehouse.E005",
        )


def _toolkit() -> Iterator[CheckMessage]:
    if os.environ.get("OAUTHLIB_INSECURE_TRANSPORT"):
        yield Error(
            "OAUTHLIB_INSECURE_TRANSPORT is set: it lets OAuth run without TLS.",
            hint="Unset it. Plain http on localhost works without.",
            id="gatehouse.E006",
        )
    rules = {name: value for name, value in settings.OAUTH2_PROVIDER.items() if name.startswith("COMPLIANT_BCP_")}
    off = sorted(name for name, value in rules.items() if value is not True)
    if off or not rules:
        yield Error(
            f"The security practices of RFC 9700 are switched off: {', '.join(off) or 'all'}.",
            hint="Set each to True in OAUTH2_PROVIDER.",
            id="gatehouse.E007",
        )


def _proxies() -> Iterator[CheckMessage]:
    for text in settings.GATEHOUSE_TRUSTED_PROXIES:
        try:
            everybody = ip_network(text, strict=False).prefixlen == 0
        except ValueError:
            yield Error(
                f"GATEHOUSE_TRUSTED_PROXIES: {text!r} is no address and no network.",
                hint="List addresses or networks, such as 127.0.0.1, 10.0.0.0/8.",
                id="gatehouse.E008",
            )
            continue
        if everybody:
            yield Error(
                f"GATEHOUSE_TRUSTED_PROXIES has {text}, which is everybody: any caller could choose its own address.",
                hint="List only the addresses your proxy calls from.",
                id="gatehouse.E008",
            )


def _passwords() -> Iterator[CheckMessage]:
    first = (settings.PASSWORD_HASHERS or [""])[0].rpartition(".")[2]
    if first not in SLOW_HASHERS:
        yield Error(
            f"New passwords are hashed with {first or 'nothing'}, which is quick to guess against.",
            hint="Put Argon2PasswordHasher first in PASSWORD_HASHERS.",
            id="gatehouse.E009",
        )


def _secrets_file() -> Iterator[CheckMessage]:
    path = settings.GATEHOUSE_DATA / "secrets.json"
    if not settings.SECRETS_IN_DATA or not path.exists():
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Error(
            f"Other users of this machine can read {path}.",
            hint=f"Run: chmod 600 {path}",
            id="gatehouse.E010",
        )
    if settings.HTTPS and settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        yield Warning(
            f"The secrets of this server come from {path}, which other servers on the same database do not have.",
            hint="Set GATEHOUSE_SECRET_KEY and GATEHOUSE_ENCRYPTION_KEYS to what the file holds, on every server.",
            id="gatehouse.W001",
        )
