"""Keys that customers make: a device that waits for one gets exactly one.

The portal never has the private half. While a device waits, it stands on the interface with a key
whose private half was thrown away where it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from gateways.models import Job
from peers.delivery import Delivery, deliver
from peers.models import Client, Peer, ShareLink
from peers.queries import for_delivery
from peers.services.changes import note_act, raise_version, tell
from peers.services.links import told, use, visitor
from peers.services.reveals import note_reveals
from peers.services.rotation import save_keys, set_pair
from peers.sharing import AGAIN_WITHIN, NO_LINK
from peers.values import check_key
from rest.errors import Conflict, Forbidden, Missing


@dataclass(frozen=True)
class Keyed:
    """A device with its customer's key: the file to put the private half into; its job."""

    delivery: Delivery
    job: Job | None


@transaction.atomic
def set_customer_key(
    *, link: ShareLink, public_key: object, address: str | None, at: datetime
) -> Keyed:
    """Give the link's device the key that its customer made, once; the link is used by it.

    The same key again within ten minutes is answered again: the first answer may have been lost.
    Raises `Invalid`, `Missing`, `Forbidden` (``key_not_allowed``), `Conflict` (``key_not_awaited``,
    ``key_taken``), and as `peers.delivery.deliver` does.
    """
    if not link.allows_key:
        raise Forbidden("This link does not take a key.", code="key_not_allowed")
    key = check_key(public_key)
    client = Client.objects.select_for_update(no_key=True).filter(pk=link.peer.client_id).first()
    if client is None or client.deleted_at is not None:
        raise Missing(NO_LINK)
    peer, actor, job = _fresh(link), visitor(link, address), None
    if peer.awaits_key:
        use(link, address=address, at=at)
        set_pair(peer, key)
        peer.awaits_key = False
        save_keys(peer)
        raise_version(client)
        after = {**told(link), "public_key": key}
        note_act(client=client, actor=actor, action="client.key_set", after=after)
        job = tell(client=client, kind=Job.Kind.ROTATE, actor=actor, peers=[peer], at=at)
    elif not _is_again(link, peer, key, at):
        raise Conflict("This device has its key already.", code="key_not_awaited")
    delivery = deliver(peer)
    note_reveals([delivery], way="key", actor=actor, at=at, details=told(link))
    return Keyed(delivery, job)


def _is_again(link: ShareLink, peer: Peer, key: str, at: datetime) -> bool:
    recent = ShareLink.objects.filter(pk=link.pk, used_at__gt=at - AGAIN_WITHIN)
    return peer.public_key == key and recent.exists()


def _fresh(link: ShareLink) -> Peer:
    """The device as it is under its client's lock. Raises `Missing`."""
    found = (
        for_delivery()
        .filter(pk=link.peer.pk, tenant_id=link.tenant_id, deleted_at__isnull=True)
        .first()
    )
    if found is None:
        raise Missing(NO_LINK)
    return found
