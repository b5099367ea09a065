"""A gateway on an ordinary day: rows such as a screenshot or a browser test needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from gateways.models import GlobalSetting, Heartbeat, Interface, Job, JobItem
from peers.models import Peer
from peers.queries import as_networks
from quotas.models import Hold
from tenants.models import Tenant
from tests.make import make_client, make_gateway, make_interface, make_meter, make_peer, make_tenant

NAMES = (
    "Amir Tehrani", "سارا مرادی", "cafe-arghavan", "dr.hosseini@clinic", "Kian gaming", "Farid N.",
    "Leila & kids", "Niloofar K.", "رضا PS5", "Omid laptop", "Parisa", "دوربین فروشگاه ۲",
    "Test <b>bold</b>", "Babak stream box", "Tara", "Shiraz shop, till 3", "حسین رضایی",
)  # fmt: skip


def ordinary_day(*, devices: int = 64, seed: int = 4) -> Interface:
    """Two interfaces, ``devices`` devices in every state, jobs and workers; the default one."""
    chance, now = Random(seed), timezone.now()
    GlobalSetting.objects.update_or_create(pk=1, defaults={"endpoint_address": "vpn.example.net"})
    gateway = make_gateway("fra1", endpoint_address="198.51.100.4")
    wg0 = make_interface(gateway=gateway)
    _read(wg0, now, peers=devices, backend="kernel")
    wg1 = make_interface(
        gateway=gateway, name="wg1", listen_port=443, is_default=False, addresses=["10.99.0.1/24"]
    )
    wg1.state_reason = "its link carries no vwg stamp"
    _read(wg1, now, peers=14, backend="userspace", state=Interface.State.FOREIGN)
    kestrel = make_tenant("kestrel", name="Kestrel Net")
    own = Tenant.objects.get(slug="default")
    for number in range(devices):
        tenant = kestrel if number % 5 == 0 else own
        client = make_client(tenant, name=NAMES[number % len(NAMES)])
        _live(make_peer(client, wg0), now, chance)
    _special(list(Peer.objects.order_by("-pk")[:12]), wg0, now)
    _jobs(wg0, own, now)
    for queue in ("control", "gateway.fra1"):
        Heartbeat.objects.create(queue=queue, seen_at=now - timedelta(seconds=4))
    return wg0


def _read(
    interface: Interface,
    now: datetime,
    *,
    peers: int,
    backend: str,
    state: str = Interface.State.UP,
) -> None:
    interface.state = state
    interface.observed_at = now - timedelta(seconds=3)
    interface.observed_backend = backend
    interface.observed_peers = peers
    interface.save()


def _live(peer: Peer, now: datetime, chance: Random) -> None:
    """Applied, read back, and online in two cases of five."""
    peer.applied_key = peer.public_key
    peer.applied_allowed_ips = ",".join(as_networks(a.address for a in peer.addresses.all()))
    peer.applied_generation = peer.verified_generation = peer.generation
    peer.observed_present = True
    peer.observed_endpoint = f"203.0.113.{chance.randrange(2, 250)}:{chance.randrange(1024, 65000)}"
    age = chance.choice([20, 70, 400, 5000, 90000])
    peer.last_handshake_at = now - timedelta(seconds=age + chance.randrange(20))
    peer.save()
    up, down = chance.randrange(10**5, 9 * 10**8), chance.randrange(10**6, 8 * 10**10)
    make_meter(peer, up=up, down=down)


def _special(newest: list[Peer], interface: Interface, now: datetime) -> None:
    fresh, waiting, refused, held, going, sent = newest[0], newest[1], *newest[4:8]
    for peer in (fresh, waiting):
        peer.applied_key, peer.applied_allowed_ips = "", ""
        peer.applied_generation = peer.verified_generation = 0
        peer.observed_present, peer.last_handshake_at, peer.observed_endpoint = False, None, ""
        make_meter(peer)
    refused.quarantine_reason = "the key is the server's own"
    held.blocked, held.generation, held.verified_generation = True, 2, 2
    held.applied_generation, held.applied_allowed_ips = 2, ""
    Hold.objects.create(
        tenant=held.tenant, client=held.client, reason="quota", opened_at=now, opened_by="vwg"
    )
    going.deleted_at = now
    sent.generation = sent.applied_generation = 2
    for peer in newest:
        peer.save()


def _jobs(interface: Interface, tenant: Tenant, now: datetime) -> None:
    rows = [
        ("apply", "succeeded", 1, 1, 0, 1, 65, "Applied server config successfully without "
         "disrupting active connections"),
        ("create", "succeeded", 1, 1, 0, 1, 40, ""),
        ("disable", "succeeded", 12, 12, 0, 1, 30, ""),
        ("create", "failed", 1, 1, 1, 1, 21, "The key is the server's own."),
        ("create", "running", 500, 380, 0, 1, 1, ""),
    ]  # fmt: skip
    for kind, status, total, done, failed, tier, age, message in rows:
        finished = None if status == "running" else now - timedelta(seconds=age - 0.01)
        job = Job.objects.create(
            tenant=tenant,
            kind=kind,
            status=status,
            actor_name="oscar" if kind == "apply" else "shop",
            total=total,
            done=done,
            failed=failed,
            tier=tier,
            message=message,
            finished_at=finished,
        )
        Job.objects.filter(pk=job.pk).update(created_at=now - timedelta(seconds=age))
        JobItem.objects.create(job=job, interface=interface, due_at=now)
    Job.objects.filter(status="running").update(started_at=now)
