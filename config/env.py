"""Typed readers for the environment, each refusing what it does not understand.

`env` is read once, at start-up. A reader raises ImproperlyConfigured with the variable's name, what was wrong, and
what to write instead; it never prints a value, which may be a secret.
"""

import base64
import json
import os
import secrets
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def text(name: str, default: str = "") -> str:
    """Return the variable, stripped; an empty one counts as not set. `NAME_FILE` names a file to read it from."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}.") from None
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """Return the variable as a boolean. A typo is refused, because a switch that reads as "off" is a hole."""
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if not value:
        return default
    raise ImproperlyConfigured(f"{name} must be one of 1, true, yes, on, 0, false, no, off.")


def whole_number(name: str, default: int, lowest: int, highest: int) -> int:
    """Return the variable as an integer between `lowest` and `highest`, both included."""
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
        raise ImproperlyConfigured(f"{name} must be a whole number from {lowest} to {highest}.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return the variable if it is one of `allowed`, compared without regard to case."""
    value = text(name, default)
    for candidate in allowed:
        if value.lower() == candidate.lower():
            return candidate
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}.")


def words(name: str, default: str) -> list[str]:
    """Return the variable as a list, split at commas, each word stripped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def origin(name: str, default: str = "") -> str:
    """Return an address as `https://host[:port]/`, or "". Path, query, fragment and user are refused."""
    value = text(name, default)
    if not value:
        return ""
    refusal = ImproperlyConfigured(f"{name} must be an address such as https://auth.example.com/.")
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise refusal from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise refusal
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} must be an origin: no path, no query, no fragment.")
    return f"{parts.scheme}://{parts.netloc.lower()}/"


def database(name: str, data: Path) -> dict[str, Any]:
    """Return Django's settings for DATABASE_URL: PostgreSQL, or the embedded SQLite under `data`."""
    url = text(name)
    if not url:
        return _sqlite(data / "gatehouse.sqlite3")
    try:
        with warnings.catch_warnings():
            # Its warning about an unknown kind of address repeats the address, password and all.
            warnings.simplefilter("ignore")
            found = environ.Env.db_url_config(url)
        engine = found["ENGINE"]
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        raise ImproperlyConfigured(
            f"{name} must look like postgres://user:password@host:5432/name; percent-encode the password."
        ) from None
    if engine.endswith("postgresql"):
        found["CONN_MAX_AGE"] = None
        found["CONN_HEALTH_CHECKS"] = True
        found["OPTIONS"] = {
            "connect_timeout": 2,
            # A server that vanished without a word is noticed after so many milliseconds, not after minutes.
            "tcp_user_timeout": 5000,
            "options": "-c statement_timeout=15000 -c lock_timeout=5000",
            **found.get("OPTIONS", {}),
        }
        return found
    if engine.endswith("sqlite3"):
        return _sqlite(Path(found["NAME"]))
    raise ImproperlyConfigured(f"{name} names a database that Gatehouse does not speak: use postgres:// or nothing.")


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Tests run on a file too: the usual in-memory database locks whole tables between threads.
        "TEST": {"NAME": path.with_name("test.sqlite3")},
        "OPTIONS": {
            # Without IMMEDIATE a transaction that reads before it writes dies with "database is locked" instead of
            # waiting for its turn, and row locks protect nothing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }


def first_run_secrets(data: Path) -> dict[str, str]:
    """Return the secrets of this installation, made once into `data/secrets.json` (mode 0600, folder 0700).

    Holds `secret_key` and `encryption_keys`. Whoever loses the file loses the signing keys: they are sealed with it.
    Many processes may start at once; the first link wins and all read the same file.
    """
    path = data / "secrets.json"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, _new_secrets())
        return {str(name): str(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data directory {data} is not usable ({error.strerror}). Set GATEHOUSE_DATA to a writable folder."
        ) from None
    except (ValueError, AttributeError):
        raise ImproperlyConfigured(f"{path} is damaged. Restore it from a backup; signing keys need it.") from None


def _new_secrets() -> dict[str, str]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return {"secret_key": secrets.token_urlsafe(64), "encryption_keys": f"first:{key}"}


def _write_once(path: Path, values: dict[str, str]) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
