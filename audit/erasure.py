"""Blanking what a tenant's events say of people, once its erasure is allowed (`audit.events`).

The events stay: what was done when, in which order, and how it ended. The database refuses every
change of an event; so each is taken out and put back under its number, without what was in it.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q

from audit.models import AuditEvent

ERASED: Final = "erased"
_SYSTEM: Final = AuditEvent.Actor.SYSTEM
_BY_PEOPLE: Final = Q(by_operator=False) & ~Q(actor_kind=_SYSTEM)
#: Of a visit of a share page too, which is the system's act at a customer's wish.
_FROM_PEOPLE: Final = Q(by_operator=False, address__isnull=False)
_COLUMNS: Final = (
    "id", "uuid", "tenant_id", "actor_kind", "actor_id", "actor_name", "action", "target_type",
    "target_id", "target_name", "before", "after", "address", "by_operator", "result",
    "created_at",
)  # fmt: skip


@transaction.atomic
def blank_events(tenant_id: int, *, above: int, limit: int) -> int:
    """Blank the tenant's next events; the number above which to go on, 0 after the last."""
    told = ~Q(target_name=ERASED) | Q(_BY_PEOPLE, ~Q(actor_name=ERASED)) | _FROM_PEOPLE
    rows = AuditEvent.objects.filter(told, tenant_id=tenant_id, pk__gt=above)
    found = list(rows.order_by("pk")[:limit])
    if not found:
        return 0
    AuditEvent.objects.filter(pk__in=[row.pk for row in found]).delete()
    marks = ", ".join(["%s"] * len(_COLUMNS))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO audit_auditevent ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608
            [_values(_blank(row)) for row in found],
        )
    return int(found[-1].pk)


def _blank(row: AuditEvent) -> AuditEvent:
    """The event without names, addresses and values; an operator's name is the house's own."""
    row.target_name = ERASED
    row.before, row.after = blank(row.before), blank(row.after)
    if not row.by_operator:
        row.address = None
        if row.actor_kind != _SYSTEM:
            row.actor_name = ERASED
    return row


def blank(value: Any) -> Any:
    """The same shape with nothing that was typed in: which fields a change touched stays."""
    if isinstance(value, dict):
        return {name: blank(inner) for name, inner in value.items()}
    return value if isinstance(value, bool) else None


def _values(row: AuditEvent) -> list[Any]:
    fields = {field.column: field for field in row._meta.concrete_fields}
    return [
        fields[name].get_db_prep_save(getattr(row, fields[name].attname), connection)
        for name in _COLUMNS
    ]
