"""What a customer gets: the configuration file of a device, as text and as a QR code.

Every setting is the device's own where it has one, else the interface's, the gateway's, the
global one. Nothing a person typed as a name or note is ever in the file.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

import segno
from django.conf import settings

from gateways.models import GlobalSetting, Interface
from peers.freshness import is_outdated
from peers.models import Peer, PeerAddress, PeerKey
from peers.queries import as_networks
from peers.sealing import open_preshared_key, open_private_key
from rest.errors import Conflict, Refusal
from vault.ring import RingError
from wireguard.config import render_client
from wireguard.errors import InvalidConfig

DEFAULT_ROUTES: Final = ("0.0.0.0/0", "::/0")
#: wg-quick(8) takes the interface's name from the file's, and IFNAMSIZ leaves it 15 characters.
_LONGEST_STEM: Final = 15
#: Names of devices on Windows, with any ending.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
#: The mask is fixed: trying all eight costs 21 ms instead of 5 and saves nothing to a reader.
_MASK: Final = 2
_QUIET_ZONE: Final = 4  # modules, ISO/IEC 18004


@dataclass(frozen=True)
class Delivery:
    """A device's file. ``text`` holds secrets: it goes to the customer and nowhere else.

    ``generation`` is the sum of what it was made from (`gateways.generations`).
    """

    peer: Peer
    text: str
    file_name: str
    private_key_known: bool
    generation: int

    def __repr__(self) -> str:
        return f"Delivery({self.file_name!r})"

    @property
    def outdated(self) -> bool:
        """Whether the file that was handed out before this one is not this one any more."""
        return is_outdated(self.peer, self.generation)


@dataclass(frozen=True)
class _Sources:
    """What the files of some devices are made from, beside their rows."""

    defaults: GlobalSetting
    addresses: dict[int | None, list[str]]
    keys: dict[int, str]


def deliver(peer: Peer) -> Delivery:
    """The file of a device (read with its client, tenant, interface and gateway).

    Raises `Conflict` (``no_endpoint``, ``key_awaited``, ``settings_invalid``,
    ``secrets_unreadable``).
    """
    return _deliver(peer, _sources([peer]))


def deliver_many(peers: Sequence[Peer]) -> list[Delivery | Refusal]:
    """The files of these devices, each its own or why there is none, in three queries."""
    sources = _sources(peers)
    return [_try(peer, sources) for peer in peers]


def _try(peer: Peer, sources: _Sources) -> Delivery | Refusal:
    try:
        return _deliver(peer, sources)
    except Refusal as refusal:
        return refusal


def _sources(peers: Iterable[Peer]) -> _Sources:
    """Read after the rows: what changes in between leaves the file outdated, never the reverse."""
    ids = [peer.pk for peer in peers]
    addresses: defaultdict[int | None, list[str]] = defaultdict(list)
    for peer_id, text in PeerAddress.objects.filter(peer__in=ids).values_list("peer", "address"):
        addresses[peer_id].append(text)
    keys = PeerKey.objects.filter(peer__in=ids).values_list("peer", "private_key")
    return _Sources(GlobalSetting.objects.get(pk=1), addresses, dict(keys))


def _deliver(peer: Peer, sources: _Sources) -> Delivery:
    if peer.awaits_key:
        raise Conflict(
            "The customer has not sent this device's key yet; there is no file without it.",
            code="key_awaited",
        )
    defaults, interface = sources.defaults, peer.interface
    key = sources.keys.get(peer.pk)
    keepalive = peer.client_keepalive
    try:
        text = render_client(
            private_key=None if key is None else open_private_key(peer.uuid, key),
            addresses=as_networks(sources.addresses[peer.pk]),
            server_public_key=interface.public_key,
            routes=peer.routes or defaults.default_routes or DEFAULT_ROUTES,
            endpoint=endpoint_of(peer, interface, defaults),
            dns=dns_of(peer, interface, defaults),
            mtu=peer.mtu or interface.mtu or defaults.mtu,
            preshared_key=open_preshared_key(peer.uuid, peer.preshared_key),
            persistent_keepalive=(defaults.persistent_keepalive if keepalive is None else keepalive)
            or None,
        )
    except RingError:
        text = "The key ring does not open this device's secrets."
        raise Conflict(text, code="secrets_unreadable") from None
    except InvalidConfig as error:
        raise Conflict(
            f"The interface's settings make no valid file: {error.message}.",
            field=error.field or None,
            code="settings_invalid",
        ) from None
    generation = (
        peer.file_generation
        + interface.config_generation
        + interface.gateway.config_generation
        + defaults.config_generation
    )
    return Delivery(peer, text, file_name(peer), key is not None, generation)


def endpoint_of(peer: Peer, interface: Interface, defaults: GlobalSetting) -> str:
    """What the device dials, with its port. Raises `Conflict` (``no_endpoint``)."""
    found = peer.endpoint_override or interface_endpoint(interface, defaults)
    if found is None:
        raise Conflict(
            "Nobody has said what clients dial: set the interface's endpoint or VWG_ENDPOINT.",
            code="no_endpoint",
        )
    return found


def interface_endpoint(interface: Interface, defaults: GlobalSetting) -> str | None:
    """What devices of the interface dial, with its port; None while nobody has said.

    Relays come before endpoints, and the nearest of each before those above it.
    """
    gateway = interface.gateway
    for address in (
        interface.relay_endpoint,
        gateway.relay_endpoint,
        defaults.relay_endpoint,
        interface.endpoint_address,
        gateway.endpoint_address,
        defaults.endpoint_address,
        settings.VWG_ENDPOINT,
        gateway.found_address,
    ):
        if address:
            return _with_port(address, interface.listen_port)
    return None


def dns_of(peer: Peer, interface: Interface, defaults: GlobalSetting) -> list[str]:
    """The name servers of the device's file, none if it wants none."""
    if not peer.use_server_dns:
        return list(peer.dns_servers)
    return list(interface.dns_servers or defaults.dns_servers)


def file_name(peer: Peer) -> str:
    """A name that is a file's on every system and an interface's for wg-quick.

    Letters, digits and dashes, at most 15: the tenant's prefix and the client's name, or a part of
    the device's id where the name has no such letters.
    """
    prefix = _words(peer.tenant.config_prefix)
    stem = _words(peer.client.name)
    if stem:
        stem = f"{prefix}-{stem}"[:_LONGEST_STEM].strip("-") if prefix else stem[:_LONGEST_STEM]
    if not stem or _DEVICES.fullmatch(stem):
        stem = f"{(prefix or 'vwg')[:6].strip('-')}-{peer.uuid.hex[:8]}"
    return f"{stem.strip('-')}.conf"


def unique_names(names: Iterable[str]) -> list[str]:
    """The names of files that lie in one folder: the second "a.conf" becomes "a-2.conf"."""
    taken: set[str] = set()
    counts: defaultdict[str, int] = defaultdict(int)
    found = []
    for name in names:
        stem, unique = name.removesuffix(".conf"), name
        while unique in taken:
            counts[stem] += 1
            tail = f"-{counts[stem] + 1}"
            unique = f"{stem[: _LONGEST_STEM - len(tail)].strip('-')}{tail}.conf"
        taken.add(unique)
        found.append(unique)
    return found


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))


def qr_svg(text: str) -> bytes:
    """The text as a QR code, a standalone SVG document, black on white in any theme."""
    out = io.BytesIO()
    _qr(text).save(
        out, kind="svg", scale=4, border=_QUIET_ZONE, dark="#000", light="#fff", svgclass=None,
        lineclass=None,
    )  # fmt: skip
    return out.getvalue()


def qr_png(text: str) -> bytes:
    """The text as a QR code, a PNG image."""
    out = io.BytesIO()
    _qr(text).save(out, kind="png", scale=6, border=_QUIET_ZONE)
    return out.getvalue()


def _qr(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="l", mask=_MASK, boost_error=False)


def _with_port(address: str, port: int) -> str:
    """``address`` may be a name, an address, or either with a port of its own."""
    try:
        parsed = ip_address(address.strip("[]"))
    except ValueError:
        return address if ":" in address else f"{address}:{port}"
    return f"[{parsed}]:{port}" if isinstance(parsed, IPv6Address) else f"{parsed}:{port}"
