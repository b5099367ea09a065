"""Bytes that are sold, counted against the pool of a tenant whose pool counts what it sells.

Sold is what a client is given for a period: its quota when it is made and whenever a period begins
anew, more of it, and what is topped up. What is taken back unused, by a deletion or a lower quota,
may be sold again. Every other tenant pays nothing: no query, no lock.

The tenant's row is written last of all, after the job: everybody locks it behind the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Least

from peers.models import Client
from peers.sold import MAX_BYTES, QUOTAS
from peers.usage_queries import usages_of
from quotas.balance import balance, sold_bytes
from quotas.models import TenantUsage, Usage
from rest.errors import Conflict, Invalid
from tenants.models import Tenant

if TYPE_CHECKING:  # a step is counted by who writes it
    from peers.services.steps import Step

_SOLD: Final = Tenant.PoolCounts.SOLD


def sell_to(clients: Sequence[Client], *, tenant: Tenant) -> None:
    """Count new clients of a tenant. Raises `Conflict` (``limit_bytes``) where its pool has not
    so much left, and `Invalid` (``quota_required``) for a client without a quota.
    """
    if tenant.pool_counts == _SOLD:
        _count(tenant, sum(_worth(client, tenant) for client in clients), refuses=True)


def count_sales(steps: Iterable[Step], *, refuses: bool) -> None:
    """Count what these steps, which are written, gave clients or took back. Raises as `sell_to`,
    unless what time brings about is only counted.
    """
    real = [step for step in steps if step.changes and _trades(step)]
    tenants = _selling(step.client for step in real)
    trading = [step for step in real if step.client.tenant_id in tenants]
    if not trading:
        return
    usages = usages_of([step.client.pk for step in trading])
    sold: defaultdict[int, int] = defaultdict(int)
    for step in trading:
        tenant = tenants[step.client.tenant_id]
        usage = step.usage or usages.get(step.client.pk)
        sold[tenant.pk] += _sold_by(step, usage, tenant, refuses=refuses)
    for pk, number in sorted(sold.items()):
        _count(tenants[pk], number, refuses=refuses)


def count_back(client: Client, *, gives: Tenant | None = None) -> None:
    """Count what is left of a client that comes to its tenant (back from its deletion, or from the
    tenant that ``gives`` it). Raises as `sell_to`.
    """
    if _SOLD not in (client.tenant.pool_counts, gives and gives.pool_counts):
        return
    left = _left(client, usages_of([client.pk]).get(client.pk))
    for tenant, number in ((client.tenant, left), (gives, -left)):
        if tenant is not None and tenant.pool_counts == _SOLD:
            _count(tenant, number, refuses=True)


def count_renewed(client_ids: Collection[int]) -> None:
    """Count a period's quota of each of these clients, whose next one begins by itself."""
    rows = Client.objects.filter(pk__in=client_ids, tenant__pool_counts=_SOLD)
    sold: defaultdict[int, int] = defaultdict(int)
    for client in rows.only("tenant", *QUOTAS):  # added up here: no sum of the database's overflows
        sold[client.tenant_id] += sold_bytes(client) or 0
    for pk, number in sorted(sold.items()):
        _add(TenantUsage.objects.filter(pk=pk), number)


def _trades(step: Step) -> bool:
    return bool(
        {"deleted_at", *QUOTAS} & {*step.fields} or {"extra_bytes", "period"} & {*step.usage_fields}
    )


def _selling(clients: Iterable[Client]) -> dict[int, Tenant]:
    """Those of these clients' tenants whose pool counts what they sell."""
    known, unknown = {}, set()
    for client in clients:
        if Client.tenant.is_cached(client):
            known[client.tenant_id] = client.tenant
        else:
            unknown.add(client.tenant_id)
    if unknown := unknown - known.keys():
        rows = Tenant.objects.filter(pk__in=unknown, pool_counts=_SOLD).defer("brand_logo")
        known |= {tenant.pk: tenant for tenant in rows}
    return {pk: tenant for pk, tenant in known.items() if tenant.pool_counts == _SOLD}


def _sold_by(step: Step, usage: Usage | None, tenant: Tenant, *, refuses: bool) -> int:
    """What a step sold; below 0 what it took back."""
    client = step.client
    if "deleted_at" in step.fields:
        return -_left(client, usage)
    now = _worth(client, tenant) if refuses else sold_bytes(client) or 0
    if "period" in step.usage_fields:
        return now
    former = sold_bytes(_Former(client, step.before)) or 0
    extra = usage.extra_bytes if usage else 0
    more = now - former + extra - int(step.before.get("extra_bytes", extra))
    if more >= 0:
        return more
    used = balance(client, usage).used
    return -min(-more, max(former + extra - used, 0))


class _Former:
    """What was sold to a client before a step."""

    def __init__(self, client: Client, before: Any) -> None:
        self.quota_bytes, self.upload_quota_bytes, self.download_quota_bytes = (
            before.get(name, getattr(client, name)) for name in QUOTAS
        )


def _left(client: Client, usage: Usage | None) -> int:
    """Of what was sold for the period, what was not used."""
    worth = sold_bytes(client)
    extra = usage.extra_bytes if usage else 0
    return 0 if worth is None else max(worth + extra - balance(client, usage).used, 0)


def _worth(client: Client, tenant: Tenant) -> int:
    found = sold_bytes(client)
    if found is None and tenant.max_bytes_per_period is not None:
        raise Invalid(
            "What this tenant sells is counted: every client needs a quota.",
            field="quota_bytes",
            code="quota_required",
        )
    return found or 0


def _count(tenant: Tenant, number: int, *, refuses: bool) -> None:
    if not number:
        return
    TenantUsage.objects.get_or_create(tenant_id=tenant.pk)
    rows = TenantUsage.objects.filter(pk=tenant.pk)
    limit = tenant.max_bytes_per_period
    if number > 0 and refuses and limit is not None:
        rows = rows.filter(Q(sold_bytes__lte=limit - number)) if number <= limit else rows.none()
    if not _add(rows, number):
        raise Conflict("The tenant's pool has not so many bytes left.", code="limit_bytes")


def _add(rows: Any, number: int) -> int:
    """Never below 0, and never beyond what the column holds: then it stays at that."""
    number = max(-MAX_BYTES, min(number, MAX_BYTES))
    if number < 0:
        return int(rows.update(sold_bytes=Greatest(F("sold_bytes") + number, Value(0))))
    return int(rows.update(sold_bytes=Least(F("sold_bytes"), Value(MAX_BYTES - number)) + number))
