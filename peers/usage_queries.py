"""Reading what clients and devices used. `quotas.usage` sums over time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from peers.models import Client, Peer
from quotas.balance import Balance, balance
from quotas.models import Meter, Session, Usage
from quotas.spans import Bytes
from quotas.speeds import least
from tenants.prepared import Prepared
from tenants.scoping import Caller

_USAGES: Final = Prepared(lambda ids: Usage.objects.filter(client_id__in=ids), [int])


@dataclass(frozen=True)
class DeviceCount:
    """All that a device counted, and when it was last read."""

    peer: Peer
    counted: Bytes
    observed_at: datetime | None


@dataclass(frozen=True)
class ClientCount:
    """How a client stands: its period, its balance, and what its devices counted."""

    usage: Usage
    balance: Balance
    devices: Sequence[DeviceCount]
    #: What each of its devices may be as fast as now (kbit/s); None is no limit.
    upload_kbit: int | None
    download_kbit: int | None

    @property
    def observed_at(self) -> datetime | None:
        """When one of its devices was last read."""
        return max((one.observed_at for one in self.devices if one.observed_at), default=None)


def usages_of(client_ids: Collection[int]) -> dict[int, Usage]:
    """What these clients used; one that never moved a byte is not in it."""
    return {row.client_id: row for row in _USAGES(list(client_ids))}


def count_client(client: Client) -> ClientCount:
    """A client's count, in two queries."""
    usage = usages_of([client.pk]).get(client.pk) or Usage(
        client=client, tenant_id=client.tenant_id
    )
    peers = Peer.objects.filter(client=client, deleted_at__isnull=True)
    devices = [count_device(peer) for peer in peers.select_related("meter").order_by("pk")]
    throttle = client.throttle_kbit if usage.throttled_since else None
    most = client.tenant.max_speed_kbit
    return ClientCount(
        usage,
        balance(client, usage),
        devices,
        upload_kbit=least(client.upload_kbit, most, throttle),
        download_kbit=least(client.download_kbit, most, throttle),
    )


def count_device(peer: Peer) -> DeviceCount:
    """What a device counted; in one query, unless its meter was read with it."""
    meter: Meter | None = getattr(peer, "meter", None)
    if meter is None:
        return DeviceCount(peer, Bytes(), None)
    sums = Bytes(meter.raw_up, meter.raw_down, meter.billed_up, meter.billed_down)
    return DeviceCount(peer, sums, meter.sampled_at)


def visible_sessions(caller: Caller) -> QuerySet[Session]:
    """The sessions of the acting tenant, with their devices."""
    return Session.objects.filter(tenant_id=caller.tenant_id).select_related("peer")


def counted_now(peer_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Upload and download that these devices counted so far."""
    rows = Meter.objects.filter(peer_id__in=peer_ids)
    return {pk: (up, down) for pk, up, down in rows.values_list("peer_id", "raw_up", "raw_down")}
