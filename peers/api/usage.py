"""What clients and devices used: now, hour by hour, and in which sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from peers.api.lookups import OfClient
from peers.api.representation import moment
from peers.api.usage_serializers import (
    ClientUsage,
    DeviceUsage,
    SeriesSerializer,
    SessionSerializer,
    bytes_body,
    series_body,
    session_body,
)
from peers.queries import find_client, find_peer
from peers.usage_queries import (
    ClientCount,
    DeviceCount,
    count_client,
    count_device,
    counted_now,
    visible_sessions,
)
from quotas.models import Session
from quotas.ranges import SERIES, wanted_series
from quotas.spans import Bytes
from quotas.usage import Whose, of_client, of_peer, series
from rest.filters import AllowListedFilters, Identifier, Moment, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView
from tenants.scoping import caller_of


class ClientUsageNow(OfClient):
    """What the client used in its period, and what is left of what was sold."""

    scopes = {"GET": "usage:read"}

    @extend_schema(responses=ClientUsage)
    def get(self, request: Request, client_id: UUID) -> Response:
        check_query(request, ())
        return Response(client_usage_body(count_client(find_client(caller_of(request), client_id))))


class ClientUsageSeries(OfClient):
    """What the client used, hour by hour or day by day, with devices that are gone."""

    scopes = {"GET": "usage:read"}

    @extend_schema(responses=SeriesSerializer, parameters=SERIES)
    def get(self, request: Request, client_id: UUID) -> Response:
        client = find_client(caller_of(request), client_id)
        return _series(request, of_client(client.tenant_id, client.uuid))


class PeerUsageNow(ApiView):
    """All that the device used since it was added."""

    scopes = {"GET": "usage:read"}

    @extend_schema(responses=DeviceUsage)
    def get(self, request: Request, peer_id: UUID) -> Response:
        check_query(request, ())
        peer = find_peer(caller_of(request), peer_id)
        return Response(_device_body(count_device(peer)))


class PeerUsageSeries(ApiView):
    """What the device used, hour by hour or day by day."""

    scopes = {"GET": "usage:read"}

    @extend_schema(responses=SeriesSerializer, parameters=SERIES)
    def get(self, request: Request, peer_id: UUID) -> Response:
        peer = find_peer(caller_of(request), peer_id)
        return _series(request, of_peer(peer.tenant_id, peer.pk))


class _Sessions(ApiView):
    scopes = {"GET": "usage:read"}
    filters = {
        "device": Identifier("peer__uuid"),
        "since": Moment("began_at__gte"),
        "until": Moment("began_at__lt"),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "-began_at"
    ordering_fields = ("began_at",)

    def page(self, request: Request, rows: QuerySet[Session]) -> Response:
        """A page of these sessions."""
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Session] = paginator.paginate_queryset(rows, request, view=self)
        counted = counted_now([one.peer_id for one in page if one.ended_at is None])
        return paginator.get_paginated_response([session_body(one, counted) for one in page])


class ClientSessions(OfClient, _Sessions):
    """When the client's devices were connected, and from where; the newest first."""

    @extend_schema(responses=SessionSerializer(many=True))
    def get(self, request: Request, client_id: UUID) -> Response:
        caller = caller_of(request)
        client = find_client(caller, client_id)
        return self.page(request, visible_sessions(caller).filter(peer__client=client))


class PeerSessions(_Sessions):
    """When the device was connected, and from where; the newest first."""

    @extend_schema(responses=SessionSerializer(many=True))
    def get(self, request: Request, peer_id: UUID) -> Response:
        caller = caller_of(request)
        peer = find_peer(caller, peer_id)
        return self.page(request, visible_sessions(caller).filter(peer=peer))


def _series(request: Request, whose: Whose) -> Response:
    zone, at = caller_of(request).tenant.timezone, timezone.now()
    wanted = wanted_series(request, timezone=zone, at=at)
    return Response(series_body(wanted, series(whose, wanted.edges)))


def client_usage_body(count: ClientCount) -> dict[str, Any]:
    """The body of `ClientUsage`."""
    usage, now = count.usage, count.balance
    return {
        "period": {
            "number": usage.period,
            "began_at": moment(usage.period_began_at),
            "ends_at": moment(usage.period_ends_at),
        },
        "used_bytes": now.used,
        "used_upload_bytes": now.used_up,
        "used_download_bytes": now.used_down,
        "limit_bytes": now.limit,
        "limit_upload_bytes": now.limit_up,
        "limit_download_bytes": now.limit_down,
        "extra_bytes": usage.extra_bytes,
        "left_bytes": now.left,
        "percent": now.percent,
        "throttled_since": moment(usage.throttled_since),
        "speed": {"upload_kbit": count.upload_kbit, "download_kbit": count.download_kbit},
        "total": bytes_body(
            Bytes(usage.raw_up, usage.raw_down, usage.billed_up, usage.billed_down)
        ),
        "devices": [_device_body(one) for one in count.devices],
        "observed_at": moment(count.observed_at),
    }


def _device_body(one: DeviceCount) -> dict[str, Any]:
    return {
        "id": str(one.peer.uuid),
        "name": one.peer.name,
        **bytes_body(one.counted),
        "observed_at": moment(one.observed_at),
    }
