"""The meters of devices: where they stand, making them, and closing them.

A meter is made with the first bytes of its device. It is **closed** once the peer is known to be
off its interface: its next counters begin at 0, whoever adds the peer again, and however far they
have come when they are next read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import F

from control.many import Update, among
from gateways.models import Interface
from peers.models import Peer
from quotas.metering import Cursor
from quotas.models import Meter


class Standing(NamedTuple):
    """A meter's row: whose it is, and where it stands."""

    id: int
    client_id: int
    tenant_id: int
    sampled_at: datetime | None
    cursor: Cursor


#: The columns of a `Cursor`, in its order.
_CURSOR: Final = (
    "run_id", "incarnation", "rx", "tx", "seq", "billing", "rest_up", "rest_down",
)  # fmt: skip
#: As of the newest dump of the interface: whoever closes holds its lock, so there is none later.
_CLOSE: Final = (
    "UPDATE quotas_meter SET run_id = NULL, rx = 0, tx = 0, billing = {yes}, seq ="
    " (SELECT observed_seq FROM gateways_interface WHERE id = quotas_meter.interface_id)"
    " WHERE run_id IS NOT NULL AND "
)
_CLOSE_AT: Final = Update(
    "quotas_meter",
    "run_id = NULL, rx = 0, tx = 0, billing = {yes}, seq = {seq}",
    "peer_id = {peer} AND seq < {seq} AND run_id IS NOT NULL",
    {"peer": "bigint", "seq": "bigint", "yes": "bool"},
)


def load(peer_ids: Collection[int]) -> dict[int, Standing]:
    """The meters of these devices; one that never counted a byte has none."""
    rows = Meter.objects.filter(peer_id__in=peer_ids).values_list(
        "peer_id", "id", "client_id", "tenant_id", "sampled_at", *_CURSOR
    )
    found = {}
    for peer_id, pk, client_id, tenant_id, sampled_at, *cursor in rows:
        found[peer_id] = Standing(pk, client_id, tenant_id, sampled_at, Cursor(*cursor))
    return found


def ensure(peer_ids: Collection[int], *, off: Collection[int] = ()) -> None:
    """Make the meters of these devices that have none; of those that are ``off``, not billing."""
    rows = Peer.objects.filter(pk__in=peer_ids).values_list(
        "pk", "uuid", "tenant_id", "interface_id", "client_id", "client__uuid", "client__name",
        "client__external_id",
    )  # fmt: skip
    Meter.objects.bulk_create(
        (
            Meter(
                peer_id=pk, peer_uuid=uuid, tenant_id=tenant_id, interface_id=interface_id,
                client_id=client_id, client_uuid=client_uuid, client_name=name,
                external_id=external_id, billing=pk not in off,
            )
            for pk, uuid, tenant_id, interface_id, client_id, client_uuid, name, external_id in rows
        ),
        batch_size=500,
        ignore_conflicts=True,
    )  # fmt: skip


def close(peer_ids: Iterable[int]) -> None:
    """These devices are off their interface, and the caller holds its lock."""
    ids = sorted(set(peer_ids))
    if not ids:
        return
    condition, values = among("peer_id", ids, "bigint")
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE.format(yes="%s") + condition, [True, *values])


def close_missing(peer_ids: Iterable[int], *, seq: int) -> None:
    """These devices were not in the dump of this number. What was counted later stands."""
    with connection.cursor() as cursor:
        _CLOSE_AT.run(cursor, [(peer, seq, True) for peer in sorted(set(peer_ids))])


def close_all(interface: Interface) -> None:
    """The interface was taken down after a last reading, under the caller's lock."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE.format(yes="%s") + "interface_id = %s", [True, interface.pk])


def next_incarnation(meters_of: Collection[int]) -> None:
    """What comes now is counted in segments of its own."""
    Meter.objects.filter(peer_id__in=meters_of).update(incarnation=F("incarnation") + 1)
