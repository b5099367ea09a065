"""How often one address may ask for what it must not guess. Counted per minute, in the database's
cache, so that all web processes count together.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Final

from django.core.cache import cache

_WINDOW: Final = 60


def count(name: str, address: str | None, at: datetime) -> int:
    """Note one more and say how many there were in this minute, this one among them."""
    key = _key(name, address, at)
    cache.add(key, 0, timeout=2 * _WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:  # it fell out of the cache in between
        return 1


def counted(name: str, address: str | None, at: datetime) -> int:
    """How many there were in this minute so far."""
    return int(cache.get(_key(name, address, at), 0))


def seconds_left(at: datetime) -> int:
    """Until the next minute begins."""
    return _WINDOW - int(at.timestamp()) % _WINDOW


def _key(name: str, address: str | None, at: datetime) -> str:
    return f"throttle:{name}:{_network(address)}:{int(at.timestamp()) // _WINDOW}"


def _network(address: str | None) -> str:
    """An IPv4 address, or the /64 that an IPv6 address is one of: a customer has a whole one."""
    if address is None:
        return "-"
    parsed = ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ip_network(f"{parsed}/64", strict=False).network_address)
