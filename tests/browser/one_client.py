"""One reseller's customer on an ordinary day: plan, usage, sessions, history, share links."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from uuid import uuid4

from django.utils import timezone

from audit.events import Actor
from gateways.models import GlobalSetting, Interface
from peers.models import Client, Peer
from peers.services.clients import create_client, update_client
from peers.services.device_acts import add_client_device
from peers.services.links import create_link
from peers.services.switching import disable_client, enable_client
from quotas.models import Plan, Session, Usage, UsageBucket
from tenants.scoping import Caller
from tests.make import make_interface, make_meter, make_tenant, make_user

GB = 10**9


def a_seller(slug: str = "", **fields: str) -> Caller:
    """Mina, who owns Kestrel Net and sells three plans."""
    seller = make_tenant(slug or f"kestrel-{uuid4().hex[:6]}", name="Kestrel Net", **fields)
    mina = make_user(f"mina-{seller.slug}", tenant=seller)
    common = {"tenant": seller, "duration_days": 30, "start": Plan.Start.FIRST_HANDSHAKE}
    Plan.objects.create(
        name="Gamer 50", total_bytes=50 * GB, reset="month", at_limit="throttle",
        throttle_kbit=2000, download_kbit=50_000, upload_kbit=50_000, devices=3, **common,
    )  # fmt: skip
    Plan.objects.create(name="Basic 20", total_bytes=20 * GB, **common)
    Plan.objects.create(name="Family 150", total_bytes=150 * GB, devices=5, **common)
    actor = Actor("user", str(mina.uuid), mina.get_username())
    return Caller(seller, "", frozenset({"*"}), actor, "owner", user=mina)


def a_client(caller: Caller, interface: Interface | None = None) -> Client:
    """Sara Moradi: a phone that is connected, a laptop that never was; half a month of use."""
    GlobalSetting.objects.update_or_create(
        pk=1, defaults={"endpoint_address": "vpn.example.net", "dns_servers": ["9.9.9.9"]}
    )
    wg0, now = interface or make_interface(), timezone.now()
    wg0.observed_at = now - timedelta(seconds=3)
    wg0.save()
    plan = Plan.objects.get(tenant=caller.tenant, name="Gamer 50")
    made = create_client(
        caller=caller, name="Sara Moradi", interface=wg0, at=now, plan=plan.uuid,
        external_id="A-20931", tags=["tehran", "gaming"], device_name="phone",
        note="Pays on the 1st, by card",
    )  # fmt: skip
    uuid = made.client.uuid
    disable_client(caller=caller, client_id=uuid, at=now, note="waits for payment")
    enable_client(caller=caller, client_id=uuid, at=now)
    update_client(caller=caller, client_id=uuid, at=now, changes={"quota_bytes": 60 * GB})
    update_client(caller=caller, client_id=uuid, at=now, changes={"quota_bytes": 50 * GB})
    add_client_device(caller=caller, client_id=uuid, interface=wg0, at=now, device_name="laptop")
    create_link(
        caller=caller, peer_id=made.peer.uuid, at=now, expires_at=now + timedelta(days=30),
        name="for Sara",
    )  # fmt: skip
    _lived(made.client, now - timedelta(days=22))
    return Client.objects.get(pk=made.client.pk)


def _lived(client: Client, began: object) -> None:
    now = timezone.now()
    phone, laptop = Peer.objects.filter(client=client).order_by("pk")
    for peer in (phone, laptop):
        peer.refresh_from_db()
        peer.applied_key = peer.public_key
        peer.applied_generation = peer.verified_generation = peer.generation
        peer.observed_present = True
        peer.save()
    phone.last_handshake_at = now - timedelta(seconds=48)
    phone.observed_endpoint = "203.0.113.20:41922"
    phone.save()
    down, up = _used(phone)
    Client.objects.filter(pk=client.pk).update(
        starts_at=began, first_connected_at=began, expires_at=now + timedelta(days=8)
    )
    Usage.objects.update_or_create(
        client=client,
        defaults={
            "tenant_id": client.tenant_id, "period_began_at": now - timedelta(days=22),
            "period_ends_at": now + timedelta(days=8), "billed_down": down, "billed_up": up,
            "raw_down": down, "raw_up": up,
        },
    )  # fmt: skip
    for days, hours in ((9, 3.4), (4, 0.3), (1, 7.0)):
        begin = now - timedelta(days=days)
        Session.objects.create(
            peer=phone, tenant_id=client.tenant_id, began_at=begin, endpoint="203.0.113.20:41922",
            ended_at=begin + timedelta(hours=hours), up=90_000_000, down=1_200_000_000,
        )  # fmt: skip
    Session.objects.create(
        peer=phone, tenant_id=client.tenant_id, began_at=now - timedelta(minutes=75),
        endpoint="203.0.113.20:41922", base_up=up - 10**8, base_down=down - 7 * 10**8,
    )  # fmt: skip


def _used(peer: Peer) -> tuple[int, int]:
    """Day after day in buckets; all of it."""
    chance, meter = Random(7), make_meter(peer)
    today = timezone.now().replace(hour=6, minute=0, second=0, microsecond=0)
    sums = [0, 0]
    for days in range(22, -1, -1):
        down = chance.randrange(2 * 10**8, 12 * 10**8) if days % 9 else 0
        up = down // 6
        sums = [sums[0] + down, sums[1] + up]
        UsageBucket.objects.create(
            meter=meter, tenant_id=peer.tenant_id, interface_id=peer.interface_id,
            begins_at=today - timedelta(days=days), seconds=900, raw_up=up, raw_down=down,
            billed_up=up, billed_down=down,
        )  # fmt: skip
    make_meter(peer, up=sums[1], down=sums[0])
    return sums[0], sums[1]
