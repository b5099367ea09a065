"""/api/v1/pools: the ranges that devices' addresses come from; the operator's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.gateways import made_with_job
from gateways.models import AddressPool
from peers.api.pool_bodies import (
    PoolCreate,
    PoolPatch,
    PoolSerializer,
    PoolWithJob,
    pool_body,
)
from peers.pools import utilisation
from peers.services.pools import create_pool, delete_pool, find_pool, rename_pool
from rest.filters import AllowListedFilters, Choice, Identifier, Text, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class PoolList(ApiView):
    """The address pools of all gateways; and new ones."""

    scopes = {"GET": "interfaces:read", "POST": "interfaces:write"}
    operator_only = True
    filters = {
        "interface": Identifier("interface__uuid"),
        "gateway": Text(("gateway__slug",)),
        "family": Choice("family", ("4", "6")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "id"
    ordering_fields = ("name", "size")

    @extend_schema(responses=PoolSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = AddressPool.objects.select_related("interface__gateway")
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[AddressPool] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(_bodies(page))

    @extend_schema(request=PoolCreate, responses={201: PoolWithJob})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(PoolCreate(data=request.data))
        pool, job = create_pool(
            actor=caller_of(request).actor,
            at=timezone.now(),
            **wanted,
        )
        headers = {"Location": reverse("pool", kwargs={"pool_id": pool.uuid})}
        return made_with_job(request, _bodies([pool])[0], job, headers=headers)


class PoolDetail(ApiView):
    """One pool."""

    scopes = {"GET": "interfaces:read", "PATCH": "interfaces:write", "DELETE": "interfaces:write"}
    operator_only = True

    @extend_schema(responses=PoolSerializer)
    def get(self, request: Request, pool_id: UUID) -> Response:
        check_query(request, ())
        return Response(_bodies([find_pool(pool_id)])[0])

    @extend_schema(request=PoolPatch, responses=PoolSerializer)
    def patch(self, request: Request, pool_id: UUID) -> Response:
        check_query(request, ())
        pool = find_pool(pool_id)
        current = (pool, utilisation([pool], at=timezone.now())[pool.pk])
        wanted = checked(PoolPatch(current, data=request.data, partial=True))
        if "name" in wanted:
            pool = rename_pool(actor=caller_of(request).actor, pool_id=pool_id, name=wanted["name"])
        return Response(_bodies([pool])[0])

    @extend_schema(responses={204: OpenApiResponse(description="Deleted; see X-VWG-Job.")})
    def delete(self, request: Request, pool_id: UUID) -> Response:
        check_query(request, ())
        job = delete_pool(actor=caller_of(request).actor, pool_id=pool_id, at=timezone.now())
        return Response(status=204, headers={} if job is None else {"X-VWG-Job": str(job.uuid)})


def _bodies(pools: list[AddressPool]) -> list[dict[str, Any]]:
    used = utilisation(pools, at=timezone.now())
    return [pool_body(pool, used[pool.pk]) for pool in pools]
