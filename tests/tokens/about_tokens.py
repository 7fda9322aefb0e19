"""Ask the endpoints about a token, as an application does."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import jwt
from django.http import HttpResponse
from django.test import Client

from tests.conftest import HOST, App

FORM = "application/x-www-form-urlencoded"
INACTIVE = b'{"active":false}'


def call(path: str, app: App | None, host: str = HOST, headers: dict[str, str] | None = None, **parameters: Any) -> Any:
    """Post to `path` as `app`, with its secret in the header; None for nobody."""
    proof = {}
    if app is not None:
        text = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
        proof = {"authorization": f"Basic {text}"}
    body = {name: value for name, value in parameters.items() if value is not None}
    return Client().post(path, urlencode(body), content_type=FORM, headers={"host": host, **proof, **(headers or {})})


def introspect(app: App | None, token: str | None, **more: Any) -> HttpResponse:
    return call("/oauth/introspect", app, token=token, **more)


def revoke(app: App | None, token: str | None, **more: Any) -> HttpResponse:
    return call("/oauth/revoke", app, token=token, **more)


def is_active(app: App, token: str) -> bool:
    response = introspect(app, token)
    assert response.status_code == 200
    if response.json()["active"]:
        return True
    assert response.content == INACTIVE
    return False


def unverified(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def with_claims(token: str, **changes: Any) -> str:
    """Return the token with other claims, under its old signature."""
    head, _, signature = token.split(".")
    body = json.dumps(unverified(token) | changes).encode()
    return f"{head}.{_base64url(body).decode()}.{signature}"


def signed(secret: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token signed with a secret, as an API that knows it could; by hand, as libraries refuse the worst."""
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"} | (header or {})).encode(), json.dumps(claims).encode()]
    message = b".".join(_base64url(part) for part in parts)
    return (message + b"." + _base64url(hmac.digest(secret.encode(), message, hashlib.sha256))).decode()


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def soon() -> int:
    return int(time.time()) + 600
