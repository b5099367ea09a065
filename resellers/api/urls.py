"""/api/v1/: tenants, members, tokens, plans, events, me."""

from django.urls import URLPattern, URLResolver, path

from resellers.api.standing import TenantClose, TenantResume, TenantSuspend

urlpatterns: list[URLPattern | URLResolver] = [
    path("tenants/<uuid:tenant_id>/suspend", TenantSuspend.as_view(), name="tenant-suspend"),
    path("tenants/<uuid:tenant_id>/resume", TenantResume.as_view(), name="tenant-resume"),
    path("tenants/<uuid:tenant_id>/close", TenantClose.as_view(), name="tenant-close"),
]
