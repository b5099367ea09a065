"""Verdicts on what was used: who is stopped or slowed down at his limit, and who no longer.

Taken of those that moved in the transaction of their bytes, and of everybody now and then: for
what no movement leads to (a limit that an operator's hand lowered, a backup). Both ask one query
who does not stand as the verdict says, and ask again with those clients locked. A hold names the
period that was judged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from peers.services.mass import BATCH, Row, hold_many, lock_clients, note, release_many, tenants_of
from quotas.models import Usage
from quotas.policies import QUOTA
from quotas.services import lock_periods, lock_usages
from quotas.verdicts import OVER, THROTTLE, conditions

#: What a client needs that does not stand as the verdict on its bytes says.
STOP, FREE, SLOW, QUICK = "stop", "free", "slow", "quick"
_HELD: Final = (
    "EXISTS (SELECT 1 FROM quotas_hold h WHERE h.client_id = c.id AND h.reason = 'quota'"
    " AND h.closed_at IS NULL)"
)


def judge(*, client_ids: Collection[int], at: datetime) -> int:
    """Judge these clients in the caller's transaction, after their usage was written; how many
    of them changed.

    He need not hold their rows; where somebody else does, the next movement is judged again.
    """
    suspects = _suspects(list(client_ids))
    return _settle(list(suspects), at) if suspects else 0


def sweep_quotas(*, at: datetime) -> int:
    """Judge everybody by what was used; how many changed."""
    suspects = sorted(_suspects(None))
    changed = 0
    for begin in range(0, len(suspects), BATCH):
        with transaction.atomic():
            changed += _settle(suspects[begin : begin + BATCH], at)
    return changed


def _settle(ids: Sequence[int], at: datetime) -> int:
    rows = {row.id: row for row in lock_clients(ids)}
    judged = lock_periods(list(rows))
    needs = _suspects(list(rows))  # as they are now that nobody can change them
    if stop := _needing(STOP, rows, needs):
        periods = {row.id: judged.get(row.id, 1) for row in stop}
        hold_many(stop, reason=QUOTA, action="client.quota_reached", at=at, periods=periods)
    if slow := _needing(SLOW, rows, needs):
        _set_pace(slow, at, action="client.throttled", at=at)
    if quick := _needing(QUICK, rows, needs):
        _set_pace(quick, None, action="client.unthrottled", at=at)
    if free := _needing(FREE, rows, needs):
        release_many(free, reason=QUOTA, action="client.quota_restored", at=at)
    return len(needs)


def _needing(need: str, rows: dict[int, Row], needs: dict[int, set[str]]) -> list[Row]:
    return [row for pk, row in rows.items() if need in needs.get(pk, ())]


def _set_pace(rows: Sequence[Row], since: datetime | None, *, action: str, at: datetime) -> None:
    """Slow them down, or no more; who shapes their devices sees it in their usage."""
    ids = [row.id for row in rows]
    lock_usages(tenants_of({row.id: row for row in rows}))  # makes what is missing
    Usage.objects.filter(client__in=ids).update(throttled_since=since)
    note(rows, action=action, at=at)


def _suspects(ids: Collection[int] | None) -> dict[int, set[str]]:
    """What each of these clients (of all, for None) needs that does not stand as it should."""
    found = conditions(connection.vendor)
    over, slow = f"COALESCE({found[QUOTA]}, FALSE)", f"COALESCE({found[THROTTLE]}, FALSE)"
    needs = {
        STOP: f"({over} AND NOT {_HELD})",
        FREE: f"(NOT {over} AND {_HELD})",
        SLOW: f"({slow} AND u.throttled_since IS NULL)",
        QUICK: f"(NOT {slow} AND u.throttled_since IS NOT NULL)",
    }
    # What most are not, first: neither at a limit, nor held for one, nor slowed down.
    gate = f"({OVER} OR u.throttled_since IS NOT NULL OR {_HELD})"
    named, joined, values = _among(ids)
    sql = (
        f"SELECT c.id, {', '.join(needs.values())} FROM peers_client c"  # noqa: S608  own texts
        f" LEFT JOIN quotas_usage u ON {' AND '.join(['u.client_id = c.id', *joined])}"
        f" WHERE {' AND '.join(['c.deleted_at IS NULL', *named, gate])}"
        f" AND ({' OR '.join(needs.values())})"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {
            pk: {need for need, is_so in zip(needs, told, strict=True) if is_so}
            for pk, *told in cursor.fetchall()
        }


def _among(ids: Collection[int] | None) -> tuple[list[str], list[str], list[Any]]:
    """Conditions that name these clients: on their rows, and again on their usage.

    PostgreSQL does not see that the one follows from the other, and walked through everybody's
    usage. An array there: to parse 1,000 marks takes the driver longer than the query.
    """
    if ids is None:
        return [], [], []
    if connection.vendor == "postgresql":
        return ["c.id = ANY(%s)"], ["u.client_id = ANY(%s)"], [list(ids)] * 2
    return [f"c.id IN ({', '.join(['%s'] * len(ids)) or 'NULL'})"], [], list(ids)
