"""What every change of peers ends with: generations, the boot file's mark, audit and job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from audit.events import Actor, Target, record
from gateways.models import Interface, Job
from gateways.outbox import Wish, enqueue
from peers.models import Client, Peer


def raise_generation(peers: Iterable[Peer]) -> None:
    """WireGuard must learn of these peers: +1, in the rows and in the objects."""
    ids = []
    for peer in peers:
        ids.append(peer.pk)
        peer.generation += 1
    if ids:
        Peer.objects.filter(pk__in=ids).update(generation=F("generation") + 1)


def raise_version(client: Client, *fields: str) -> None:
    """The client's configuration changed: save ``fields`` and its new version (the ETag).

    The caller holds the client's row (`peers.queries.locked_client`).
    """
    client.version += 1
    client.save(update_fields=[*fields, "version", "updated_at"])


def mark_boot_dirty(interface_ids: Iterable[int], *, at: datetime) -> None:
    """The boot files of these interfaces are older than the rows, since ``at`` at the latest."""
    Interface.objects.filter(pk__in=set(interface_ids), boot_dirty_since__isnull=True).update(
        boot_dirty_since=at
    )


def tell(*, client: Client, kind: str, actor: Actor, peers: Sequence[Peer], at: datetime) -> Job:
    """Write the job that brings ``peers`` to their interfaces; finished at once without any."""
    if peers:
        mark_boot_dirty((peer.interface_id for peer in peers), at=at)
    return enqueue(
        kind=kind,
        tenant_id=client.tenant_id,
        actor_name=actor.name,
        wishes=[
            Wish(interface_id=peer.interface_id, peer_id=peer.pk, public_key=peer.public_key)
            for peer in peers
        ],
        at=at,
        message="" if peers else "There was nothing to apply.",
    )


def note_act(
    *,
    client: Client,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the audit event of an act on a client. Values must hold no secret."""
    target = Target(
        type="client", id=str(client.uuid), name=client.name, tenant_id=client.tenant_id
    )
    record(actor=actor, action=action, target=target, before=before, after=after)
