"""Statements: what was used under a tenant in a stretch of time, client by client.

Clients that are gone are in it, by the name they had. What was used by one that was handed over to
another tenant since is one line without a name: who it is now is that tenant's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Min

from gateways.models import Interface
from quotas.models import LedgerSegment, Meter, TenantUsage, UsageBucket
from quotas.spans import MONTH, Bytes, edges, total_of
from quotas.usage import by_interface, by_tenant, of_tenant, parts
from tenants.models import Tenant

CLIENT: Final = "client"
HANDED_OVER: Final = "handed-over"
_SUMS: Final = ("raw_up", "raw_down", "billed_up", "billed_down")


@dataclass(frozen=True)
class Line:
    """One client's bytes, or of ``handed-over`` those of all that were."""

    kind: str
    client: UUID | None
    name: str
    external_id: str | None
    deleted: bool
    devices: int
    used: Bytes


@dataclass(frozen=True)
class Statement:
    """All lines of a tenant, and their sum."""

    tenant: Tenant
    since: datetime
    until: datetime
    lines: Sequence[Line]

    @property
    def total(self) -> Bytes:
        """The sum of all lines: what the tenant used."""
        return total_of(line.used for line in self.lines)


def statement(tenant: Tenant, since: datetime, until: datetime) -> Statement:
    """What was used under the tenant between two moments (both at quarters of an hour), in one
    statement of SQL, however many clients there are.
    """
    rows, values = parts(of_tenant(tenant.pk), since, until)
    sums = ", ".join(f"SUM({name}) AS {name}" for name in _SUMS)
    text = f"""
        SELECT m.client_uuid, MAX(COALESCE(c.name, m.client_name)),
            MAX(CASE WHEN c.id IS NULL THEN m.external_id ELSE c.external_id END),
            MAX(CASE WHEN c.deleted_at IS NULL THEN c.id END), COUNT(used.meter_id),
            {", ".join(f"SUM(used.{name})" for name in _SUMS)}
        FROM (SELECT meter_id, {sums} FROM ({rows}) AS parts GROUP BY meter_id) AS used
        LEFT JOIN quotas_meter m ON m.id = used.meter_id AND m.tenant_id = %s
        LEFT JOIN peers_client c ON c.id = m.client_id AND c.tenant_id = %s
        GROUP BY m.client_uuid ORDER BY 2, m.client_uuid
    """  # noqa: S608  constants of this module; the values are bound
    with connection.cursor() as cursor:
        cursor.execute(text, [*values, tenant.pk, tenant.pk])
        lines = [_line(*row) for row in cursor.fetchall()]
    return Statement(tenant, since, until, sorted(lines, key=lambda line: line.kind))


def _line(
    uuid: Any,
    name: str | None,
    external_id: str | None,
    living: int | None,
    devices: int,
    *sums: Any,
) -> Line:
    return Line(
        kind=HANDED_OVER if uuid is None else CLIENT,
        client=UUID(str(uuid)) if uuid is not None else None,
        name=name or "",
        external_id=external_id,
        deleted=uuid is not None and living is None,
        devices=devices,
        used=Bytes(*(int(one) for one in sums)),
    )


@dataclass(frozen=True)
class TenantLine:
    """What was used under one tenant."""

    tenant: Tenant
    used: Bytes


def statement_of_all(since: datetime, until: datetime) -> list[TenantLine]:
    """What was used under every tenant that used anything, by their slugs."""
    found = by_tenant(since, until)
    rows = Tenant.objects.filter(pk__in=found).defer("brand_logo").order_by("slug")
    return [TenantLine(tenant, found[tenant.pk]) for tenant in rows]


def interface_lines(
    tenant: Tenant, since: datetime, until: datetime
) -> list[tuple[Interface | None, Bytes]]:
    """What was used on each interface; None for those that are gone, together."""
    found = by_interface(of_tenant(tenant.pk), since, until)
    rows = Interface.objects.select_related("gateway").filter(pk__in=found)
    known = list(rows.order_by("gateway__slug", "name"))
    lines: list[tuple[Interface | None, Bytes]] = [(one, found.pop(one.pk)) for one in known]
    return [*lines, (None, total_of(found.values()))] if found else lines


def tenant_usage(tenant: Tenant) -> TenantUsage:
    """The tenant's row; one that nothing was counted for has none yet."""
    return TenantUsage.objects.filter(tenant=tenant).first() or TenantUsage(tenant=tenant)


def months_counted(tenant: Tenant, *, at: datetime) -> list[tuple[datetime, datetime]]:
    """The months of the tenant's time zone, from the first that anything was counted in."""
    firsts = (
        UsageBucket.objects.filter(tenant=tenant).aggregate(first=Min("begins_at"))["first"],
        # Those that are rolled up stand in a bucket that is as old.
        LedgerSegment.objects.filter(tenant=tenant, rolled_up=False).aggregate(
            first=Min("quarter")
        )["first"],
    )
    since = min((first for first in firsts if first is not None), default=None)
    if since is None or since >= at:
        return []
    return list(pairwise(edges(MONTH, since, at, ZoneInfo(tenant.timezone))))


def last_counted(tenant: Tenant) -> datetime | None:
    """When a device of the tenant was last read."""
    rows = Meter.objects.filter(tenant=tenant, sampled_at__isnull=False)
    return rows.order_by("-sampled_at").values_list("sampled_at", flat=True).first()
