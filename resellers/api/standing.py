"""/api/v1/tenants/{id}/suspend, /resume, /close, /erase: whether a tenant may work, and whether it
is at all. The operator's acts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.events import Actor
from gateways.api.serializers import JobRef, job_ref
from gateways.models import Job
from resellers.queries import NO_TENANT
from resellers.services.erasure import erase_tenant
from resellers.services.suspension import close_tenant, resume_tenant, suspend_tenant
from rest.errors import Missing
from rest.etag import etag, wanted_version
from rest.fields import PlainText, StrictSerializer
from rest.filters import check_query
from rest.prefer import respond
from rest.versions import check_version
from rest.views import ApiView, checked
from tenants.models import Tenant
from tenants.scoping import caller_of


class Why(StrictSerializer):
    """What the tenant's page and each hold will say."""

    reason = PlainText(max_length=255, allow_blank=True, required=False, default="")


class Sure(StrictSerializer):
    """That this tenant is meant and no other."""

    slug = PlainText(max_length=48)


class StandingSerializer(serializers.Serializer[Any]):
    """A tenant's status, and the job that brings its clients to it."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    status = serializers.ChoiceField(choices=Tenant.Status.choices)
    status_reason = serializers.CharField()
    status_since = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    job = JobRef()


class Act(Protocol):
    """One of the three services."""

    def __call__(self, *, tenant: Tenant, reason: str, actor: Actor, at: datetime) -> Job: ...


class TenantSuspend(ApiView):
    """Let nobody of the tenant in, and no packet of its clients through."""

    scopes = {"POST": "tenants:write"}
    operator_only = True

    @extend_schema(request=Why, responses={202: StandingSerializer})
    def post(self, request: Request, tenant_id: UUID) -> Response:
        return _turn(request, tenant_id, suspend_tenant)


class TenantResume(ApiView):
    """Let the tenant in again, and those of its clients that nothing else stands against."""

    scopes = {"POST": "tenants:write"}
    operator_only = True

    @extend_schema(request=Why, responses={202: StandingSerializer})
    def post(self, request: Request, tenant_id: UUID) -> Response:
        return _turn(request, tenant_id, resume_tenant)


class TenantClose(ApiView):
    """As a suspension, when the business has ended; what is closed may be erased."""

    scopes = {"POST": "tenants:write"}
    operator_only = True

    @extend_schema(request=Why, responses={202: StandingSerializer})
    def post(self, request: Request, tenant_id: UUID) -> Response:
        return _turn(request, tenant_id, close_tenant)


class TenantErase(ApiView):
    """Destroy what a closed tenant and its sandbox stored of people. There is no way back.

    Clients, devices, keys, plans, tokens and members go; the events stay, without names and values.
    """

    scopes = {"POST": "tenants:write"}
    operator_only = True

    @extend_schema(request=Sure, responses={202: StandingSerializer})
    def post(self, request: Request, tenant_id: UUID) -> Response:
        check_query(request, ())
        slug = checked(Sure(data=request.data))["slug"]
        tenant = _found(request, tenant_id)
        job = erase_tenant(
            tenant=tenant, slug=slug, actor=caller_of(request).actor, at=timezone.now()
        )
        return _answer(request, tenant, job)


def _turn(request: Request, tenant_id: UUID, act: Act) -> Response:
    check_query(request, ())
    reason = checked(Why(data=request.data))["reason"]
    tenant = _found(request, tenant_id)
    job = act(tenant=tenant, reason=reason, actor=caller_of(request).actor, at=timezone.now())
    return _answer(request, tenant, job)


def _found(request: Request, tenant_id: UUID) -> Tenant:
    """The tenant, its row held. Raises `Missing` and, by ``If-Match``, `StaleVersion`."""
    tenant = Tenant.objects.select_for_update(no_key=True).filter(uuid=tenant_id).first()
    if tenant is None:
        raise Missing(NO_TENANT)
    check_version(tenant, wanted_version(request))
    return tenant


def _answer(request: Request, tenant: Tenant, job: Job) -> Response:
    return respond(job, request, _body(tenant, job), headers={"ETag": etag(tenant)})


def _body(tenant: Tenant, job: Job) -> dict[str, Any]:
    since = tenant.status_since
    return {
        "id": str(tenant.uuid),
        "slug": tenant.slug,
        "status": tenant.status,
        "status_reason": tenant.status_reason,
        "status_since": since and since.isoformat().replace("+00:00", "Z"),
        "version": tenant.version,
        "job": job_ref(job),
    }
