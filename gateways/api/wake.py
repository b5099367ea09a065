"""/api/v1/wake-hosts: machines beside gateways, and waking them; the operator's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import JobOnly, job_ref
from gateways.models import Job, WakeHost
from gateways.queries import find_wake_host
from gateways.services.wake import (
    create_wake_host,
    delete_wake_host,
    update_wake_host,
    wake_host,
)
from rest.etag import etag, wanted_version
from rest.fields import StrictSerializer
from rest.filters import AllowListedFilters, Text, check_query
from rest.pagination import KeysetPagination
from rest.prefer import respond
from rest.views import ApiView, checked, created
from tenants.scoping import caller_of


class WakeHostSerializer(serializers.Serializer[Any]):
    """A machine; ``link`` is the gateway's that the packet leaves by, "" for where routes lead."""

    id = serializers.UUIDField()
    gateway = serializers.CharField()
    name = serializers.CharField()
    mac = serializers.CharField()
    link = serializers.CharField()
    broadcast = serializers.CharField()
    last_job = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class WakeHostPatch(StrictSerializer):
    """What may be changed."""

    name = serializers.CharField(max_length=120, required=False)
    mac = serializers.CharField(max_length=17, required=False)
    link = serializers.CharField(max_length=15, required=False, allow_blank=True)
    broadcast = serializers.CharField(max_length=15, required=False)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return _body(instance)


class WakeHostCreate(WakeHostPatch):
    """A machine; ``gateway`` is a slug or an id."""

    gateway = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=120)
    mac = serializers.CharField(max_length=17)


class WakeHostList(ApiView):
    """The machines that gateways can wake; and new ones."""

    scopes = {"GET": "interfaces:read", "POST": "interfaces:write"}
    operator_only = True
    filters = {
        "gateway": Text(("gateway__slug",)),
        "search": Text(("name__icontains", "mac__icontains")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "id"
    ordering_fields = ("name", "created_at")

    @extend_schema(responses=WakeHostSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = WakeHost.objects.select_related("gateway", "job")
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[WakeHost] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response([_body(one) for one in page])

    @extend_schema(request=WakeHostCreate, responses={201: WakeHostSerializer})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        made = create_wake_host(
            actor=caller_of(request).actor, **checked(WakeHostCreate(data=request.data))
        )
        location = reverse("wake-host", kwargs={"host_id": made.uuid})
        return created(_body(made), location=location, etag=etag(made, _body(made)))


class WakeHostDetail(ApiView):
    """One of them."""

    scopes = {"GET": "interfaces:read", "PATCH": "interfaces:write", "DELETE": "interfaces:write"}
    operator_only = True

    @extend_schema(responses=WakeHostSerializer)
    def get(self, request: Request, host_id: UUID) -> Response:
        check_query(request, ())
        host = find_wake_host(host_id)
        return Response(_body(host), headers={"ETag": etag(host, _body(host))})

    @extend_schema(request=WakeHostPatch, responses=WakeHostSerializer)
    def patch(self, request: Request, host_id: UUID) -> Response:
        check_query(request, ())
        host = update_wake_host(
            actor=caller_of(request).actor,
            host_id=host_id,
            changes=checked(
                WakeHostPatch(find_wake_host(host_id), data=request.data, partial=True)
            ),
            if_match=wanted_version(request),
        )
        return Response(_body(host), headers={"ETag": etag(host, _body(host))})

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def delete(self, request: Request, host_id: UUID) -> Response:
        check_query(request, ())
        delete_wake_host(
            actor=caller_of(request).actor, host_id=host_id, if_match=wanted_version(request)
        )
        return Response(status=204)


class WakeHostWake(ApiView):
    """Waking one: the gateway's worker sends the magic packet. Its job says whether it went out."""

    scopes = {"POST": "interfaces:write"}
    operator_only = True

    @extend_schema(request=None, responses={202: JobOnly})
    def post(self, request: Request, host_id: UUID) -> Response:
        check_query(request, ())
        job = wake_host(actor=caller_of(request).actor, host_id=host_id)

        def told(fresh: Job) -> dict[str, Any]:
            return {"job": job_ref(fresh)}

        return respond(job, request, told(job), finished=told)


def _body(host: WakeHost) -> dict[str, Any]:
    return {
        "id": str(host.uuid),
        "gateway": host.gateway.slug,
        "name": host.name,
        "mac": host.mac,
        "link": host.link,
        "broadcast": host.broadcast,
        "last_job": str(host.job.uuid) if host.job else None,
        "created_at": host.created_at.isoformat(),
        "version": host.version,
    }
