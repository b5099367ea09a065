"""/api/v1/tenants for operators, and /api/v1/tenant: the acting tenant's own view of itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from resellers.api.serializers import OwnTenant, TenantCreate, TenantPatch
from resellers.queries import find_tenant, tenant_in_full, tenants
from resellers.services.members import Person
from resellers.services.tenants import create_tenant, update_tenant
from rest.etag import etag, wanted_version
from rest.filters import AllowListedFilters, Choice, Flag, Text, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked, created
from tenants.models import Tenant
from tenants.scoping import caller_of


class TenantList(ApiView):
    """All tenants, newest first; and new ones. For operators."""

    scopes = {"GET": "tenants:read", "POST": "tenants:write"}
    operator_only = True
    filters = {
        "status": Choice("status", Tenant.Status.values),
        "sandbox": Flag(Q(sandbox_of__isnull=False)),
        "search": Text(("slug__icontains", "name__icontains", "contact_email__icontains")),
    }
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering_fields = ("slug", "name", "created_at", "updated_at")

    @extend_schema(operation_id="tenants_list", responses=OwnTenant(many=True))
    def get(self, request: Request) -> Response:
        rows = AllowListedFilters().filter_queryset(request, tenants(), self)
        paginator = KeysetPagination()
        page: list[Tenant] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(OwnTenant(page, many=True).data)

    @extend_schema(operation_id="tenants_create", request=TenantCreate, responses={201: OwnTenant})
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(TenantCreate(data=request.data))
        owner = wanted.pop("owner", None)
        made = create_tenant(
            actor=caller_of(request).actor, owner=Person(**owner) if owner else None, **wanted
        )
        body = _body(find_tenant(made.uuid))
        where = reverse("one-tenant", kwargs={"tenant_id": made.uuid})
        return created(body, location=where, etag=etag(made, body))


class TenantDetail(ApiView):
    """One tenant. For operators."""

    scopes = {"GET": "tenants:read", "PATCH": "tenants:write"}
    operator_only = True

    @extend_schema(operation_id="tenants_retrieve", responses=OwnTenant)
    def get(self, request: Request, tenant_id: UUID) -> Response:
        check_query(request, ())
        return _show(find_tenant(tenant_id))

    @extend_schema(operation_id="tenants_update", request=TenantPatch, responses=OwnTenant)
    def patch(self, request: Request, tenant_id: UUID) -> Response:
        check_query(request, ())
        body = TenantPatch(find_tenant(tenant_id), data=request.data, partial=True)
        return _change(request, tenant_id, checked(body))


class ActingTenant(ApiView):
    """The tenant that the caller acts for. Its limits and its status are the operators'."""

    scopes = {"GET": "tenants:read", "PATCH": "tenants:write"}

    @extend_schema(operation_id="tenant_retrieve", responses=OwnTenant)
    def get(self, request: Request) -> Response:
        check_query(request, ())
        return _show(tenant_in_full(caller_of(request).tenant))

    @extend_schema(operation_id="tenant_update", request=OwnTenant, responses=OwnTenant)
    def patch(self, request: Request) -> Response:
        check_query(request, ())
        tenant = tenant_in_full(caller_of(request).tenant)
        body = OwnTenant(tenant, data=request.data, partial=True)
        return _change(request, tenant.uuid, checked(body))


def _change(request: Request, tenant_id: UUID, changes: dict[str, Any]) -> Response:
    update_tenant(
        actor=caller_of(request).actor,
        tenant_id=tenant_id,
        changes=changes,
        at=timezone.now(),
        if_match=wanted_version(request),
    )
    return _show(find_tenant(tenant_id))


def _show(tenant: Tenant) -> Response:
    body = _body(tenant)
    return Response(body, headers={"ETag": etag(tenant, body)})


def _body(tenant: Tenant) -> Any:
    return OwnTenant(tenant).data
