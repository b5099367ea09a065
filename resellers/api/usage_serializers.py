"""Shapes of what tenants used, and of their statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rest_framework import serializers

from gateways.models import Interface
from peers.api.representation import moment
from peers.api.usage_serializers import BytesSerializer, PeriodSerializer, bytes_body, local
from quotas.models import TenantUsage
from quotas.spans import Bytes, total_of
from resellers.pools import pool_of, used_in_period
from resellers.statements import CLIENT, HANDED_OVER, Line, Statement, TenantLine
from tenants.models import Tenant


class PoolUsage(serializers.Serializer[Any]):
    """The tenant's pool: bytes of a period that clients use, or that are sold to them."""

    counts = serializers.ChoiceField(choices=Tenant.PoolCounts.choices)
    reset = serializers.ChoiceField(choices=Tenant.PoolReset.choices)
    stops = serializers.ChoiceField(choices=Tenant.PoolStops.choices)
    limit_bytes = serializers.IntegerField(allow_null=True)
    used_bytes = serializers.IntegerField(help_text="Billed in the period.")
    sold_bytes = serializers.IntegerField(
        help_text="Sold in the period; counted where the pool counts what is sold."
    )
    left_bytes = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    stopped_since = serializers.DateTimeField(allow_null=True, help_text="It is used up since.")


class TenantUsageSerializer(serializers.Serializer[Any]):
    """What a tenant used in its period, deleted clients included, and how its pool stands."""

    tenant = serializers.UUIDField()
    slug = serializers.CharField()
    period = PeriodSerializer()
    used_upload_bytes = serializers.IntegerField()
    used_download_bytes = serializers.IntegerField()
    pool = PoolUsage()
    total = BytesSerializer(help_text="Since the tenant was made.")


class OwnUsage(TenantUsageSerializer):
    """The acting tenant's usage."""

    observed_at = serializers.DateTimeField(
        allow_null=True, help_text="When a device of it was last counted."
    )


def tenant_usage_body(tenant: Tenant, usage: TenantUsage) -> dict[str, Any]:
    """The body of `TenantUsageSerializer`."""
    up, down = used_in_period(usage)
    pool = pool_of(tenant, usage)
    return {
        "tenant": str(tenant.uuid),
        "slug": tenant.slug,
        "period": {
            "number": usage.period,
            "began_at": moment(usage.period_began_at),
            "ends_at": moment(usage.period_ends_at),
        },
        "used_upload_bytes": up,
        "used_download_bytes": down,
        "pool": {
            "counts": tenant.pool_counts,
            "reset": tenant.pool_reset,
            "stops": tenant.pool_stops,
            "limit_bytes": pool.limit,
            "used_bytes": up + down,
            "sold_bytes": usage.sold_bytes,
            "left_bytes": pool.left,
            "percent": pool.percent,
            "stopped_since": moment(usage.stopped_since),
        },
        "total": bytes_body(
            Bytes(usage.raw_up, usage.raw_down, usage.billed_up, usage.billed_down)
        ),
    }


class StatementLine(BytesSerializer):
    """One client. `handed-over` is what clients used that belong to another tenant by now."""

    kind = serializers.ChoiceField(choices=[CLIENT, HANDED_OVER])
    client = serializers.UUIDField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(help_text="Of a client that is gone, the one it had.")
    deleted = serializers.BooleanField()
    devices = serializers.IntegerField(help_text="Devices that used anything.")
    raw_bytes = serializers.IntegerField()
    billed_bytes = serializers.IntegerField()


class StatementSerializer(serializers.Serializer[Any]):
    """What each client used; who used nothing has no line. The lines add up to the total."""

    tenant = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    timezone = serializers.CharField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    total = BytesSerializer()
    lines = StatementLine(many=True)


class TenantStatementLine(BytesSerializer):
    """One tenant."""

    tenant = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    raw_bytes = serializers.IntegerField()
    billed_bytes = serializers.IntegerField()


class TenantsStatement(serializers.Serializer[Any]):
    """What each tenant used; the time zone is that of the global settings."""

    timezone = serializers.CharField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    total = BytesSerializer()
    lines = TenantStatementLine(many=True)


class InterfaceUsage(BytesSerializer):
    """What was used on one interface; null names stand for those that are gone."""

    interface = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    gateway = serializers.CharField(allow_null=True)


class InterfacesUsage(serializers.Serializer[Any]):
    """What was used on each interface."""

    timezone = serializers.CharField()
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    total = BytesSerializer()
    lines = InterfaceUsage(many=True)


def _numbers(used: Bytes) -> dict[str, int]:
    return {**bytes_body(used), "raw_bytes": used.raw, "billed_bytes": used.billed}


def line_body(line: Line) -> dict[str, Any]:
    """The body of `StatementLine`."""
    return {
        "kind": line.kind,
        "client": str(line.client) if line.client else None,
        "external_id": line.external_id,
        "name": line.name,
        "deleted": line.deleted,
        "devices": line.devices,
        **_numbers(line.used),
    }


def frame(zone: str, since: datetime, until: datetime, total: Bytes) -> dict[str, Any]:
    """What all statements begin with."""
    return {
        "timezone": zone,
        "begins_at": local(since, ZoneInfo(zone)),
        "ends_at": local(until, ZoneInfo(zone)),
        "total": bytes_body(total),
    }


def statement_body(found: Statement) -> dict[str, Any]:
    """The body of `StatementSerializer`."""
    return {
        "tenant": str(found.tenant.uuid),
        "slug": found.tenant.slug,
        "name": found.tenant.name,
        **frame(found.tenant.timezone, found.since, found.until, found.total),
        "lines": [line_body(line) for line in found.lines],
    }


def tenants_body(
    lines: Sequence[TenantLine], zone: str, since: datetime, until: datetime
) -> dict[str, Any]:
    """The body of `TenantsStatement`."""
    return {
        **frame(zone, since, until, total_of(line.used for line in lines)),
        "lines": [tenant_line_body(line) for line in lines],
    }


def tenant_line_body(line: TenantLine) -> dict[str, Any]:
    """The body of `TenantStatementLine`."""
    tenant = line.tenant
    names = {"tenant": str(tenant.uuid), "slug": tenant.slug, "name": tenant.name}
    return {**names, **_numbers(line.used)}


def interface_body(interface: Interface | None, used: Bytes) -> dict[str, Any]:
    """The body of `InterfaceUsage`."""
    return {
        "interface": str(interface.uuid) if interface else None,
        "name": interface.name if interface else None,
        "gateway": interface.gateway.slug if interface else None,
        **bytes_body(used),
    }


_NUMBERS: Final = (*_numbers(Bytes()),)
HEADER: Final = ("kind", "client", "external_id", "name", "deleted", "devices", *_NUMBERS)
TENANTS_HEADER: Final = ("kind", "tenant", "slug", "name", *_NUMBERS)


def statement_rows(found: Statement) -> Iterator[Sequence[Any]]:
    """The lines as cells, and their sum: a file without it was cut short."""
    for line in found.lines:
        yield tuple(line_body(line).values())
    yield ("total", "", "", "", "", "", *_numbers(found.total).values())


def tenants_rows(lines: Sequence[TenantLine]) -> Iterator[Sequence[Any]]:
    """As `statement_rows`."""
    for line in lines:
        yield ("tenant", *tenant_line_body(line).values())
    yield ("total", "", "", "", *_numbers(total_of(one.used for one in lines)).values())
