"""Whose request this is: X-Forwarded-* is taken from the configured proxy, and dropped from anybody else."""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

FORWARDED = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PORT")


def settle(meta: dict[str, Any]) -> None:
    """Settle scheme, host and caller's address in a WSGI environment (PEP 3333), once and for all that follow.

    With a proxy chain the rightmost address that is not one of ours is the caller's; what stands left of it is hearsay.
    """
    meta.pop("HTTP_FORWARDED", None)
    forwarded = {name: meta.pop(name) for name in FORWARDED if name in meta}
    if forwarded and _is_proxy(meta.get("REMOTE_ADDR", "")):
        _believe(meta, forwarded)


def _believe(meta: dict[str, Any], forwarded: dict[str, str]) -> None:
    scheme = forwarded.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
    if scheme in {"http", "https"}:
        meta["wsgi.url_scheme"] = scheme
    host = forwarded.get("HTTP_X_FORWARDED_HOST", "").split(",")[-1].strip()
    if host:
        meta["HTTP_HOST"] = host
    for hop in reversed(forwarded.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        address = hop.strip()
        try:
            ip_address(address)
        except ValueError:
            break
        meta["REMOTE_ADDR"] = address
        if not _is_proxy(address):
            break


def _is_proxy(address: str) -> bool:
    # A server behind a Unix socket has no peer address; whoever reaches the socket is on this machine.
    if not address:
        return True
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _networks(tuple(settings.GATEHOUSE_TRUSTED_PROXIES)))


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> list[Any]:
    return [ip_network(text, strict=False) for text in texts]
