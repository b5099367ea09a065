"""Drift is healed by the same apply that carries out changes.

What the dump showed is written as the applied state, so that the next apply, which compares that
with what is wanted, sends exactly the repair. A row that an apply touched in between is left to it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from control.drift import Drift
from control.many import Update
from gateways.models import Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from peers.models import Peer
from wireguard.types import PeerStatus

logger = logging.getLogger("WireGuard")

_SEEN = Update(
    "peers_peer",
    "applied_key = {key}, applied_allowed_ips = {ips}, applied_psk = {psk},"
    " applied_keepalive = {keepalive}, applied_unknown = {unknown}",
    "id = {row} AND applied_seq = {seq}",
    {
        "key": "text", "ips": "text", "psk": "text", "keepalive": "int", "unknown": "bool",
        "row": "bigint", "seq": "bigint",
    },
)  # fmt: skip
ACTOR = "vwg"
_PEACE = timedelta(minutes=1)


def heal(
    interface: Interface, drift: Drift, running: Mapping[str, PeerStatus], *, at: datetime
) -> bool:
    """Write down what is really there and make a job of the repair; False: nothing to repair."""
    if not drift:
        return False
    logger.warning(
        "WireGuard interface %s differs from its records (%s); healing",
        interface.name,
        ", ".join(f"{number} {kind}" for kind, number in drift.counts().items()),
    )
    seen: list[tuple[Any, ...]] = []
    wishes: list[Wish] = []
    for row in drift.missing:
        seen.append(("", "", "", None, False, row.id, row.applied_seq))
        wishes.append(Wish(interface.pk, row.id, row.public_key))
    for row, status in drift.altered:
        seen.append((*_as_applied(status), row.id, row.applied_seq))
        wishes.append(Wish(interface.pk, row.id, row.public_key))
    for row, key in drift.ghosts:
        seen.append((*_as_applied(running[key]), row.id, row.applied_seq))
        wishes.append(Wish(interface.pk, row.id, key))
    wishes.extend(Wish(interface.pk, None, key) for key in drift.strays)
    with connection.cursor() as cursor:
        _SEEN.run(cursor, seen)
    enqueue(kind=Job.Kind.HEAL, tenant_id=None, actor_name=ACTOR, wishes=wishes, at=at)
    return True


def _as_applied(status: PeerStatus) -> tuple[Any, ...]:
    state = status.as_applied()
    return (
        status.public_key,
        ",".join(state.allowed_ips),
        state.psk_digest,
        state.persistent_keepalive,
        False,
    )


def catch_up(interface: Interface, *, at: datetime) -> bool:
    """Make a job of rows that want something else than was applied, and have no open item.

    Their item failed for a cause that may be gone (a foreign link, a refusal), or was settled
    while the interface was off. One that was settled within the last minute is left in peace.
    """
    waiting = JobItem.objects.filter(peer=OuterRef("pk")).filter(
        Q(status=JobItem.Status.OPEN) | Q(settled_at__gt=at - _PEACE)
    )
    rows = Peer.objects.filter(
        interface=interface, generation__gt=F("applied_generation"), quarantine_reason=""
    ).exclude(Exists(waiting))
    wishes = [Wish(interface.pk, pk, key) for pk, key in rows.values_list("pk", "public_key")]
    if wishes:
        enqueue(kind=Job.Kind.HEAL, tenant_id=None, actor_name=ACTOR, wishes=wishes, at=at)
    return bool(wishes)


def heal_link(interface: Interface, differing: Collection[str], *, at: datetime) -> bool:
    """Make a job of bringing port and mark back, unless one is open. Another key only shows: it
    would cut everybody off, so a link gets its row's key by an operator's act alone.
    """
    if not set(differing) - {"public_key"}:
        return False
    wanted = Wish(interface.pk, action=JobItem.Action.CHECK)
    opened = JobItem.objects.filter(interface=interface, status=JobItem.Status.OPEN)
    if opened.filter(action=JobItem.Action.CHECK).exists():
        return False
    logger.warning(
        "WireGuard interface %s has another %s than its row; healing",
        interface.name,
        " and ".join(sorted(differing)),
    )
    enqueue(kind=Job.Kind.HEAL, tenant_id=None, actor_name=ACTOR, wishes=[wanted], at=at)
    return True


def revive(interface: Interface, *, at: datetime) -> None:
    """Ask for an apply of a dead interface, unless one is asked for already."""
    wanted = Wish(interface.pk, action=JobItem.Action.CHECK)
    if not JobItem.objects.filter(interface=interface, status=JobItem.Status.OPEN).exists():
        enqueue(kind=Job.Kind.LINK, tenant_id=None, actor_name=ACTOR, wishes=[wanted], at=at)
