"""/api/v1/gateways and /api/v1/settings: the operator's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.infrastructure import (
    GatewayCreate,
    GatewayEdited,
    GatewayPatch,
    GatewaySerializer,
    SettingsEdited,
    SettingsPatch,
    SettingsSerializer,
    gateway_body,
    gateway_tag,
    preview_body,
    settings_body,
)
from gateways.api.serializers import job_ref
from gateways.models import Gateway, GlobalSetting, Job
from gateways.queries import find_gateway, global_settings, queue_seen
from gateways.services.changes import Edited
from gateways.services.gateways import create_gateway, delete_gateway, update_gateway
from gateways.services.settings import update_settings
from rest.dry_run import DRY_RUN, wants_dry_run
from rest.etag import etag, wanted_version
from rest.filters import AllowListedFilters, Flag, Text, check_query
from rest.pagination import KeysetPagination
from rest.prefer import respond
from rest.views import ApiView, checked, created
from tenants.scoping import caller_of


class GatewayList(ApiView):
    """The gateways; and new ones."""

    scopes = {"GET": "interfaces:read", "POST": "interfaces:write"}
    operator_only = True
    filters = {
        "slug": Text(("slug",)),
        "country": Text(("country",)),
        "search": Text(("slug__icontains", "name__icontains", "location__icontains")),
        "alarmed": Flag(~Q(alarm="")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "slug"
    ordering_fields = ("slug", "name", "created_at")

    @extend_schema(responses=GatewaySerializer(many=True))
    def get(self, request: Request) -> Response:
        rows: QuerySet[Gateway] = Gateway.objects.prefetch_related("interfaces")
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Gateway] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(_bodies(page))

    @extend_schema(request=GatewayCreate, responses={201: GatewaySerializer})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        made = create_gateway(
            actor=caller_of(request).actor, **checked(GatewayCreate(data=request.data))
        )
        location = reverse("gateway", kwargs={"gateway_id": made.uuid})
        body = _bodies([made])[0]
        return created(body, location=location, etag=gateway_tag(made, body))


class GatewayDetail(ApiView):
    """One gateway."""

    scopes = {"GET": "interfaces:read", "PATCH": "interfaces:write", "DELETE": "interfaces:write"}
    operator_only = True

    @extend_schema(responses=GatewaySerializer)
    def get(self, request: Request, gateway_id: UUID) -> Response:
        check_query(request, ())
        gateway = find_gateway(gateway_id)
        body = _bodies([gateway])[0]
        return Response(body, headers={"ETag": gateway_tag(gateway, body)})

    @extend_schema(request=GatewayPatch, responses=GatewayEdited, parameters=[DRY_RUN])
    def patch(self, request: Request, gateway_id: UUID) -> Response:
        dry_run = wants_dry_run(request)
        current = _bodies([find_gateway(gateway_id)])[0]
        edited = update_gateway(
            actor=caller_of(request).actor,
            gateway_id=gateway_id,
            changes=checked(GatewayPatch(current, data=request.data, partial=True)),
            if_match=wanted_version(request),
            dry_run=dry_run,
        )
        body = _bodies([edited.row])[0]
        return Response(
            {**body, "preview": preview_body(edited.preview)},
            headers={"ETag": gateway_tag(edited.row, body)},
        )

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def delete(self, request: Request, gateway_id: UUID) -> Response:
        check_query(request, ())
        delete_gateway(
            actor=caller_of(request).actor,
            gateway_id=gateway_id,
            if_match=wanted_version(request),
        )
        return Response(status=204)


class Settings(ApiView):
    """The defaults that interfaces and devices inherit."""

    scopes = {"GET": "settings:read", "PATCH": "settings:write"}
    operator_only = True

    @extend_schema(responses=SettingsSerializer)
    def get(self, request: Request) -> Response:
        check_query(request, ())
        row = global_settings()
        return Response(settings_body(row), headers={"ETag": etag(row)})

    @extend_schema(request=SettingsPatch, responses=SettingsEdited, parameters=[DRY_RUN])
    def patch(self, request: Request) -> Response:
        dry_run = wants_dry_run(request)
        edited = update_settings(
            actor=caller_of(request).actor,
            changes=checked(SettingsPatch(global_settings(), data=request.data, partial=True)),
            at=timezone.now(),
            if_match=wanted_version(request),
            dry_run=dry_run,
        )
        row: GlobalSetting = edited.row
        return edited_response(request, edited, settings_body(row), tag=etag(row))


def edited_response(
    request: Request, edited: Edited, body: dict[str, Any], *, tag: str
) -> Response:
    """The answer to an edit: the row, what the edit does, and its job if it made one."""
    headers = {"ETag": tag}
    answer = {**body, "preview": preview_body(edited.preview), "job": None}
    if edited.job is None:
        return Response(answer, headers=headers)

    def told(job: Job) -> dict[str, Any]:
        return {**answer, "job": job_ref(job)}

    return respond(
        edited.job, request, told(edited.job), status=200, finished=told, headers=headers
    )


def made_with_job(
    request: Request, body: dict[str, Any], job: Job | None, *, headers: dict[str, str]
) -> Response:
    """201 for what was made, with the job that brings it about, if there is one."""
    if job is None:
        return Response({**body, "job": None}, status=201, headers=headers)

    def told(fresh: Job) -> dict[str, Any]:
        return {**body, "job": job_ref(fresh)}

    return respond(job, request, told(job), status=201, finished=told, headers=headers)


def _bodies(gateways: list[Gateway]) -> list[dict[str, Any]]:
    seen, at = queue_seen(gateways), timezone.now()
    return [gateway_body(one, seen=seen.get(one.queue), at=at) for one in gateways]
