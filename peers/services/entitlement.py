"""Who may connect: holds, and the peers' ``blocked`` that repeats whether one is open.

Rule: a hold is opened or closed here and nowhere else, with the client's row locked; so
``blocked`` and the holds never differ after a commit. What an act does is decided first, from how
the client stands, and then written: of one client or of many.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from audit.events import Actor
from peers.models import Client, Peer
from peers.queries import live_peers, live_peers_of
from peers.services.changes import raise_generation
from quotas import services as holds_of
from quotas.models import Hold, Usage
from quotas.policies import TENANT_POOL, TENANT_SUSPENDED, is_entitled
from quotas.queries import open_holds
from tenants.models import Tenant
from tenants.queries import stands


@dataclass
class Standing:
    """A client whose row is locked; its open holds and devices are read when they are asked for."""

    client: Client

    @cached_property
    def holds(self) -> Mapping[str, Hold]:
        """The open holds by their reasons."""
        return _by_reason(open_holds([self.client.pk]).get(self.client.pk, ()))

    @cached_property
    def peers(self) -> Sequence[Peer]:
        """The devices that are not deleted, oldest first."""
        return live_peers(self.client)

    @cached_property
    def usage(self) -> Usage:
        """What it used; its row is locked from here on, so ask before any device is."""
        return holds_of.lock_usages({self.client.pk: self.client.tenant_id})[self.client.pk]

    @property
    def is_counted(self) -> bool:
        """Whether it has a usage at all."""
        return "usage" in vars(self) or Usage.objects.filter(client=self.client.pk).exists()


def standings(
    clients: Sequence[Client],
    *,
    addresses: bool = False,
    usages: Mapping[int, Usage] | None = None,
) -> list[Standing]:
    """How these clients stand, read at once; their devices with addresses if asked. Who locked
    their usages hands them on.
    """
    found = [Standing(client) for client in clients]
    ids = [client.pk for client in clients]
    holds, peers = open_holds(ids), live_peers_of(ids, addresses=addresses)
    for one in found:
        one.holds = _by_reason(holds.get(one.client.pk, ()))
        one.peers = peers.get(one.client.pk, [])
        if usages is not None:
            one.usage = usages[one.client.pk]
    return found


def _by_reason(holds: Collection[Hold]) -> dict[str, Hold]:
    return {hold.reason: hold for hold in holds}


@dataclass(frozen=True)
class Turn:
    """Holds that open and close, and the devices that follow them; not written yet."""

    opens: tuple[Hold, ...] = ()
    closes: tuple[Hold, ...] = ()
    peers: tuple[Peer, ...] = ()
    blocked: bool = False


def opening(
    standing: Standing,
    *,
    reason: str,
    note: str = "",
    actor: Actor,
    at: datetime,
    until: datetime | None = None,
) -> Turn | None:
    """What stopping the client for ``reason`` does; None when it is stopped for it already."""
    if reason in standing.holds:
        return None
    hold = holds_of.new_hold(
        tenant_id=standing.client.tenant_id,
        client_id=standing.client.pk,
        reason=reason,
        note=note,
        by=actor.name,
        at=at,
        until=until,
    )
    return turning(standing, opens=[hold])


def closing(standing: Standing, *, reason: str) -> Turn | None:
    """What closing this one hold does; None when it is not open.

    No device follows while another hold keeps the client off.
    """
    hold = standing.holds.get(reason)
    return None if hold is None else turning(standing, closes=[hold])


def turning(standing: Standing, *, opens: Sequence[Hold] = (), closes: Sequence[Hold] = ()) -> Turn:
    """What these holds do together, as they open and close."""
    left = standing.holds.keys() - {hold.reason for hold in closes}
    blocked = not is_entitled(left | {hold.reason for hold in opens})
    peers = _to_follow(standing, blocked=blocked) if opens or not blocked else ()
    return Turn(tuple(opens), tuple(closes), peers, blocked)


def together(standing: Standing, *turns: Turn | None) -> Turn | None:
    """These turns of one client as one; None when none of them does anything."""
    found = [turn for turn in turns if turn is not None]
    if len(found) < 2:
        return found[0] if found else None
    return turning(
        standing,
        opens=[hold for turn in found for hold in turn.opens],
        closes=[hold for turn in found for hold in turn.closes],
    )


def _to_follow(standing: Standing, *, blocked: bool) -> tuple[Peer, ...]:
    return tuple(peer for peer in standing.peers if peer.blocked != blocked)


def write_turns(turns: Sequence[Turn], *, actor: Actor, at: datetime) -> None:
    """Write them, of as many clients as there are, in a few statements."""
    closed = [hold for turn in turns for hold in turn.closes]
    holds_of.close_holds(closed, by=actor.name, at=at)  # first: one may open again at once
    holds_of.open_holds([hold for turn in turns for hold in turn.opens])
    for blocked in (False, True):
        peers = [peer for turn in turns if turn.blocked == blocked for peer in turn.peers]
        raise_generation(peers, blocked=blocked)


def open_hold(
    *,
    client: Client,
    reason: str,
    note: str = "",
    actor: Actor,
    at: datetime,
    until: datetime | None = None,
) -> list[Peer] | None:
    """Stop the client for ``reason``; the peers that WireGuard must learn of, None if it was open.
    With ``until`` the hold closes by itself (`peers.services.due`).

    The caller has locked the client and makes the job.
    """
    turn = opening(Standing(client), reason=reason, note=note, actor=actor, at=at, until=until)
    return _written(turn, actor, at)


def close_hold(*, client: Client, reason: str, actor: Actor, at: datetime) -> list[Peer] | None:
    """Close this one hold; the peers that WireGuard must learn of, None if it was not open.

    The list is empty while another hold keeps the client off.
    """
    return _written(closing(Standing(client), reason=reason), actor, at)


def _written(turn: Turn | None, actor: Actor, at: datetime) -> list[Peer] | None:
    if turn is None:
        return None
    write_turns([turn], actor=actor, at=at)
    return list(turn.peers)


def stand_with_tenant(*, client: Client, actor: Actor, at: datetime) -> list[Peer] | None:
    """Hold the client of a tenant that is not active, and let go that of an active one.

    For whoever makes a client, brings one back or takes it over; what `close_hold` returns. The
    caller has locked the client and makes the job.
    """
    status, reason = stands(client.tenant_id)
    if status == Tenant.Status.ACTIVE:
        return close_hold(client=client, reason=TENANT_SUSPENDED, actor=actor, at=at)
    return open_hold(client=client, reason=TENANT_SUSPENDED, note=reason, actor=actor, at=at)


def agree_with_holds(*, client: Client, actor: Actor, at: datetime) -> list[Peer]:
    """Bring a client that was away back in step: with its tenant's status, and its own holds.

    For one that is restored or changes its tenant; the peers that WireGuard must learn of. The
    caller has locked it and makes the job. Nobody comes to a tenant whose pool is used up
    (`limits`): a hold for that is of the time, or of the tenant, that it comes from.
    """
    freed = close_hold(client=client, reason=TENANT_POOL, actor=actor, at=at) or []
    changed = stand_with_tenant(client=client, actor=actor, at=at)
    if not changed:
        standing = Standing(client)
        blocked = not is_entitled(standing.holds)
        turn = Turn(peers=_to_follow(standing, blocked=blocked), blocked=blocked)
        changed = _written(turn, actor, at) or []
    return list({peer.pk: peer for peer in (*freed, *changed)}.values())
