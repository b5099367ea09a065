"""Taking meters along: when a device moves, a client changes hands, and when its rows go."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, OuterRef, Subquery

from gateways.models import Interface
from peers.models import Client, Peer
from quotas.models import Meter, Usage
from tenants.models import Tenant


def hold_meter(peer: Peer) -> Meter | None:
    """The device's meter, locked; None before its first byte. The caller holds the client."""
    return Meter.objects.select_for_update(no_key=True, of=("self",)).filter(peer=peer).first()


def hold_meters(client_ids: Sequence[int]) -> None:
    """The meters of all devices of these clients, locked in the order of their rows."""
    rows = Meter.objects.select_for_update(no_key=True, of=("self",))
    list(rows.filter(client__in=client_ids).order_by("pk").values_list("pk"))


def leave_meter(meter: Meter | None, *, grave: Peer, interface: Interface) -> None:
    """The device is elsewhere now, and its counters begin at 0 there; its sums stay its own.

    What its old peer still counts, until it is removed, is counted by the tombstone's meter, and
    so for the client.
    """
    if meter is None:
        return
    if meter.run_id is not None:
        Meter.objects.create(
            peer=grave,
            peer_uuid=grave.uuid,
            client_id=meter.client_id,
            tenant_id=meter.tenant_id,
            interface_id=meter.interface_id,
            client_uuid=meter.client_uuid,
            client_name=meter.client_name,
            external_id=meter.external_id,
            run_id=meter.run_id,
            incarnation=meter.incarnation,
            rx=meter.rx,
            tx=meter.tx,
            seq=meter.seq,
            sampled_at=meter.sampled_at,
            billing=meter.billing,
        )
    newest = Interface.objects.filter(pk=interface.pk).values("observed_seq")
    Meter.objects.filter(pk=meter.pk).update(
        interface=interface, run=None, rx=0, tx=0, seq=Subquery(newest), billing=True
    )


def bring_meters(client: Client, tenant: Tenant) -> None:
    """What the client uses from now on is the new tenant's; the rest stays in the old one's books.

    A new incarnation goes on where the counters stand: segments of two tenants never overlap.
    """
    Usage.objects.filter(client=client).update(tenant=tenant)
    Meter.objects.filter(client=client).update(tenant=tenant, incarnation=F("incarnation") + 1)


def name_meters(clients: Sequence[Client]) -> None:
    """These clients' rows go; their meters stay for statements, with the names they had last."""
    own = Client.objects.filter(pk=OuterRef("client"))
    Meter.objects.filter(client__in=clients).update(
        client_name=Subquery(own.values("name")[:1]),
        external_id=Subquery(own.values("external_id")[:1]),
    )
