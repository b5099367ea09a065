"""Rows of the ledger as the collector and the roll-up write them: bytes of a device at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from peers.models import Peer
from quotas.models import LedgerSegment, Meter, TenantUsage, Usage, UsageBucket
from quotas.spans import Bytes

QUARTER = timedelta(minutes=15)


def use(
    peer: Peer,
    at: datetime,
    up: int,
    down: int,
    *,
    percent: int = 100,
    rolled_up: bool = True,
    seconds: int = 900,
) -> None:
    """So many bytes of the device in the quarter of an hour that begins at ``at``, of which
    ``percent`` are billed. Rolled up into a bucket (of so many seconds), or still a segment alone.
    """
    client = peer.client
    found = Bytes(up, down, up * percent // 100, down * percent // 100)
    meter, _ = Meter.objects.get_or_create(
        peer=peer,
        defaults={
            "client": client,
            "tenant": client.tenant,
            "interface": peer.interface,
            "peer_uuid": peer.uuid,
            "client_uuid": client.uuid,
        },
    )
    where: dict[str, Any] = {"meter": meter, "tenant": client.tenant, "interface": peer.interface}
    LedgerSegment.objects.create(
        **where,
        incarnation=LedgerSegment.objects.filter(meter=meter).count() + 1,
        quarter=at,
        from_rx=meter.rx,
        to_rx=meter.rx + up,
        from_tx=meter.tx,
        to_tx=meter.tx + down,
        billed_up=found.billed_up,
        billed_down=found.billed_down,
        sampled_at=at + timedelta(minutes=3),
        rolled_up=rolled_up,
    )
    if rolled_up:
        bucket, _ = UsageBucket.objects.get_or_create(**where, begins_at=at, seconds=seconds)
        UsageBucket.objects.filter(pk=bucket.pk).update(**_sums(found))
    Meter.objects.filter(pk=meter.pk).update(
        **_sums(found), rx=F("rx") + up, tx=F("tx") + down, sampled_at=at + timedelta(minutes=3)
    )
    usage, _ = Usage.objects.get_or_create(client=client, defaults={"tenant": client.tenant})
    Usage.objects.filter(pk=usage.pk).update(**_sums(found))
    TenantUsage.objects.get_or_create(tenant=client.tenant)
    TenantUsage.objects.filter(tenant=client.tenant).update(**_sums(found))


def _sums(found: Bytes) -> dict[str, object]:
    return {name: F(name) + value for name, value in found._asdict().items()}
