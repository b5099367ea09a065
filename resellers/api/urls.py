"""/api/v1/: tenants, members, tokens, plans, events, me."""

from django.urls import URLPattern, URLResolver, path

from resellers.api.branding import TenantLogo
from resellers.api.events import EventList
from resellers.api.exports import OwnExport, TenantExport
from resellers.api.me import Me
from resellers.api.members import MemberDetail, MemberList
from resellers.api.plans import PlanDetail, PlanList
from resellers.api.standing import TenantClose, TenantErase, TenantResume, TenantSuspend
from resellers.api.tenants import ActingTenant, TenantDetail, TenantList
from resellers.api.tokens import TokenDetail, TokenList
from resellers.api.usage import (
    Statements,
    TenantsStatements,
    TenantsUsage,
    TenantsUsageSeries,
    Usage,
    UsageInterfaces,
    UsageSeries,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("me", Me.as_view(), name="me"),
    path("tenants", TenantList.as_view(), name="tenants"),
    path("tenants/<uuid:tenant_id>", TenantDetail.as_view(), name="one-tenant"),
    path("tenants/<uuid:tenant_id>/suspend", TenantSuspend.as_view(), name="tenant-suspend"),
    path("tenants/<uuid:tenant_id>/resume", TenantResume.as_view(), name="tenant-resume"),
    path("tenants/<uuid:tenant_id>/close", TenantClose.as_view(), name="tenant-close"),
    path("tenants/<uuid:tenant_id>/erase", TenantErase.as_view(), name="tenant-erase"),
    path("tenants/<uuid:tenant_id>/export", TenantExport.as_view(), name="one-tenant-export"),
    path("tenants/usage", TenantsUsage.as_view(), name="tenants-usage"),
    path("tenants/usage/series", TenantsUsageSeries.as_view(), name="tenants-usage-series"),
    path("tenants/statements", TenantsStatements.as_view(), name="tenants-statements"),
    path("usage", Usage.as_view(), name="usage"),
    path("usage/series", UsageSeries.as_view(), name="usage-series"),
    path("usage/interfaces", UsageInterfaces.as_view(), name="usage-interfaces"),
    path("statements", Statements.as_view(), name="statements"),
    path("tenant/export", OwnExport.as_view(), name="tenant-export"),
    path("tenant", ActingTenant.as_view(), name="acting-tenant"),
    path("tenant/logo", TenantLogo.as_view(), name="tenant-logo"),
    path("events", EventList.as_view(), name="events"),
    path("members", MemberList.as_view(), name="members"),
    path("members/<uuid:user_id>", MemberDetail.as_view(), name="member"),
    path("plans", PlanList.as_view(), name="plans"),
    path("plans/<uuid:plan_id>", PlanDetail.as_view(), name="plan"),
    path("tokens", TokenList.as_view(), name="tokens"),
    path("tokens/<uuid:token_id>", TokenDetail.as_view(), name="token"),
]
