"""A live tenant for the quick starts: a real server on a port, real tokens from it, and ones that only look like it."""

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwcrypto import jwk

from accounts.models import Tenant
from apis.models import API
from apis.operations import add_scopes, create_api
from apis.quick_starts import Values
from apis.views.quick_start import values_of
from applications.operations import authorize_application
from audit.actors import Actor
from tests.conftest import App, make_app
from tokens import compact, keys
from tokens.access_tokens import Signer
from tokens.models import KeyState
from tokens.operations import ensure_signing_keys, rotate_signing_keys
from tokens.setup import create_tenant

# Whatever a person may type into an identifier or a scope must reach the running code unharmed.
IDENTIFIER = """urn:it's "quoted" \\ $HOME ${x} #{y} {{ z }} %s `id` \\u0022"""
SCOPE, OTHER_SCOPE = "read:#{it's}${x}", "write:reports"
HOUR = 3600


@dataclass
class Live:
    """The tenant with one API and one application, and how to come by tokens of every kind."""

    tenant: Tenant
    api: API
    app: App
    by: Actor

    @property
    def values(self) -> Values:
        return values_of(self.api, SCOPE)

    @property
    def secret(self) -> str | None:
        return self.api.reveal_signing_secret() if self.api.uses_secret else None

    def token(self, scope: str = SCOPE) -> str:
        """Return a token that the server itself issued."""
        response = requests.post(
            f"{self.tenant.issuer}oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.app.client_id,
                "client_secret": self.app.secret,
                "audience": self.api.identifier,
                "scope": scope,
            },
            timeout=10,
        )
        assert response.status_code == 200, response.text
        return response.json()["access_token"]

    def signer(self) -> Signer:
        if self.secret:
            return Signer.for_secret(self.secret)
        key = self.tenant.signing_keys.get(alg=self.api.signing_alg, state=KeyState.CURRENT)
        return Signer.from_jwk(key.reveal_private_jwk(), key.alg, key.kid)

    def other_signer(self) -> Signer:
        """Return somebody else's key under our key's id."""
        if self.secret:
            return Signer.for_secret(self.secret[::-1])
        return Signer.from_jwk(keys.generate(self.api.signing_alg)[0], self.api.signing_alg, self.signer().kid)

    def public_key_signer(self) -> Signer:
        """Return HS256 with the public key as its secret: the classic mix-up of algorithms."""
        key = self.tenant.signing_keys.get(alg=self.api.signing_alg, state=KeyState.CURRENT)
        public = jwk.JWK(**key.public_jwk).get_op_key("verify")
        signer = Signer.for_secret(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
        signer.kid = key.kid
        return signer

    def refused(self) -> dict[str, str | None]:
        """Return a token for each case that must be answered with 401."""
        good = self.token()
        claims = json.loads(compact.read(good).payload)
        now = int(time.time())
        header, payload, signature = good.split(".")
        sign = self.signer().sign
        found: dict[str, str | None] = {
            "no token": None,
            "garbage": "garbage",
            "expired": sign(claims | {"iat": now - 2 * HOUR, "exp": now - HOUR}),
            "not valid yet": sign(claims | {"nbf": now + HOUR, "exp": now + 2 * HOUR}),
            "another issuer": sign(claims | {"iss": "https://evil.example/"}),
            "another audience": sign(claims | {"aud": "https://other.example/"}),
            "another key": self.other_signer().sign(claims),
            "a changed token": f"{header}.{_part(claims | {'sub': 'somebody else'})}.{signature}",
            "alg none": f"{_part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        }
        if not self.secret:
            found["HS256 signed with the public key"] = self.public_key_signer().sign(claims)
        return found

    def rotate(self) -> None:
        rotate_signing_keys(self.tenant, self.by, emergency=True)


def _part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def live(request: pytest.FixtureRequest, transactional_db: None, live_server: Any, by: Actor) -> Live:
    """Return the live tenant; the test's parameter `algorithm` says what its API signs with."""
    tenant = create_tenant("live", f"{live_server.url}/", by)
    algorithm = request.getfixturevalue("algorithm")
    api = create_api(tenant, by, name="Reports", identifier=IDENTIFIER, signing_alg=algorithm)
    add_scopes(api, by, [(SCOPE, ""), (OTHER_SCOPE, "")])
    ensure_signing_keys(tenant, algorithm)
    app = make_app(tenant, by, name="Caller", app_type="non_interactive")
    authorize_application(app.row, api, by, scopes=[SCOPE, OTHER_SCOPE])
    return Live(tenant, api, app, by)
