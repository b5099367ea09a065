"""Reading holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from quotas.models import Hold


def open_holds(client_ids: Iterable[int]) -> dict[int, list[Hold]]:
    """The open holds of these clients, oldest first; a client without any has no key."""
    found: defaultdict[int, list[Hold]] = defaultdict(list)
    rows = Hold.objects.filter(client_id__in=list(client_ids), closed_at__isnull=True)
    for hold in rows.order_by("opened_at", "pk"):
        found[hold.client_id].append(hold)
    return dict(found)


def is_held(client_id: int) -> bool:
    """Whether any hold of the client is open."""
    return Hold.objects.filter(client_id=client_id, closed_at__isnull=True).exists()
