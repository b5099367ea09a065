"""Whether the file that a customer has is still the right one (`gateways.generations`)."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, F, OuterRef, Q, Subquery

from gateways.models import GlobalSetting
from peers.models import Peer

#: The sum of what a device's file would be made from now; ``delivered_generation`` is the same sum
#: at the time it was last handed out.
FILE_SUM: Final = (
    F("file_generation")
    + F("interface__config_generation")
    + F("interface__gateway__config_generation")
    + Subquery(GlobalSetting.objects.filter(pk=1).values("config_generation"))
)


def is_outdated(peer: Peer, generation: int) -> bool:
    """Whether the file that was last handed out is older than ``generation``; not if none was."""
    return peer.delivered_generation is not None and peer.delivered_generation < generation


def has_outdated_file() -> Q:
    """Clients with a device whose file was handed out and is not the right one any more."""
    live = Peer.objects.filter(client=OuterRef("pk"), deleted_at__isnull=True)
    return Q(Exists(live.filter(delivered_generation__lt=FILE_SUM)))
