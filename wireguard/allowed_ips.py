"""Networks and the other values of a peer, each in one spelling.

WireGuard masks host bits and moves an address to whoever claims it last, both silently; so what
is sent must be exact, and compare as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from wireguard.errors import InvalidConfig

_NETWORK: Final = re.compile(r"([0-9A-Fa-f:.]{2,45})(?:/(0|[1-9][0-9]{0,2}))?", re.ASCII)
_ENDPOINT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})", re.ASCII)
_CACHED: Final = 1 << 15
"""A boot file of 10,000 peers is rendered every few seconds; they fit (about 8 MB)."""

_Sorted = tuple[int, int, int]


def check_network(text: object, field: str = "AllowedIPs") -> str:
    """Return the network in its one spelling: "192.0.2.0/24", "2001:db8::/32".

    A bare address is a network of one. Host bits, masks, leading zeros, white space, digits of
    other scripts, scope ids and IPv4 inside IPv6 are refused with `InvalidConfig`.
    """
    return _network(_text(text, field), field)[0]


def sort_networks(networks: Iterable[str], field: str = "AllowedIPs") -> tuple[str, ...]:
    """Check each network and return them once each, IPv4 before IPv6, in numeric order."""
    found = {_network(_text(text, field), field) for text in networks}
    return tuple(text for text, _ in sorted(found, key=_position))


def check_address(text: object, field: str) -> IPv4Address | IPv6Address:
    """Return one IP address without prefix length, or raise `InvalidConfig`."""
    return _address(_text(text, field), field)


def check_interface_address(text: object, field: str = "Address") -> str:
    """Return an interface's own address with its prefix length ("10.252.0.1/16")."""
    address, length = _split(_text(text, field), field)
    return f"{address}/{length}"


def check_endpoint(text: object, field: str = "Endpoint") -> str:
    """Return "192.0.2.1:51820" or "[2001:db8::1]:51820" in its one spelling.

    Host names are refused: ``wg`` resolves them while everything waits, and retries for minutes.
    Raises `InvalidConfig`.
    """
    match = _ENDPOINT.fullmatch(_text(text, field))
    if match is None or int(match[3]) > 65535:
        raise InvalidConfig(
            "not an IP address and port, like 192.0.2.1:51820 or [2001:db8::1]:51820"
            " (host names are not resolved)",
            field=field,
        )
    if match[1] is not None:
        address = _address(match[1], field)
        if address.version != 6:
            raise InvalidConfig("brackets are for IPv6 addresses", field=field)
        return f"[{address}]:{match[3]}"
    return f"{_address(match[2], field)}:{match[3]}"


def check_keepalive(seconds: object, field: str = "PersistentKeepalive") -> int | None:
    """Return the interval in seconds, None for off (None or 0). Raises `InvalidConfig`."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= 65535:
        raise InvalidConfig("not a number of seconds between 0 and 65535", field=field)
    return seconds or None


@lru_cache(maxsize=_CACHED)
def _network(text: str, field: str) -> tuple[str, _Sorted]:
    address, length = _split(text, field)
    if int(address) & ((1 << (address.max_prefixlen - length)) - 1):
        raise InvalidConfig(f"{text} has bits set behind its prefix length", field=field)
    return f"{address}/{length}", (address.version, int(address), length)


def _position(network: tuple[str, _Sorted]) -> _Sorted:
    return network[1]


def _split(text: str, field: str) -> tuple[IPv4Address | IPv6Address, int]:
    match = _NETWORK.fullmatch(text)
    if match is None:
        raise InvalidConfig("not an address with a prefix length, like 192.0.2.0/24", field=field)
    address = _address(match[1], field)
    length = address.max_prefixlen if match[2] is None else int(match[2])
    if length > address.max_prefixlen:
        raise InvalidConfig(f"a prefix length is at most {address.max_prefixlen}", field=field)
    return address, length


def _address(text: str, field: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text)
    except ValueError:
        raise InvalidConfig("not an IP address", field=field) from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise InvalidConfig("an address with a scope is of no use here", field=field)
        # ::ffff:192.0.2.1 and ::192.0.2.1: second spellings of IPv4 (RFC 4291, 2.5.5).
        if address.ipv4_mapped is not None or 0xFFFF < int(address) <= 0xFFFFFFFF:
            raise InvalidConfig("an IPv4 address inside an IPv6 one", field=field)
    return address


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidConfig("not a text", field=field)
    return value
