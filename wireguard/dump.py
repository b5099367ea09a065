"""Reading what ``wg show INTERFACE dump`` prints (wg(8); wireguard-tools show.c, dump_print).

A dump is taken whole or not at all: half a dump looks like mass removal, and a cut-off number
looks like less traffic.
"""

from __future__ import annotations

import re
from ipaddress import ip_interface
from typing import Final

from wireguard.errors import TruncatedDump
from wireguard.types import Dump, InterfaceStatus, PeerStatus, Secret

_KEY: Final = r"[A-Za-z0-9+/]{43}="
_INT: Final = r"0|[1-9][0-9]*"

# AmneziaWG prints its obfuscation settings between the port and the mark.
_INTERFACE: Final = re.compile(
    rf"({_KEY}|\(none\))\t({_KEY}|\(none\))\t({_INT})(?:(?:\t[^\t]*){{9,40}})?\t(off|0x[0-9a-f]+)",
    re.ASCII,
)
_PEER: Final = re.compile(
    rf"({_KEY})\t({_KEY}|\(none\))\t([^\t]+)\t([^\t]+)"
    rf"\t({_INT})\t({_INT})\t({_INT})\t(off|{_INT})",
    re.ASCII,
)


def parse_dump(text: str) -> Dump:
    """Parse the dump of one interface. 10,000 peers take about 30 ms.

    Allowed IPs come sorted as `allowed_ips.sort_networks` sorts them, but are not judged: an
    outsider may have set anything. Raises `TruncatedDump` (which shows no line, they hold keys)
    when the text does not end a line or any line is not exactly what ``wg`` prints. A text cut at
    the end of a line cannot be told from a shorter dump; the command's exit status tells that.
    """
    first, *lines = text.split("\n")
    if not lines or lines.pop():
        raise TruncatedDump("the dump does not end with a whole line")
    interface = _interface(first)
    peers: dict[str, PeerStatus] = {}
    match_peer = _PEER.fullmatch
    for line in lines:
        match = match_peer(line)
        if match is None:
            raise TruncatedDump(f"line {len(peers) + 2} of the dump is not a peer")
        key, psk, endpoint, networks, handshake, rx, tx, keepalive = match.groups()
        peers[key] = PeerStatus(
            key,
            None if psk == "(none)" else Secret(psk),
            None if endpoint == "(none)" else endpoint,
            _networks(networks),
            int(handshake),
            int(rx),
            int(tx),
            None if keepalive == "off" else int(keepalive),
        )
    if len(peers) != len(lines):
        raise TruncatedDump("the dump names a peer twice")
    return Dump(interface, peers)


def _interface(line: str) -> InterfaceStatus:
    match = _INTERFACE.fullmatch(line)
    if match is None:
        raise TruncatedDump("line 1 of the dump is not an interface")
    private_key, public_key, port, fwmark = match.groups()
    return InterfaceStatus(
        None if private_key == "(none)" else Secret(private_key),
        None if public_key == "(none)" else public_key,
        int(port),
        None if fwmark == "off" else int(fwmark, 16),
    )


def _networks(text: str) -> tuple[str, ...]:
    if "," not in text:
        return () if text == "(none)" else (text,)
    parts = text.split(",")
    if len(parts) == 2 and ":" not in parts[0] and ":" in parts[1]:
        return (parts[0], parts[1])  # one of each family, the usual case, is in order
    try:
        return tuple(sorted(parts, key=_position))
    except ValueError:
        raise TruncatedDump("a peer's allowed IPs are not networks") from None


def _position(network: str) -> tuple[int, int, int]:
    address = ip_interface(network)
    return address.version, int(address.ip), address.network.prefixlen
