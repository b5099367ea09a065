"""A file goes to somebody: written down before it leaves, without a word of what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.events import Actor, Target, event
from audit.models import AuditEvent
from peers.delivery import Delivery, deliver
from peers.models import CustomerAccess, Peer

#: Rows of one statement; SQLite's limit of variables is far above.
_BATCH = 200


@transaction.atomic
def note_reveals(
    deliveries: Sequence[Delivery],
    *,
    way: str,
    actor: Actor,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """One event per file (who, how, which device), and when each was handed out last.

    ``way`` is the form it took: conf, json, qr-svg, qr-png, zip, page, subscription.
    """
    AuditEvent.objects.bulk_create(
        [
            event(
                actor=actor,
                action="config.revealed",
                target=_target(delivery.peer),
                after={"way": way, "device": str(delivery.peer.uuid), **(details or {})},
            )
            for delivery in deliveries
        ],
        batch_size=_BATCH,
    )
    note_delivered(deliveries, at=at)


@transaction.atomic
def reveal_own(
    *, access: CustomerAccess, peer: Peer, way: str, actor: Actor, at: datetime
) -> Delivery:
    """A device's file for a customer who signed in (`peers.customers`), with one event.

    Raises as `peers.delivery.deliver` does.
    """
    delivery = deliver(peer)
    note_reveals([delivery], way=way, actor=actor, at=at, details={"login": str(access.uuid)})
    return delivery


def note_delivered(deliveries: Sequence[Delivery], *, at: datetime) -> None:
    """The customers have these files now."""
    if len(deliveries) == 1:  # nearly always
        one = deliveries[0]
        Peer.objects.filter(pk=one.peer.pk).update(
            delivered_generation=one.generation, delivered_at=at
        )
        return
    peers = []
    for delivery in sorted(deliveries, key=lambda one: one.peer.pk):
        delivery.peer.delivered_generation, delivery.peer.delivered_at = delivery.generation, at
        peers.append(delivery.peer)
    Peer.objects.bulk_update(peers, ["delivered_generation", "delivered_at"], batch_size=_BATCH)


def _target(peer: Peer) -> Target:
    client = peer.client
    return Target("client", str(client.uuid), client.name, client.tenant_id)
