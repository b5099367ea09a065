"""What a tenant used, its pool, and its statements; and the same of all tenants, for operators."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.models import Interface
from gateways.queries import global_settings
from peers.api.representation import moment
from peers.api.usage_serializers import SeriesSerializer, series_body
from peers.sellable import sellable_interfaces
from quotas.models import TenantUsage
from quotas.ranges import FROM, OF_MONTH, PERIOD, SERIES, TO, wanted_period, wanted_series
from quotas.spans import total_of
from quotas.usage import Whose, of_everybody, of_tenant, on_interface, series
from resellers.api.usage_serializers import (
    HEADER,
    TENANTS_HEADER,
    InterfacesUsage,
    OwnUsage,
    StatementSerializer,
    TenantsStatement,
    TenantUsageSerializer,
    frame,
    interface_body,
    statement_body,
    statement_rows,
    tenant_usage_body,
    tenants_body,
    tenants_rows,
)
from resellers.queries import tenant_in_full, tenants_with_usage
from resellers.statements import (
    interface_lines,
    last_counted,
    statement,
    statement_of_all,
    tenant_usage,
)
from rest.errors import Invalid
from rest.filters import AllowListedFilters, Choice, Flag, Text, check_query
from rest.pagination import KeysetPagination
from rest.spreadsheets import MEDIA, as_file, wants_csv
from rest.views import ApiView
from tenants.models import Tenant
from tenants.scoping import caller_of

_INTERFACE: Final = OpenApiParameter(
    "interface", UUID, description="What went over this interface alone."
)
_FORMAT: Final = OpenApiParameter(
    "format", str, enum=["json", "csv"], description="Else `Accept` decides; JSON unless said."
)
_TABLE: Final = OpenApiResponse(
    OpenApiTypes.STR,
    description="UTF-8 with a mark, cells that no spreadsheet takes for a formula; the last row is "
    "of kind `total`.",
    examples=[OpenApiExample("Rows", "kind,client,external_id,name\r\nclient,…,o-1,Sara\r\n")],
)


class Usage(ApiView):
    """What the tenant used in its period, and how its pool stands."""

    scopes = {"GET": "usage:read"}

    @extend_schema(operation_id="usage", responses=OwnUsage)
    def get(self, request: Request) -> Response:
        check_query(request, ())
        tenant = tenant_in_full(caller_of(request).tenant)
        body = tenant_usage_body(tenant, tenant_usage(tenant))
        return Response({**body, "observed_at": moment(last_counted(tenant))})


class UsageSeries(ApiView):
    """What the tenant used, hour by hour or day by day, deleted clients included."""

    scopes = {"GET": "usage:read"}

    @extend_schema(
        operation_id="usage_series", responses=SeriesSerializer, parameters=[*SERIES, _INTERFACE]
    )
    def get(self, request: Request) -> Response:
        tenant = caller_of(request).tenant
        rows = sellable_interfaces(tenant)
        return _series(request, of_tenant(tenant.pk), tenant.timezone, rows)


class UsageInterfaces(ApiView):
    """What the tenant used on each interface."""

    scopes = {"GET": "usage:read"}

    @extend_schema(operation_id="usage_interfaces", responses=InterfacesUsage, parameters=PERIOD)
    def get(self, request: Request) -> Response:
        check_query(request, ("month", "from", "to"))
        tenant = caller_of(request).tenant
        since, until = wanted_period(request, timezone=tenant.timezone, at=timezone.now())
        lines = interface_lines(tenant, since, until)
        total = total_of(used for _, used in lines)
        head = frame(tenant.timezone, since, until, total)
        return Response({**head, "lines": [interface_body(*line) for line in lines]})


class _Statements(ApiView):
    scopes = {"GET": "usage:read"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Errors are JSON, whatever was asked for.
        return super().perform_content_negotiation(request, force=True)


class Statements(_Statements):
    """What each client used in a month, or between two moments; deleted ones included."""

    @extend_schema(
        operation_id="statements",
        parameters=[OF_MONTH, FROM, TO, _FORMAT],
        responses={(200, "application/json"): StatementSerializer, (200, MEDIA): _TABLE},
    )
    def get(self, request: Request) -> HttpResponseBase:
        csv = _wants_csv(request)
        tenant = caller_of(request).tenant
        since, until = wanted_period(request, timezone=tenant.timezone, at=timezone.now())
        found = statement(tenant, since, until)
        if csv:
            name = f"statement-{tenant.slug}-{since:%Y-%m-%d}.csv"
            return as_file(name, HEADER, statement_rows(found))
        return Response(statement_body(found))


class TenantsStatements(_Statements):
    """What each tenant used in a month, or between two moments. For operators."""

    operator_only = True

    @extend_schema(
        operation_id="tenants_statements",
        parameters=[OF_MONTH, FROM, TO, _FORMAT],
        responses={(200, "application/json"): TenantsStatement, (200, MEDIA): _TABLE},
    )
    def get(self, request: Request) -> HttpResponseBase:
        csv, zone = _wants_csv(request), global_settings().timezone
        since, until = wanted_period(request, timezone=zone, at=timezone.now())
        lines = statement_of_all(since, until)
        if csv:
            name = f"statement-tenants-{since:%Y-%m-%d}.csv"
            return as_file(name, TENANTS_HEADER, tenants_rows(lines))
        return Response(tenants_body(lines, zone, since, until))


class TenantsUsage(ApiView):
    """What every tenant used in its period, and how its pool stands. For operators."""

    scopes = {"GET": "usage:read"}
    operator_only = True
    filters = {
        "status": Choice("status", Tenant.Status.values),
        "stopped": Flag(Q(usage__stopped_since__isnull=False)),
        "search": Text(("slug__icontains", "name__icontains")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("slug", "name", "created_at")

    @extend_schema(operation_id="tenants_usage", responses=TenantUsageSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = AllowListedFilters().filter_queryset(request, tenants_with_usage(), self)
        paginator = KeysetPagination()
        page: list[Tenant] = paginator.paginate_queryset(rows, request, view=self)
        bodies = [tenant_usage_body(one, _usage_of(one)) for one in page]
        return paginator.get_paginated_response(bodies)


class TenantsUsageSeries(ApiView):
    """What all tenants together used, hour by hour or day by day. For operators."""

    scopes = {"GET": "usage:read"}
    operator_only = True

    @extend_schema(
        operation_id="tenants_usage_series",
        responses=SeriesSerializer,
        parameters=[*SERIES, _INTERFACE],
    )
    def get(self, request: Request) -> Response:
        zone, rows = global_settings().timezone, Interface.objects.all()
        return _series(request, of_everybody(), zone, rows)


def _series(request: Request, whose: Whose, zone: str, interfaces: QuerySet[Interface]) -> Response:
    wanted = wanted_series(request, timezone=zone, at=timezone.now(), others=("interface",))
    text = request.GET.get("interface")
    if text is not None:
        whose = on_interface(whose, _interface(text, interfaces))
    return Response(series_body(wanted, series(whose, wanted.edges)))


def _interface(text: str, rows: QuerySet[Interface]) -> int:
    try:
        found = rows.filter(uuid=UUID(text)).values_list("pk", flat=True).first()
    except ValueError:
        raise Invalid("This must be a UUID.", field="interface") from None
    if found is None:
        raise Invalid("There is no such interface.", field="interface", code="interface_unknown")
    return found


def _wants_csv(request: Request) -> bool:
    check_query(request, ("month", "from", "to", "format"))
    return wants_csv(request.GET.get("format"), request.headers.get("Accept", ""))


def _usage_of(tenant: Tenant) -> TenantUsage:
    return getattr(tenant, "usage", None) or TenantUsage(tenant=tenant)
