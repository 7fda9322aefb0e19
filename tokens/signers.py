"""The key that signs for an API, parsed once per process and found again by what it is."""

from functools import lru_cache

from accounts import sealing
from accounts.versions import House
from apis.models import API
from tokens.access_tokens import Signer
from tokens.facts import ProtectedAPI
from tokens.models import KeyState, SigningKey


class NoKey(Exception):
    """There is no key to sign with; the message is for the admin."""


def signer_for(house: House, api: ProtectedAPI) -> Signer:
    """Return what signs this API's tokens: its own secret for HS256, the tenant's current key otherwise.

    Raises NoKey when there is none, and accounts.sealing.CannotUnseal when it does not open.
    """
    if api.signing_alg == "HS256":
        row = API.objects.filter(pk=api.id, tenant_id=house.pk).first()
        if row is None:
            raise NoKey("This API is gone.")
        return _secret_signer(row.signing_secret, row.secret_purpose)
    key = SigningKey.objects.filter(tenant_id=house.pk, alg=api.signing_alg, state=KeyState.CURRENT).first()
    if key is None:
        raise NoKey(f"No current signing key for {api.signing_alg}.")
    return _key_signer(key.private_jwk, key.purpose, key.alg, key.kid)


# Both are keyed by the sealed text, which changes with every key, so that nothing here can be stale.


@lru_cache(maxsize=256)
def _key_signer(sealed: str, purpose: str, alg: str, kid: str) -> Signer:
    return Signer.from_jwk(sealing.unseal(sealed, purpose), alg, kid)


@lru_cache(maxsize=1024)
def _secret_signer(sealed: str, purpose: str) -> Signer:
    return Signer.for_secret(sealing.unseal(sealed, purpose))
