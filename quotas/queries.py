"""Reading holds and plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from quotas.models import Hold, Plan
from rest.errors import Invalid
from tenants.prepared import Prepared
from tenants.scoping import Caller, visible

_OPEN: Final = Prepared(
    lambda ids: Hold.objects.filter(client_id__in=ids, closed_at__isnull=True).order_by(
        "opened_at", "pk"
    ),
    [int],
)


def open_holds(client_ids: Iterable[int]) -> dict[int, list[Hold]]:
    """The open holds of these clients, oldest first; a client without any has no key."""
    found: defaultdict[int, list[Hold]] = defaultdict(list)
    for hold in _OPEN(list(client_ids)):
        found[hold.client_id].append(hold)
    return dict(found)


def is_held(client_id: int) -> bool:
    """Whether any hold of the client is open."""
    return Hold.objects.filter(client_id=client_id, closed_at__isnull=True).exists()


def find_sold_plan(caller: Caller, plan_id: UUID, *, field: str = "plan") -> Plan:
    """A plan of the acting tenant that is still sold.

    Raises `Invalid`: ``plan_unknown``, in the same words for a foreign plan and for none, or
    ``plan_archived``.
    """
    plan = visible(Plan.objects.all(), caller).filter(uuid=plan_id).first()
    if plan is None:
        raise Invalid("There is no such plan.", field=field, code="plan_unknown")
    if plan.archived_at is not None:
        raise Invalid("This plan is sold no more.", field=field, code="plan_archived")
    return plan
