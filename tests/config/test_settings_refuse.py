"""One test per refusal, and one that an empty environment starts."""

import base64
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.checks import safe_settings

ROOT = Path(__file__).parents[2]
GOOD_RING = f"one:{base64.urlsafe_b64encode(bytes(range(32))).decode()}"
GOOD_KEY = "zQ3vX8sLw0Rk5TqYp2Nf7HdJc1Mb6GaVe9UiKo4WxSt_ByA-"
SHORT_RING = f"one:{base64.urlsafe_b64encode(b'31 bytes are not enough for it.').decode()}"
TWICE = GOOD_RING + "," + GOOD_RING.replace("one:", "two:")


@pytest.fixture
def safe(settings, tmp_path, monkeypatch):
    """Settings of a server with a public address that nothing is wrong with."""
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    settings.GATEHOUSE_DATA = tmp_path
    settings.SECRETS_IN_DATA = False
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    settings.DEBUG = False
    settings.HTTPS = True
    settings.GATEHOUSE_ISSUER = settings.GATEHOUSE_CONSOLE_URL = "https://auth.example.com/"
    settings.SECRET_KEY = GOOD_KEY
    settings.GATEHOUSE_ENCRYPTION_KEYS = GOOD_RING
    settings.GATEHOUSE_TRUSTED_PROXIES = ["127.0.0.1", "::1", "10.0.0.0/8"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    return settings


def found():
    return [message.id.removeprefix("gatehouse.") for message in safe_settings(None)]


def test_a_safe_server_passes(safe):
    assert found() == []


@pytest.mark.parametrize("address", ["http://localhost:8000/", "http://127.0.0.1/", "http://[::1]:9000/"])
def test_plain_http_on_this_machine_passes(safe, address):
    safe.GATEHOUSE_ISSUER = safe.GATEHOUSE_CONSOLE_URL = address

    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GATEHOUSE_ISSUER", "http://auth.example.com/", "E001"),
        ("GATEHOUSE_CONSOLE_URL", "http://192.0.2.7:8000/", "E001"),
        ("DEBUG", True, "E002"),
        ("SECRET_KEY", GOOD_KEY[:39], "E003"),
        ("SECRET_KEY", "ab" * 40, "E003"),
        ("SECRET_KEY", GOOD_RING.partition(":")[2], "E004"),
        ("SECRET_KEY", f"{GOOD_KEY}{GOOD_RING.partition(':')[2].rstrip('=')}", "E004"),
        ("GATEHOUSE_ENCRYPTION_KEYS", "", "E005"),
        ("GATEHOUSE_ENCRYPTION_KEYS", "no-colon", "E005"),
        ("GATEHOUSE_ENCRYPTION_KEYS", "one:not base64!", "E005"),
        ("GATEHOUSE_ENCRYPTION_KEYS", SHORT_RING, "E005"),
        ("GATEHOUSE_ENCRYPTION_KEYS", f"{GOOD_RING},one:{'A' * 43}", "E005"),
        ("GATEHOUSE_ENCRYPTION_KEYS", TWICE, "E005"),
        ("OAUTH2_PROVIDER", {"COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": False}, "E007"),
        ("OAUTH2_PROVIDER", {}, "E007"),
        ("GATEHOUSE_TRUSTED_PROXIES", ["not an address"], "E008"),
        ("GATEHOUSE_TRUSTED_PROXIES", ["10.0.0.0/99"], "E008"),
        ("GATEHOUSE_TRUSTED_PROXIES", ["0.0.0.0/0"], "E008"),
        ("GATEHOUSE_TRUSTED_PROXIES", ["::/0"], "E008"),
        ("PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"], "E009"),
    ],
)
def test_an_unsafe_setting_is_refused(safe, name, value, expected):
    setattr(safe, name, value)

    assert found() == [expected]


def test_oauth_without_tls_is_refused(safe, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    assert found() == ["E006"]


def test_a_secrets_file_that_others_can_read_is_refused(safe):
    safe.SECRETS_IN_DATA = True
    path = safe.GATEHOUSE_DATA / "secrets.json"
    path.write_text("{}")
    path.chmod(0o640)

    assert found() == ["E010"]


def test_secrets_from_the_data_directory_beside_a_shared_database_are_a_warning(safe, monkeypatch):
    safe.SECRETS_IN_DATA = True
    path = safe.GATEHOUSE_DATA / "secrets.json"
    path.touch(0o600)
    monkeypatch.setitem(safe.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")

    assert found() == ["W001"]


def test_every_refusal_names_its_fix_and_no_secret(safe):
    safe.SECRET_KEY = SHORT_RING.partition(":")[2]
    safe.GATEHOUSE_ENCRYPTION_KEYS = SHORT_RING

    messages = safe_settings(None)

    assert messages and all(message.hint for message in messages)
    assert not any(safe.SECRET_KEY[:12] in f"{message.msg} {message.hint}" for message in messages)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.flag("X", False), "treu"),
        (lambda: env.whole_number("X", 1, 1, 9), "10"),
        (lambda: env.whole_number("X", 1, 1, 9), "1.5"),
        (lambda: env.choice("X", "a", ("a", "b")), "c"),
        (lambda: env.origin("X"), "sso.example.com"),
        (lambda: env.origin("X"), "https://user@sso.example.com/"),
        (lambda: env.origin("X"), "https://sso.example.com/path"),
        (lambda: env.origin("X"), "https://sso.example.com/?x=1"),
        (lambda: env.database("X", Path(".")), "mysql://secret@db/name"),
        (lambda: env.database("X", Path(".")), "nonsense"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_without_showing_it(monkeypatch, read, value):
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured) as refusal:
        read()

    assert str(refusal.value).startswith("X ") and value not in str(refusal.value)


def test_a_secret_file_that_is_missing_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("X_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ImproperlyConfigured, match="X_FILE: cannot read"):
        env.text("X")


def environment(tmp_path, **more):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GATEHOUSE_DATA": str(tmp_path / "data"), **more}


def run(tmp_path, *arguments, **more):
    command = [sys.executable, *arguments]
    env = environment(tmp_path, **more)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


WAYS_IN = [["manage.py", "check"], ["manage.py", "setup"], ["-m", "config.serve", "--port", "9201"]]


@pytest.mark.parametrize("door", WAYS_IN)
def test_every_way_in_refuses_an_unsafe_setting_without_a_traceback(tmp_path, door):
    refused = run(tmp_path, *door, GATEHOUSE_TRUSTED_PROXIES="0.0.0.0/0")

    assert refused.returncode == 1
    assert "gatehouse.E008" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize("door", WAYS_IN)
def test_every_way_in_refuses_an_unreadable_setting_in_one_line(tmp_path, door):
    refused = run(tmp_path, *door, GATEHOUSE_DEBUG="treu")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "GATEHOUSE_DEBUG must be" in refused.stderr


def test_an_empty_environment_starts(tmp_path):
    data = tmp_path / "data"
    server = subprocess.Popen(
        [sys.executable, "-m", "config.serve", "--port", "9203"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 60
        while not answers("http://127.0.0.1:9203/readyz"):
            assert server.poll() is None and time.monotonic() < deadline, server.stdout.read().decode()
            time.sleep(0.3)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    assert server.returncode == 0
    assert (data / "secrets.json").stat().st_mode & 0o777 == 0o600 and data.stat().st_mode & 0o777 == 0o700


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
