"""Who may connect: holds, and the peers' ``blocked`` that repeats whether one is open.

Rule: a hold is opened or closed here and nowhere else, with the client's row locked; so
``blocked`` and the holds never differ after a commit.
"""

from __future__ import annotations

from datetime import datetime

from audit.events import Actor
from peers.models import Client, Peer
from peers.queries import live_peers
from peers.services.changes import raise_generation
from quotas.policies import TENANT_SUSPENDED
from quotas.queries import is_held
from quotas.services import close_hold as close_row
from quotas.services import open_hold as open_row
from tenants.models import Tenant
from tenants.queries import stands


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
    is_new = open_row(
        tenant_id=client.tenant_id,
        client_id=client.pk,
        reason=reason,
        note=note,
        by=actor.name,
        at=at,
        until=until,
    )
    return _follow(client, blocked=True) if is_new else None


def close_hold(*, client: Client, reason: str, actor: Actor, at: datetime) -> list[Peer] | None:
    """Close this one hold; the peers that WireGuard must learn of, None if it was not open.

    The list is empty while another hold keeps the client off.
    """
    if not close_row(client_id=client.pk, reason=reason, by=actor.name, at=at):
        return None
    return [] if is_held(client.pk) else _follow(client, blocked=False)


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
    caller has locked it and makes the job.
    """
    changed = stand_with_tenant(client=client, actor=actor, at=at) or []
    return changed or _follow(client, blocked=is_held(client.pk))


def _follow(client: Client, *, blocked: bool) -> list[Peer]:
    changed = [peer for peer in live_peers(client) if peer.blocked != blocked]
    for peer in changed:
        peer.blocked = blocked
    Peer.objects.filter(pk__in=[peer.pk for peer in changed]).update(blocked=blocked)
    raise_generation(changed)
    return changed
