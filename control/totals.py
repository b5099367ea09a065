"""What clients and tenants have used: sums that move in the transaction that moves the meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection

from control.many import Update, among
from quotas.metering import Step
from quotas.models import TenantUsage, Usage

_ADDED: Final = ", ".join(
    f"{name} = {name} + {{{name}}}" for name in ("raw_up", "raw_down", "billed_up", "billed_down")
)
_BYTES: Final = {
    "raw_up": "bigint", "raw_down": "bigint", "billed_up": "bigint", "billed_down": "bigint",
}  # fmt: skip
_CLIENTS: Final = Update(
    "quotas_usage", _ADDED, "client_id = {client}", {"client": "bigint", **_BYTES}
)
_TENANTS: Final = Update(
    "quotas_tenantusage", _ADDED, "tenant_id = {tenant}", {"tenant": "bigint", **_BYTES}
)


def add_to_clients(
    cursor: Any, steps: Mapping[int, Iterable[Step]], tenant_of: Mapping[int, int]
) -> None:
    """Add these steps to the clients' totals; a client's row is made with its first byte."""
    missing = set(steps) - _held(cursor, "quotas_usage", "client_id", steps)
    Usage.objects.bulk_create(
        (Usage(client_id=pk, tenant_id=tenant_of[pk]) for pk in sorted(missing)),
        batch_size=500,
        ignore_conflicts=True,
    )
    _CLIENTS.run(cursor, [(pk, *_sums(steps[pk])) for pk in sorted(steps)])


def add_to_tenants(cursor: Any, steps: Mapping[int, Iterable[Step]]) -> None:
    """Add these steps to the tenants' totals, which every gateway writes: last of all."""
    missing = set(steps) - _held(cursor, "quotas_tenantusage", "tenant_id", steps)
    TenantUsage.objects.bulk_create(
        (TenantUsage(tenant_id=pk) for pk in sorted(missing)), ignore_conflicts=True
    )
    _TENANTS.run(cursor, [(pk, *_sums(steps[pk])) for pk in sorted(steps)])


def _held(cursor: Any, table: str, column: str, ids: Iterable[int]) -> set[int]:
    """Those of the rows that there are, locked in their order (SQLite knows one writer only)."""
    condition, values = among(column, sorted(ids), "bigint")
    lock = " FOR NO KEY UPDATE" if connection.features.has_select_for_update else ""
    cursor.execute(
        f"SELECT {column} FROM {table} WHERE {condition} ORDER BY {column}{lock}",  # noqa: S608
        values,
    )
    return {row[0] for row in cursor.fetchall()}


def _sums(steps: Iterable[Step]) -> tuple[int, int, int, int]:
    every = [(one.up, one.down, one.billed_up, one.billed_down) for one in steps]
    up, down, billed_up, billed_down = (sum(column) for column in zip(*every, strict=True))
    return up, down, billed_up, billed_down
