"""What every change of peers ends with: generations, the boot file's mark, audit and job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from audit.events import Actor, Target, event
from audit.models import AuditEvent
from gateways.hints import publisher
from gateways.models import Interface, Job
from gateways.outbox import Wish, enqueue
from peers.models import Client, Peer
from peers.queries import find_client
from quotas.models import Plan
from rest.versions import Version, check_version
from tenants.prepared import run_for_each
from tenants.scoping import Caller
from tenants.writes import Insert

_NEW_EVENT: Final = Insert(AuditEvent)


@dataclass(frozen=True)
class Changed:
    """A client after a change, and the job that applies it (finished when nothing must be)."""

    client: Client
    job: Job


def locked_client(caller: Caller, client_id: UUID, if_match: Version | None) -> Client:
    """The client, its row held till the end of the transaction.

    Raises `Missing`, and `StaleVersion` when ``if_match`` is not what it is now.
    """
    client = find_client(caller, client_id, lock=True)
    check_version(client, if_match)
    return client


def raise_generation(peers: Iterable[Peer], **columns: Any) -> None:
    """WireGuard must learn of these peers: +1, and ``columns``, in the rows and in the objects."""
    ids = []
    for peer in peers:
        ids.append(peer.pk)
        peer.generation += 1
        for name, value in columns.items():
            setattr(peer, name, value)
    if ids:
        Peer.objects.filter(pk__in=ids).update(generation=F("generation") + 1, **columns)


def raise_file_generation(peers: Iterable[Peer]) -> None:
    """The customers' files of these devices changed: +1, in the rows and in the objects."""
    ids = []
    for peer in peers:
        ids.append(peer.pk)
        peer.file_generation += 1
    if ids:
        Peer.objects.filter(pk__in=ids).update(file_generation=F("file_generation") + 1)


def raise_version(client: Client, *fields: str) -> None:
    """The client's configuration changed: save ``fields`` and its new version (the ETag).

    The caller holds the client's row (`locked_client`).
    """
    client.version += 1
    client.save(update_fields=[*fields, "version", "updated_at"])


def raise_versions(changes: Sequence[tuple[Client, Collection[str]]]) -> None:
    """`raise_version` of many clients with their fields, in a few statements."""
    if len(changes) == 1:
        client, fields = changes[0]
        raise_version(client, *fields)
        return
    at = timezone.now()
    for client, _ in changes:
        client.version += 1
        client.updated_at = at
    names = {name for _, fields in changes for name in fields}
    save_all([client for client, _ in changes], {*names, "version", "updated_at"})


def save_all(rows: Sequence[Client] | Sequence[Peer], names: Iterable[str]) -> None:
    """Save these fields of all the rows, which the caller holds, in a few statements.

    What is the same in all of them is one plain statement: some times faster to build.
    """
    if not rows:
        return
    model: Any = type(rows[0])
    columns = sorted(names)
    same = {name: getattr(rows[0], name) for name in columns if _is_same(name, rows)}
    if same:
        model.objects.filter(pk__in=[row.pk for row in rows]).update(**same)
    if own := [name for name in columns if name not in same]:
        model.objects.bulk_update(rows, own, batch_size=500)


def _is_same(name: str, rows: Sequence[Client] | Sequence[Peer]) -> bool:
    """Whether all of the rows have the same there; 1 and True are not, in JSON."""
    field: Any = rows[0]._meta.get_field(name)
    return len({repr(field.value_from_object(row)) for row in rows}) == 1


def mark_boot_dirty(interface_ids: Iterable[int], *, at: datetime) -> None:
    """The boot files of these interfaces are older than the rows, since ``at`` at the latest.

    The worker marks them again when it has applied the change: this mark may be taken away by a
    writer that does not see the change yet.
    """
    ids = sorted(set(interface_ids))
    run_for_each(  # on the way of every POST; the ORM costs 0.5 ms
        "UPDATE gateways_interface SET boot_dirty_since = %s"
        " WHERE id = %s AND boot_dirty_since IS NULL AND NOT simulated",
        [(connection.ops.adapt_datetimefield_value(at), pk) for pk in ids],
    )


def tell(*, client: Client, kind: str, actor: Actor, peers: Sequence[Peer], at: datetime) -> Job:
    """Write the job that brings ``peers`` to their interfaces; finished at once without any."""
    return tell_of(tenant_id=client.tenant_id, kind=kind, actor=actor, peers=peers, at=at)


def tell_of(*, tenant_id: int, kind: str, actor: Actor, peers: Sequence[Peer], at: datetime) -> Job:
    """`tell`, for peers of one client or of many."""
    if peers:
        mark_boot_dirty((peer.interface_id for peer in peers), at=at)
    return enqueue(
        kind=kind,
        tenant_id=tenant_id,
        actor_name=actor.name,
        wishes=[
            Wish(
                interface_id=peer.interface_id,
                peer_id=peer.pk,
                public_key=peer.public_key,
                queue=_queue(peer),
                simulated=_is_simulated(peer),
            )
            for peer in peers
        ],
        at=at,
    )


def told(client: Client, kind: str, caller: Caller, peers: Sequence[Peer], at: datetime) -> Changed:
    """The change of a client, with its job (see `tell`)."""
    return Changed(client, tell(client=client, kind=kind, actor=caller.actor, peers=peers, at=at))


def ease_limits(client_ids: Collection[int]) -> None:
    """These clients have more left than before: once it is stored, those who cut off in the kernel
    what is near a limit are told.
    """
    peers = Peer.objects.filter(client__in=client_ids, deleted_at__isnull=True, blocked=False)
    places = set(
        peers.filter(interface__simulated=False).values_list(
            "interface_id", "interface__gateway__slug"
        )
    )

    def hint() -> None:
        for interface_id, slug in places:
            publisher.relax(interface_id=interface_id, queue=f"gateway.{slug}")

    if places:
        transaction.on_commit(hint, robust=True)


def _queue(peer: Peer) -> str:
    """The gateway's queue, if interface and gateway are loaded already."""
    if not Peer.interface.is_cached(peer) or not Interface.gateway.is_cached(peer.interface):
        return ""
    return peer.interface.gateway.queue


def _is_simulated(peer: Peer) -> bool | None:
    """Whether the interface is a sandbox's, if it is loaded already."""
    return peer.interface.simulated if Peer.interface.is_cached(peer) else None


def note_act(
    *,
    client: Client,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the audit event of an act on a client. Values must hold no secret."""
    _NEW_EVENT(act(client=client, actor=actor, action=action, before=before, after=after))


def act(
    *,
    client: Client,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """The event of an act on a client, unsaved, for `audit.events.record_all`."""
    return event(
        actor=actor,
        action=action,
        target=_target(client),
        before=shown(before),
        after=shown(after),
    )


def shown(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values as an audit event holds them: moments as text, rows by their public id."""
    return {name: _as_json(value) for name, value in (values or {}).items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value.uuid) if isinstance(value, Plan) else value


def _target(client: Client) -> Target:
    return Target(type="client", id=str(client.uuid), name=client.name, tenant_id=client.tenant_id)
