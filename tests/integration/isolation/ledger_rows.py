"""One side's bytes: a row of every table of the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from peers.models import Peer
from quotas.models import (
    CounterRun,
    LedgerSegment,
    Meter,
    Session,
    Shape,
    TenantUsage,
    Usage,
    UsageBucket,
)

DAY = timedelta(days=1)


def write(peer: Peer, *, factor: int, at: datetime) -> None:
    """A device with 3 and 7 times ``factor`` bytes, in one quarter of an hour of yesterday."""
    quarter = (at - DAY).replace(minute=0, second=0, microsecond=0)
    client, tenant, interface = peer.client, peer.tenant, peer.interface
    run, _ = CounterRun.objects.get_or_create(
        interface=interface, boot_id="boot", stamp=interface.stamp, defaults={"began_at": quarter}
    )
    bytes_of = {"billed_up": 3 * factor, "billed_down": 7 * factor}
    sums = {"raw_up": 3 * factor, "raw_down": 7 * factor, **bytes_of}
    meter = Meter.objects.create(
        peer=peer,
        client=client,
        tenant=tenant,
        interface=interface,
        peer_uuid=peer.uuid,
        client_uuid=client.uuid,
        client_name=client.name,
        external_id=client.external_id,
        run=run,
        incarnation=1,
        rx=3 * factor,
        tx=7 * factor,
        seq=1,
        sampled_at=quarter + timedelta(seconds=factor // 10**6 % 900),  # nobody's in common
        **sums,
    )
    where = {"meter": meter, "tenant": tenant, "interface": interface}
    LedgerSegment.objects.create(
        **where,
        incarnation=1,
        quarter=quarter,
        from_rx=0,
        to_rx=3 * factor,
        from_tx=0,
        to_tx=7 * factor,
        sampled_at=quarter,
        rolled_up=True,
        **bytes_of,
    )
    UsageBucket.objects.create(**where, begins_at=quarter, seconds=900, **sums)
    Usage.objects.create(client=client, tenant=tenant, **sums)
    TenantUsage.objects.create(tenant=tenant, **sums)
    Session.objects.create(
        peer=peer,
        tenant=tenant,
        began_at=quarter,
        ended_at=quarter + timedelta(minutes=5),
        endpoint=peer.observed_endpoint,
        up=3 * factor,
        down=7 * factor,
    )
    Shape.objects.create(
        peer=peer,
        tenant=tenant,
        interface=interface,
        minor=16 + factor % 1000,
        up_kbit=factor,
        applied_at=quarter,
    )
