"""Finding tenants and tokens."""

from __future__ import annotations

from tenants.models import ApiToken, Tenant


def find_tenant(text: str) -> Tenant | None:
    """The tenant of this slug, or else the one and only tenant of this name."""
    by_slug = Tenant.objects.filter(slug=text).first()
    if by_slug is not None:
        return by_slug
    named = list(Tenant.objects.filter(name=text)[:2])
    return named[0] if len(named) == 1 else None


def live_token(tenant: Tenant, name: str) -> ApiToken | None:
    """The tenant's token of this name that is not revoked."""
    return ApiToken.objects.filter(tenant=tenant, name=name, revoked_at__isnull=True).first()
