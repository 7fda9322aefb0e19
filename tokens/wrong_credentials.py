"""Who sends wrong credentials too often, so that guessing is slowed down and does not fill the log.

Credentials are always looked at first, and only wrong ones are counted and refused: nobody can lock out a client by
guessing at it. Known and unknown clients are counted alike, or the answers would tell one from the other. In memory,
per process.
"""

import ipaddress
import threading
from collections import OrderedDict

# Wrong ones in each minute, for one client id, and for all together, from one network.
PER_CLIENT, PER_NETWORK, SECONDS = 20, 100, 60
REMEMBERED = 10_000
# What one customer of a provider usually has. Whoever shares it with a guesser is not locked out either.
PREFIXES = {4: 24, 6: 48}


class Limiter:
    """Counts wrong credentials within a minute that begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything, as a new process would."""
        self._seen: OrderedDict[tuple[int, str, str], tuple[float, int]] = OrderedDict()

    def wrong(self, tenant: int, client_id: str, network: str, now: float) -> int:
        """Count one more; return 0, or in how many seconds wrong ones are looked at again. now: any steady clock."""
        with self._lock:
            wait = self._count((tenant, "", network), PER_NETWORK, now)
            # Once a network is refused as a whole, its made-up clients need not be remembered.
            return wait or self._count((tenant, client_id or " ", network), PER_CLIENT, now)

    def _count(self, key: tuple[int, str, str], most: int, now: float) -> int:
        since, count = self._seen.pop(key, (now, 0))
        if now - since >= SECONDS:
            since, count = now, 0
        self._seen[key] = (since, count + 1)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return max(1, int(since + SECONDS - now)) if count >= most else 0


def network_of(ip: str) -> str:
    """Return the network that an address belongs to, such as 192.0.2.0/24; the text itself when it is no address."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, PREFIXES[address.version]), strict=False))


limiter = Limiter()
