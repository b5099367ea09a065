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
from quotas.queries import is_held
from quotas.services import close_hold as close_row
from quotas.services import open_hold as open_row


def open_hold(
    *, client: Client, reason: str, note: str = "", actor: Actor, at: datetime
) -> list[Peer] | None:
    """Stop the client for ``reason``; the peers that WireGuard must learn of, None if it was open.

    The caller has locked the client and makes the job.
    """
    is_new = open_row(
        tenant_id=client.tenant_id,
        client_id=client.pk,
        reason=reason,
        note=note,
        by=actor.name,
        at=at,
    )
    return _follow(client, blocked=True) if is_new else None


def close_hold(*, client: Client, reason: str, actor: Actor, at: datetime) -> list[Peer] | None:
    """Close this one hold; the peers that WireGuard must learn of, None if it was not open.

    The list is empty while another hold keeps the client off.
    """
    if not close_row(client_id=client.pk, reason=reason, by=actor.name, at=at):
        return None
    return [] if is_held(client.pk) else _follow(client, blocked=False)


def _follow(client: Client, *, blocked: bool) -> list[Peer]:
    changed = [peer for peer in live_peers(client) if peer.blocked != blocked]
    for peer in changed:
        peer.blocked = blocked
    Peer.objects.filter(pk__in=[peer.pk for peer in changed]).update(blocked=blocked)
    raise_generation(changed)
    return changed
