"""What lies behind share links on an ordinary day: a seller with a brand, links in every state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from audit.events import SYSTEM
from gateways.models import GlobalSetting, Interface
from peers.models import Client, Peer, PeerKey
from peers.sealing import seal_preshared_key, seal_private_key
from peers.services.entitlement import open_hold
from peers.services.links import create_link
from quotas.models import Hold
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.make import (
    make_client,
    make_interface,
    make_key,
    make_meter,
    make_peer,
    make_tenant,
    make_usage,
)
from wireguard.types import Secret


@dataclass(frozen=True)
class Shared:
    """The paths of links: to a device that is used, one whose file is outdated, one for one use,
    one that awaits its key, one whose seller has paused it, and none.
    """

    used: str
    outdated: str
    once: str
    keyless: str
    off: str
    gone: str = "/s/nobody-made-this-one"


def shared_links(
    interface: Interface | None = None, seller: Tenant | None = None, **brand: Any
) -> Shared:
    """Five customers of this seller, or of Kestrel Net."""
    GlobalSetting.objects.update_or_create(
        pk=1, defaults={"endpoint_address": "vpn.example.net", "dns_servers": ["9.9.9.9"]}
    )
    wg0 = interface or make_interface()
    wg0.gateway.location = "Frankfurt"
    wg0.gateway.save()
    seller = seller or _kestrel(**brand)
    used = _sold(seller, wg0, "Sara Moradi", quota_bytes=50 * 10**9, ends=8)
    outdated = _sold(seller, wg0, "رضا PS5", ends=None)
    outdated.delivered_generation = 1
    outdated.delivered_at = timezone.now() - timedelta(days=40)
    outdated.save()
    once = _sold(seller, wg0, "Omid laptop", quota_bytes=10**10, ends=30)
    keyless = _sold(seller, wg0, "Leila", ends=30, known=False, awaits_key=True)
    Peer.objects.filter(pk=keyless.pk).update(observed_present=False, last_handshake_at=None)
    make_meter(keyless)
    off = _sold(seller, wg0, "Nima", quota_bytes=10**10, ends=0)
    open_hold(client=off.client, reason=Hold.Reason.SUSPENDED, actor=SYSTEM, at=timezone.now())
    Peer.objects.filter(pk=off.pk).update(blocked=True)
    make_meter(off)
    return Shared(
        used=path_to(used),
        outdated=path_to(outdated),
        once=path_to(once, single_use=True),
        keyless=path_to(keyless, allows_key=True),
        off=path_to(off),
    )


def _kestrel(**brand: Any) -> Tenant:
    colors = {"brand_color": "#8a3b12", "brand_color_dark": "#f0a074"}
    fields = {**colors, "support_url": "https://t.me/kestrelnet", **brand}
    return make_tenant(f"kestrel-{uuid4().hex[:6]}", name="Kestrel Net", **fields)


def path_to(peer: Peer, **options: Any) -> str:
    """The path of a new link."""
    caller = Caller(peer.tenant, "", frozenset("*"), SYSTEM)
    at = timezone.now()
    options.setdefault("expires_at", at + timedelta(days=30))
    return f"/s/{create_link(caller=caller, peer_id=peer.uuid, at=at, **options).secret}"


def _sold(
    tenant: Tenant,
    interface: Interface,
    name: str,
    *,
    ends: int | None,
    quota_bytes: int | None = None,
    known: bool = True,
    **fields: Any,
) -> Peer:
    now = timezone.now()
    client: Client = make_client(tenant, name=name, quota_bytes=quota_bytes)
    if ends is not None:
        client.expires_at = now + timedelta(days=ends) - timedelta(hours=1)
        client.save()
    private, public = make_key()
    peer = make_peer(client, interface, public_key=public, **fields)
    peer.preshared_key = seal_preshared_key(peer.uuid, Secret(make_key()[0]))
    if known:
        PeerKey.objects.create(peer=peer, private_key=seal_private_key(peer.uuid, Secret(private)))
    peer.applied_key, peer.applied_generation, peer.verified_generation = public, 1, 1
    peer.observed_present = True
    peer.last_handshake_at = now - timedelta(seconds=40 if quota_bytes else 7000)
    peer.save()
    used = {"up": 2_400_000_000, "down": 16_000_000_000 if ends == 8 else 6_900_000_000}
    make_meter(peer, **used)
    make_usage(client, **used)
    return peer
