"""Share links: made and revoked by their owner, used by whoever has the address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from audit.events import Actor
from audit.models import AuditEvent
from peers.delivery import Delivery, deliver
from peers.models import ShareLink
from peers.queries import find_peer
from peers.services.changes import note_act
from peers.services.reveals import note_reveals
from peers.sharing import NO_LINK, digest_of, usable
from rest.errors import Conflict, Invalid, Missing
from rest.values import check_text
from tenants.scoping import Caller, visible

#: How long a link works when nobody says.
DEFAULT_LIFE: Final = timedelta(days=30)
#: Working links of one device.
MOST_LINKS: Final = 50
_NO_SUCH: Final = "There is no such share link."


@dataclass(frozen=True)
class Made:
    """A new link, and its secret, which is known here and never again."""

    link: ShareLink
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.link!r})"


@transaction.atomic
def create_link(
    *,
    caller: Caller,
    peer_id: UUID,
    at: datetime,
    expires_at: datetime | None,
    single_use: bool = False,
    allows_key: bool = False,
    name: str = "",
) -> Made:
    """Make a link to a device's file; without ``expires_at`` it works until it is revoked.

    Raises `Missing`, `Invalid` for an end that has passed, `Conflict` (``too_many_links``).
    """
    if expires_at is not None and expires_at <= at:
        raise Invalid("This moment has passed.", field="expires_at", code="in_the_past")
    peer = find_peer(caller, peer_id)
    if usable(at).filter(peer=peer).count() >= MOST_LINKS:
        raise Conflict(
            f"The device has {MOST_LINKS} links that work; revoke some.", code="too_many_links"
        )
    secret = secrets.token_urlsafe(32)
    link = ShareLink.objects.create(
        tenant_id=peer.tenant_id,
        peer=peer,
        digest=digest_of(secret),
        name=check_text(name, "name", longest=120),
        single_use=single_use,
        allows_key=allows_key,
        expires_at=expires_at,
        created_by=caller.actor.name[:150],
    )
    after = {**told(link), "single_use": single_use, "allows_key": allows_key, "name": name}
    after["expires_at"] = None if expires_at is None else expires_at.isoformat()
    note_act(client=peer.client, actor=caller.actor, action="link.created", after=after)
    return Made(link, secret)


@transaction.atomic
def revoke_link(*, caller: Caller, link_id: UUID, at: datetime) -> ShareLink:
    """End a link for good; one that is revoked already stays as it is. Raises `Missing`."""
    link = find_owned(caller, link_id)
    if ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=at):
        link.revoked_at = at
        client = link.peer.client
        note_act(client=client, actor=caller.actor, action="link.revoked", after=told(link))
    return link


def find_owned(caller: Caller, link_id: UUID) -> ShareLink:
    """A link of the acting tenant, whatever became of it. Raises `Missing`."""
    rows = visible(ShareLink.objects.select_related("peer__client"), caller)
    found = rows.filter(uuid=link_id, peer__deleted_at__isnull=True).first()
    if found is None:
        raise Missing(_NO_SUCH)
    return found


@transaction.atomic
def reveal(*, link: ShareLink, way: str, address: str | None, at: datetime) -> Delivery:
    """Use the link: its device's file, with one event. A link for one use is used up by it.

    Raises `Missing` when somebody was faster, and as `peers.delivery.deliver` does; then nothing
    was used up.
    """
    use(link, address=address, at=at)
    delivery = deliver(link.peer)
    note_reveals([delivery], way=way, actor=visitor(link, address), at=at, details=told(link))
    return delivery


def use(link: ShareLink, *, address: str | None, at: datetime) -> None:
    """Count a use, in the caller's transaction. Of twenty at a time, one gets a link for one use.

    The row is locked by this very statement, which looks at it again. Raises `Missing`.
    """
    free = Q(single_use=False) | Q(used_at__isnull=True)
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    claimed = ShareLink.objects.filter(free, alive, pk=link.pk, revoked_at__isnull=True).update(
        used_at=at, uses=F("uses") + 1, last_used_ip=address
    )
    if not claimed:
        raise Missing(NO_LINK)


def visitor(link: ShareLink, address: str | None) -> Actor:
    """Who acts through a link: nobody known, from an address."""
    return Actor(AuditEvent.Actor.SYSTEM, str(link.uuid), "share link", address)


def told(link: ShareLink) -> dict[str, Any]:
    """The link as events name it."""
    return {"link": str(link.uuid), "device": str(link.peer.uuid)}
