"""/api/v1/plans: what the tenant sells."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from peers.sold import MAX_DAYS, MAX_GRACE, MAX_KBIT
from quotas.models import Plan
from resellers.api.serializers import number, text
from resellers.plan_values import MAX_DEVICES
from resellers.services.plans import create_plan, delete_plan, find_plan, update_plan
from resellers.values import MAX_BIG
from rest.etag import etag, wanted_version
from rest.fields import PlainText, StrictBoolean, StrictChoice, StrictInteger, StrictSerializer
from rest.filters import AllowListedFilters, Flag, Text, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.scoping import caller_of, visible


class PlanSerializer(StrictSerializer):
    """A plan. A null limit is no limit; bytes and kbit/s are as the client sees them.

    ``total_bytes`` limits both directions together, ``upload_bytes`` and ``download_bytes`` each
    apart. The time begins at ``start``: now, at a date that the sale names, or with the first
    handshake, which must come within ``start_within_days``.
    """

    id = serializers.UUIDField(source="uuid", read_only=True)
    name = PlainText(max_length=120, required=False)
    description = text(500)
    price_label = text(60)
    total_bytes = number(MAX_BIG, 1)
    upload_bytes = number(MAX_BIG, 1)
    download_bytes = number(MAX_BIG, 1)
    duration_days = number(MAX_DAYS, 1)
    start = StrictChoice(choices=Plan.Start.choices, required=False)
    start_within_days = number(MAX_DAYS, 1)
    reset = StrictChoice(choices=Plan.Reset.choices, required=False)
    devices = StrictInteger(min_value=1, max_value=MAX_DEVICES, required=False)
    upload_kbit = number(MAX_KBIT, 1)
    download_kbit = number(MAX_KBIT, 1)
    at_limit = StrictChoice(choices=Plan.AtLimit.choices, required=False)
    throttle_kbit = number(MAX_KBIT, 1)
    grace_seconds = StrictInteger(min_value=0, max_value=MAX_GRACE, required=False)
    delete_after_days = number(MAX_DAYS)
    archived = StrictBoolean(required=False)
    archived_at = serializers.DateTimeField(read_only=True, allow_null=True)
    version = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        instance.archived = instance.archived_at is not None
        return dict(super().to_representation(instance))


class PlanCreate(PlanSerializer):
    """A new plan."""

    name = PlainText(max_length=120)
    archived = None  # type: ignore[assignment]  # a plan is made to be sold

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(PlanSerializer(instance).data)


class PlanList(ApiView):
    """The tenant's plans, newest first, archived ones too; and new ones."""

    scopes = {"GET": "plans:read", "POST": "plans:write"}
    filters = {
        "archived": Flag(Q(archived_at__isnull=False)),
        "name": Text(("name",)),
        "search": Text(("name__icontains", "description__icontains")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("name", "created_at", "updated_at")

    @extend_schema(responses=PlanSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = visible(Plan.objects.all(), caller_of(request))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[Plan] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(PlanSerializer(page, many=True).data)

    @extend_schema(request=PlanCreate, responses={201: PlanSerializer})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        fields = checked(PlanCreate(data=request.data))
        plan = create_plan(caller=caller_of(request), at=timezone.now(), **fields)
        where = reverse("plan", kwargs={"plan_id": plan.uuid})
        return created(PlanSerializer(plan).data, location=where, etag=etag(plan))


class PlanDetail(ApiView):
    """One plan. Deleting one that clients have archives it."""

    scopes = {"GET": "plans:read", "PATCH": "plans:write", "DELETE": "plans:write"}

    @extend_schema(responses=PlanSerializer)
    def get(self, request: Request, plan_id: UUID) -> Response:
        check_query(request, ())
        return _show(find_plan(caller_of(request), plan_id))

    @extend_schema(request=PlanSerializer, responses=PlanSerializer)
    def patch(self, request: Request, plan_id: UUID) -> Response:
        check_query(request, ())
        caller = caller_of(request)
        body = PlanSerializer(find_plan(caller, plan_id), data=request.data, partial=True)
        plan = update_plan(
            caller=caller,
            plan_id=plan_id,
            changes=checked(body),
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        return _show(plan)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted, or archived.")})
    def delete(self, request: Request, plan_id: UUID) -> Response:
        check_query(request, ())
        delete_plan(
            caller=caller_of(request),
            plan_id=plan_id,
            at=timezone.now(),
            if_match=wanted_version(request),
        )
        return Response(status=204)


def _show(plan: Plan) -> Response:
    return Response(PlanSerializer(plan).data, headers={"ETag": etag(plan)})
