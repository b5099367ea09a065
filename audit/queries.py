"""Reading events."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from audit.models import AuditEvent


def horizon() -> int | None:
    """The number up to which every event is committed; None where commits come in order (SQLite).

    Call it before the statement that reads the events, outside of REPEATABLE READ.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_horizon()")
        return int(cursor.fetchone()[0])


def events(tenant_id: int | None) -> QuerySet[AuditEvent]:
    """The events of one tenant, or of all and of none for None; with their tenants' ids."""
    rows = AuditEvent.objects.select_related("tenant").only(
        *(field.name for field in AuditEvent._meta.concrete_fields), "tenant__uuid"
    )
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)
