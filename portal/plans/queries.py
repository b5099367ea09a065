"""Plans as a list shows them: one query, each with how many clients have it."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from peers.models import Client
from quotas.models import Plan
from tenants.scoping import Caller, visible


def plans(caller: Caller, *, archived: bool) -> QuerySet[Plan]:
    """The tenant's plans by name, each with ``sold``: clients that have it now."""
    holders = (
        Client.objects.filter(plan=OuterRef("pk"), deleted_at__isnull=True)
        .order_by()
        .values("plan")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = visible(Plan.objects.all(), caller).filter(archived_at__isnull=not archived)
    return rows.annotate(sold=Coalesce(Subquery(holders, output_field=IntegerField()), 0)).order_by(
        "name", "pk"
    )
