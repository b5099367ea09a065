"""Finding tenants and tokens."""

from __future__ import annotations

from django.db import connection

from tenants.models import ApiToken, Tenant
from tenants.prepared import cursor_that_prepares


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


def stands(tenant_id: int) -> tuple[str, str]:
    """The tenant's status and its reason, as they are now and stay until the transaction ends.

    Whoever makes a client holds this against a suspension at the same time: one of them waits
    for the other, and the clients of a suspended tenant are all found. Plain SQL: every POST asks.
    """
    share = " FOR SHARE" if connection.features.has_select_for_update else ""
    with cursor_that_prepares() as cursor:
        cursor.execute(
            f"SELECT status, status_reason FROM tenants_tenant WHERE id = %s{share}",  # noqa: S608
            [tenant_id],
        )
        status, reason = cursor.fetchone()
    return str(status), str(reason)
