"""How many clients a tenant may have, and how many devices a client.

Rule: who counts holds a lock until the commit (the tenant's row for its clients, the client's row
for its devices), so that two requests at a time cannot both take the last place. A tenant without
a limit pays nothing: no lock, no count.
"""

from __future__ import annotations

from django.db import connection

from peers.models import Client
from quotas.models import Plan, TenantUsage
from rest.errors import Conflict, Forbidden
from tenants.models import Tenant
from tenants.queries import stands
from tenants.scoping import is_erased

#: Stops at the limit; answered from the index ``client_tenant_newest`` alone.
_COUNT = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM peers_client"
    " WHERE tenant_id = %s AND deleted_at IS NULL LIMIT %s) AS counted"
)


def admit_clients(tenant: Tenant, number: int = 1) -> None:
    """Raise `Conflict` (``limit_clients``, ``limit_bytes``) unless the tenant may have so many
    clients more.

    Call before the clients are written, and before any client's row is locked.
    """
    left, refusal = places_left(tenant)
    if left is not None and left < number:
        raise refusal


def places_left(tenant: Tenant) -> tuple[int | None, Conflict]:
    """How many clients more the tenant may have, None without a limit; and what to say then.

    None more while its pool is used up. Call before the clients are written, and before any
    client's row is locked.
    """
    if tenant.max_bytes_per_period is not None and _is_stopped(tenant):
        return 0, Conflict("The tenant's pool of bytes is used up.", code="limit_bytes")
    limit = None if tenant.max_clients is None else lock_tenant(tenant.pk)
    refusal = Conflict(f"This tenant may have {limit} clients.", code="limit_clients")
    if limit is None:
        return None, refusal
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [tenant.pk, limit + 1])
        counted = int(cursor.fetchone()[0])
    return max(limit - counted, 0), refusal


def _is_stopped(tenant: Tenant) -> bool:
    return TenantUsage.objects.filter(pk=tenant.pk, stopped_since__isnull=False).exists()


def refuse_erased(tenant_id: int) -> None:
    """Raise `Forbidden` (``tenant_erased``) for an erased tenant, which nobody may fill again.

    Others are not erased before the transaction ends. Call after a stronger lock on the tenant.
    """
    status, _ = stands(tenant_id)
    if status == Tenant.Status.CLOSED and is_erased(tenant_id):
        raise Forbidden("The tenant is erased.", code="tenant_erased")


def lock_tenant(tenant_id: int) -> int | None:
    """Hold the tenant's row till the end of the transaction; how many clients it may have.

    NO KEY: rows that merely point to the tenant can be written meanwhile.
    """
    rows = Tenant.objects.select_for_update(no_key=True).filter(pk=tenant_id)
    return rows.values_list("max_clients", flat=True).get()


def device_limit(tenant: Tenant, plan: Plan | None) -> int | None:
    """How many devices a client on this plan may have; None without a limit."""
    limits = [tenant.max_devices_per_client, None if plan is None else plan.devices]
    return min((limit for limit in limits if limit is not None), default=None)


def admit_devices(client: Client, number: int) -> None:
    """Raise `Conflict` (``limit_devices``) unless the client may have ``number`` devices in all.

    The caller has locked the client, or is making it.
    """
    limit = device_limit(client.tenant, client.plan)
    if limit is not None and number > limit:
        raise Conflict(f"This client may have {limit} devices.", code="limit_devices")
