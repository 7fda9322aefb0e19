"""What a process keeps of each tenant, so that a token costs no query: facts and parsed keys, bound to one version.

A memory belongs to one `config_version` and is thrown away whole when that moves. It fills as clients call, and
forgets the least recently used.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from django.db import close_old_connections, connection

from accounts.models import Tenant
from accounts.versions import House, Unavailable, versions
from tokens import lookup, operations
from tokens.access_tokens import Signer
from tokens.facts import Client, Grant, ProtectedAPI
from tokens.signers import NoKey, signer_for

# A client with its secrets weighs about two kilobytes, a grant one.
CLIENTS, GRANTS, APIS = 100_000, 200_000, 10_000
# What names nothing is remembered apart, so that guesses push out other guesses only.
STRANGERS = 1_000


class Recent:
    """A mapping that fills itself and forgets what was not asked for the longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._unknown: OrderedDict[Hashable, None] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], Any]) -> Any:
        """Return what is kept under `key`, or what `load` finds now; None, too, is kept."""
        try:
            found = self._known[key]
            self._known.move_to_end(key)
            return found
        except KeyError:
            pass
        if key in self._unknown:
            return None
        found = _looked_up(load)
        kept, most = (self._unknown, STRANGERS) if found is None else (self._known, self._most)
        kept[key] = found
        while len(kept) > most:
            kept.popitem(last=False)
        return found


def _looked_up(load: Callable[[], Any]) -> Any:
    """Return what `load` finds. Raises Unavailable at once while the database is away: waiting would hold up others."""
    if versions.is_away:
        raise Unavailable("The database does not answer.")
    # As Django does at each request that it sees itself: a connection may have broken while nobody used it.
    if not connection.in_atomic_block:
        close_old_connections()
    return load()


class Memory:
    """One tenant at one version."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._clients = Recent(CLIENTS)
        self._apis = Recent(APIS)
        self._grants = Recent(GRANTS)
        self._signers: dict[str, Signer] = {}
        self._documents: dict[str, Any] = {}

    def client(self, client_id: str) -> Client | None:
        return self._clients.get(client_id, lambda: lookup.client(self.house, client_id))

    def api(self, identifier: str) -> ProtectedAPI | None:
        return self._apis.get(identifier, lambda: lookup.api(self.house, identifier))

    def grant(self, client_id: str, api_id: str) -> Grant | None:
        return self._grants.get((client_id, api_id), lambda: lookup.grant(self.house, client_id, api_id))

    def signer(self, api: ProtectedAPI) -> Signer:
        """Return what signs this API's tokens. Raises NoKey and CannotUnseal."""
        key = api.id if api.signing_alg == "HS256" else api.signing_alg
        signer = self._signers.get(key)
        if signer is None:
            signer = self._signers[key] = _looked_up(lambda: self._found_or_made(api))
        return signer

    def _found_or_made(self, api: ProtectedAPI) -> Signer:
        try:
            return signer_for(self.house, api)
        except NoKey:
            # The first token of an API that brought an algorithm of its own.
            operations.ensure_signing_keys(Tenant.objects.get(pk=self.house.pk), api.signing_alg)
            return signer_for(self.house, api)

    def document(self, name: str, make: Callable[[], Any]) -> Any:
        """Return something made once for this version: the key set, the registered origins."""
        if name not in self._documents:
            self._documents[name] = _looked_up(make)
        return self._documents[name]


_memories: dict[int, Memory] = {}


def of(house: House) -> Memory:
    """Return the memory of a tenant at the version of `house`.

    Inside a transaction it is one of its own: what is read there may never come to pass.
    """
    if connection.in_atomic_block:
        return Memory(house)
    memory = _memories.get(house.pk)
    if memory is None or memory.house.version != house.version:
        memory = _memories[house.pk] = Memory(house)
    return memory


def now(tenant: Tenant) -> Memory:
    """Return the memory of a tenant as it is at this moment. Raises versions.Unavailable and Tenant.DoesNotExist."""
    house = versions.of(tenant.pk)
    if house is None:
        raise Tenant.DoesNotExist
    return of(house)


def forget() -> None:
    """Begin empty, as a new process does."""
    _memories.clear()
