"""/api/v1/interfaces: what tenants may sell on, and the operator's hands on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.gateways import edited_response, made_with_job
from gateways.models import Interface
from gateways.queries import named_gateway
from gateways.services.changes import Edited
from gateways.services.interfaces import rotate_key, update_interface
from peers.api.interface_bodies import (
    InterfaceCreate,
    InterfaceEdited,
    InterfacePatch,
    InterfaceSerializer,
    InterfaceWithJob,
    interface_body,
    interface_tag,
)
from peers.api.serializers import Nothing
from peers.sellable import sellable_interfaces, with_room
from peers.services.interfaces import create_interface, delete_interface
from rest.dry_run import DRY_RUN, wants_dry_run
from rest.errors import Missing
from rest.etag import wanted_version
from rest.filters import AllowListedFilters, Choice, Flag, Text, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked
from tenants.scoping import Caller, caller_of


class InterfaceList(ApiView):
    """The interfaces that the tenant may sell on (all, for an operator); and new ones."""

    scopes = {"GET": "interfaces:read", "POST": "interfaces:write"}
    operator_methods = ("POST",)
    filters = {
        "gateway": Text(("gateway__slug",)),
        "country": Text(("gateway__country",)),
        "name": Text(("name",)),
        "state": Choice("state", Interface.State.values),
        "enabled": Flag(Q(enabled=True)),
        "search": Text(("name__icontains", "label__icontains", "gateway__location__icontains")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "id"
    ordering_fields = ("name", "created_at")

    @extend_schema(responses=InterfaceSerializer(many=True))
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        rows = AllowListedFilters().filter_queryset(request, _shown(caller), self)
        paginator = KeysetPagination()
        page: list[Interface] = paginator.paginate_queryset(rows, request, view=self)
        operator, rooms = bool(caller.operator), _rooms(caller)
        return paginator.get_paginated_response(
            [interface_body(one, operator=operator, rooms=rooms) for one in page]
        )

    @extend_schema(request=InterfaceCreate, responses={201: InterfaceWithJob})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(InterfaceCreate(data=request.data))
        caller = caller_of(request)
        interface, job = create_interface(
            actor=caller.actor,
            gateway=named_gateway(wanted.pop("gateway"), field="gateway"),
            at=timezone.now(),
            **wanted,
        )
        location = reverse("interface", kwargs={"interface_id": interface.uuid})
        body = interface_body(interface, operator=True, rooms=_rooms(caller))
        headers = {"Location": location, "ETag": interface_tag(interface, body)}
        return made_with_job(request, body, job, headers=headers)


class InterfaceDetail(ApiView):
    """One interface."""

    scopes = {"GET": "interfaces:read", "PATCH": "interfaces:write", "DELETE": "interfaces:write"}
    operator_methods = ("PATCH", "DELETE")

    @extend_schema(responses=InterfaceSerializer)
    def get(self, request: Request, interface_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        interface = _find(caller, interface_id)
        body = interface_body(interface, operator=bool(caller.operator), rooms=_rooms(caller))
        return Response(body, headers={"ETag": interface_tag(interface, body)})

    @extend_schema(request=InterfacePatch, responses=InterfaceEdited, parameters=[DRY_RUN])
    def patch(self, request: Request, interface_id: UUID) -> Response:
        dry_run = wants_dry_run(request)
        caller = caller_of(request)
        current = _find(caller, interface_id)
        edited = update_interface(
            actor=caller.actor,
            interface_id=interface_id,
            changes=checked(
                InterfacePatch(
                    current, data=request.data, partial=True, context={"rooms": _rooms(caller)}
                )
            ),
            at=timezone.now(),
            if_match=wanted_version(request),
            dry_run=dry_run,
        )
        return _edited(request, edited)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def delete(self, request: Request, interface_id: UUID) -> Response:
        check_query(request, ())
        delete_interface(
            actor=caller_of(request).actor,
            interface_id=interface_id,
            if_match=wanted_version(request),
        )
        return Response(status=204)


class InterfaceRotateKey(ApiView):
    """Another key pair. Every session ends and every file is outdated: look at the dry run."""

    scopes = {"POST": "interfaces:write"}
    operator_only = True

    @extend_schema(request=Nothing, responses=InterfaceEdited, parameters=[DRY_RUN])
    def post(self, request: Request, interface_id: UUID) -> Response:
        dry_run = wants_dry_run(request)
        checked(Nothing(data=request.data))
        edited = rotate_key(
            actor=caller_of(request).actor,
            interface_id=interface_id,
            at=timezone.now(),
            if_match=wanted_version(request),
            dry_run=dry_run,
        )
        return _edited(request, edited)


def _shown(caller: Caller) -> QuerySet[Interface]:
    """All for an operator; what its tenant may sell, and is on, for anybody else."""
    rows = Interface.objects.all()
    if not caller.operator:
        rows = sellable_interfaces(caller.tenant).filter(Q(enabled=True) | Q(simulated=True))
    return rows.select_related("gateway")


def _rooms(caller: Caller) -> set[int]:
    """The interfaces that have an address left."""
    return with_room(None if caller.operator else caller.tenant, at=timezone.now())


def _find(caller: Caller, interface_id: UUID) -> Interface:
    found = _shown(caller).filter(uuid=interface_id).first()
    if found is None:
        raise Missing("There is no such interface.")
    return found


def _edited(request: Request, edited: Edited) -> Response:
    row: Interface = edited.row
    rooms = _rooms(caller_of(request))
    body: dict[str, Any] = interface_body(row, operator=True, rooms=rooms)
    return edited_response(request, edited, body, tag=interface_tag(row, body))
