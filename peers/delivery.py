"""What a customer gets: the configuration file of a device, as text and as a QR code.

Every setting is the device's own where it has one, else the interface's, the gateway's, the
global one. Nothing a person typed as a name or note is ever in the file.
"""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

import segno
from django.conf import settings

from gateways.models import GlobalSetting, Interface
from peers.models import Peer, PeerKey
from peers.queries import as_networks
from peers.sealing import open_preshared_key, open_private_key
from rest.errors import Conflict
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
    """A device's file. ``text`` holds secrets: it goes to the customer and nowhere else."""

    text: str
    file_name: str
    private_key_known: bool

    def __repr__(self) -> str:
        return f"Delivery({self.file_name!r})"


def deliver(peer: Peer) -> Delivery:
    """The file of a device (read with its interface and gateway).

    Raises `Conflict` (``no_endpoint``) while nobody has said what clients shall dial, and
    `vault.ring.RingError` when a secret does not open.
    """
    defaults = GlobalSetting.objects.get(pk=1)
    interface = peer.interface
    key = PeerKey.objects.filter(peer=peer).values_list("private_key", flat=True).first()
    keepalive = peer.client_keepalive
    try:
        text = render_client(
            private_key=None if key is None else open_private_key(peer.uuid, key),
            addresses=as_networks(peer.addresses.values_list("address", flat=True)),
            server_public_key=interface.public_key,
            routes=peer.routes or defaults.default_routes or DEFAULT_ROUTES,
            endpoint=endpoint_of(peer, interface, defaults),
            dns=dns_of(peer, interface, defaults),
            mtu=peer.mtu or interface.mtu or defaults.mtu,
            preshared_key=open_preshared_key(peer.uuid, peer.preshared_key),
            persistent_keepalive=(defaults.persistent_keepalive if keepalive is None else keepalive)
            or None,
        )
    except InvalidConfig as error:
        raise Conflict(
            f"The interface's settings make no valid file: {error.message}.",
            field=error.field or None,
            code="settings_invalid",
        ) from None
    return Delivery(text, file_name(peer), private_key_known=key is not None)


def endpoint_of(peer: Peer, interface: Interface, defaults: GlobalSetting) -> str:
    """What the device dials, with its port. Raises `Conflict` (``no_endpoint``)."""
    if peer.endpoint_override:
        return peer.endpoint_override
    for address in (
        interface.endpoint_address,
        interface.gateway.endpoint_address,
        defaults.endpoint_address,
        settings.VWG_ENDPOINT,
        interface.gateway.found_address,
    ):
        if address:
            return _with_port(address, interface.listen_port)
    raise Conflict(
        "Nobody has said what clients dial: set the interface's endpoint or VWG_ENDPOINT.",
        code="no_endpoint",
    )


def dns_of(peer: Peer, interface: Interface, defaults: GlobalSetting) -> list[str]:
    """The name servers of the device's file, none if it wants none."""
    if not peer.use_server_dns:
        return list(peer.dns_servers)
    return list(interface.dns_servers or defaults.dns_servers)


def file_name(peer: Peer) -> str:
    """A name that is a file's on every system and an interface's for wg-quick.

    Letters, digits and dashes, from the client's name where it has any, at most 15 of them.
    """
    plain = unicodedata.normalize("NFKD", peer.client.name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    stem = "-".join(words)[:_LONGEST_STEM].strip("-")
    if not stem or _DEVICES.fullmatch(stem):
        stem = f"vwg-{peer.uuid.hex[:8]}"
    return f"{stem}.conf"


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
