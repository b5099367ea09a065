"""Writing wg(8) and wg-quick(8) text. Reading it is `parse`, from `wireguard.parsing`.

Rule 1: there is one text per reader, and each states all that its reader would otherwise reset.
Rule 2: only the values below are ever written; no name, no note, and no comment but one that is
always the same (`KEY_PLACE`). Each is checked on its way out, so that no value can bring a line of
its own.
Rule 3: a blocked peer is a section without an AllowedIPs line. wg(8) refuses an empty
``AllowedIPs =``, and starts each section by emptying the list (config.c, process_line).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from wireguard import values
from wireguard.allowed_ips import (
    check_endpoint,
    check_interface_address,
    check_keepalive,
    check_network,
)
from wireguard.errors import InvalidConfig
from wireguard.keys import check_preshared_key, check_private_key, check_public_key
from wireguard.parsing import NO_PRESHARED_KEY, parse
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

__all__ = ["KEY_PLACE", "parse", "render_client", "render_peers", "render_quick", "render_sync"]

_HOOKS: Final = (
    ("PreUp", "pre_up"),
    ("PostUp", "post_up"),
    ("PreDown", "pre_down"),
    ("PostDown", "post_down"),
)


#: Stands in a customer's file where the private key belongs that only his device has.
KEY_PLACE: Final = "# PrivateKey = (the device's own; write it here)"


def render_quick(device: DeviceConfig) -> str:
    """The boot file: the whole interface, hooks included, and its peers with their endpoints.

    Which peers belong into it is the caller's choice. ``parse(render_quick(x)) == x``. Raises
    `InvalidConfig` or `InvalidKey`.
    """
    return _text(_quick_lines(device.interface), _peers(device.peers))


def render_sync(device: DeviceConfig) -> str:
    """The text for ``wg syncconf``: keys, port, mark, and each peer with everything stated.

    syncconf resets what is left out: without a port it takes a random one, and without a private
    key all sessions end; so it is refused (`InvalidConfig`) when either is missing. Endpoints are
    left out, because clients roam. **Peers that are not in it are removed, counters and all**; no
    peers in it removes everyone.
    """
    wanted = device.interface
    if wanted.private_key is None:
        raise InvalidConfig("syncconf without one would take it away", field="PrivateKey")
    if wanted.listen_port is None:
        raise InvalidConfig("syncconf without one would pick another", field="ListenPort")
    fwmark = values.check_fwmark(wanted.fwmark)
    head = [
        "[Interface]",
        f"PrivateKey = {check_private_key(wanted.private_key).reveal()}",
        f"ListenPort = {values.check_listen_port(wanted.listen_port)}",
        f"FwMark = {fwmark or 'off'}",
    ]
    return _text(head, _peers(device.peers, whole=True))


def render_peers(peers: Iterable[PeerConfig]) -> str:
    """The text for ``wg addconf``: only these peers, endpoints included. "" for none.

    For each, addconf replaces the allowed IPs and leaves alone what is not stated.
    """
    return _text([], _peers(peers))


def render_client(
    *,
    private_key: Secret | None,
    addresses: Iterable[str],
    server_public_key: str,
    routes: Iterable[str],
    endpoint: str,
    dns: Iterable[str] = (),
    mtu: int | None = None,
    preshared_key: Secret | None = None,
    persistent_keepalive: int | None = None,
) -> str:
    """The file that a customer downloads.

    ``addresses`` are the device's own, ``routes`` the networks it sends into the tunnel,
    ``endpoint`` may be a host name. Without ``private_key`` a comment stands in its place: the
    customer has the key. ``persistent_keepalive`` in seconds, ``mtu`` in bytes.
    """
    wanted = InterfaceConfig(
        private_key=private_key, addresses=tuple(addresses), dns=tuple(dns), mtu=mtu
    )
    peer = PeerConfig(server_public_key, tuple(routes), preshared_key, persistent_keepalive)
    dialled = f"Endpoint = {values.check_dialled_endpoint(endpoint)}"
    head = _quick_lines(wanted)
    if private_key is None:
        head.insert(1, KEY_PLACE)
    return _text(head, [[*_peer_lines(peer), dialled]])


def _quick_lines(wanted: InterfaceConfig) -> list[str]:
    lines = ["[Interface]"]
    if wanted.private_key is not None:
        lines.append(f"PrivateKey = {check_private_key(wanted.private_key).reveal()}")
    if wanted.addresses:
        addresses = (check_interface_address(address) for address in wanted.addresses)
        lines.append(f"Address = {', '.join(addresses)}")
    if wanted.listen_port is not None:
        lines.append(f"ListenPort = {values.check_listen_port(wanted.listen_port)}")
    if fwmark := values.check_fwmark(wanted.fwmark):
        lines.append(f"FwMark = {fwmark}")
    if wanted.dns:
        lines.append(f"DNS = {', '.join(values.check_dns(server) for server in wanted.dns)}")
    if wanted.mtu is not None:
        lines.append(f"MTU = {values.check_mtu(wanted.mtu)}")
    if wanted.table is not None:
        lines.append(f"Table = {values.check_table(wanted.table)}")
    for field, attribute in _HOOKS:
        hooks: tuple[str, ...] = getattr(wanted, attribute)
        lines += [f"{field} = {values.check_hook(hook, field)}" for hook in hooks]
    return lines


def _peers(peers: Iterable[PeerConfig], *, whole: bool = False) -> Iterator[list[str]]:
    seen: set[str] = set()
    for peer in peers:
        if peer.public_key in seen:
            raise InvalidConfig("a peer is listed twice", field="PublicKey")
        seen.add(peer.public_key)
        lines = _peer_lines(peer, whole=whole)
        if peer.endpoint is not None and not whole:
            lines.append(f"Endpoint = {check_endpoint(peer.endpoint)}")
        yield lines


def _peer_lines(peer: PeerConfig, *, whole: bool = False) -> list[str]:
    """One section without its endpoint; ``whole`` states what is off, too.

    Old versions of wg(8) do not reset an omitted preshared key or keepalive on syncconf.
    """
    lines = ["[Peer]", f"PublicKey = {check_public_key(peer.public_key)}"]
    if peer.preshared_key is not None:
        lines.append(f"PresharedKey = {check_preshared_key(peer.preshared_key).reveal()}")
    elif whole:
        lines.append(f"PresharedKey = {NO_PRESHARED_KEY}")
    if peer.allowed_ips:
        networks = (check_network(network) for network in peer.allowed_ips)
        lines.append(f"AllowedIPs = {', '.join(networks)}")
    keepalive = check_keepalive(peer.persistent_keepalive)
    if keepalive is not None or whole:
        lines.append(f"PersistentKeepalive = {keepalive or 'off'}")
    return lines


def _text(head: list[str], sections: Iterable[list[str]]) -> str:
    blocks = ["\n".join(lines) for lines in ([head] if head else [])]
    blocks += ["\n".join(lines) for lines in sections]
    return "\n\n".join(blocks) + "\n" if blocks else ""
