"""Whose time has come: asked of everybody at once, and not believed when a clock has jumped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from peers.models import Client

#: So many clients may be late, or this share of all, before a clock is doubted.
FEW: Final = 20
SHARE: Final = 0.05
#: Does it to these clients, of whom the condition was true at the moment; how many it was done to.
Act = Callable[[Sequence[int], str, datetime], int]


class ClockDoubted(Exception):
    """More clients would be late than a clock that goes as it should ever leaves behind."""


def all_due(condition: str, act: Act, *, size: int, at: datetime, since: datetime | None) -> int:
    """Act on everybody of whom the condition is true, so many at a time; on how many it was done.

    ``since`` is when that was last done. Whoever came due after it is acted on, however many they
    are: a reseller may sell a thousand with one end. When too many were due before it already, a
    clock has jumped or a backup came back: those are left alone, and `ClockDoubted` is raised at
    the end. None asks no such question.
    """
    due = due_ids(condition, at)
    late = set(due_ids(condition, since)) if due and since is not None else set[int]()
    doubted = len(late) > FEW and len(late) > SHARE * _living()
    ready = [pk for pk in due if not (doubted and pk in late)]
    done = sum(
        act(ready[begin : begin + size], condition, at) for begin in range(0, len(ready), size)
    )
    if doubted:
        raise ClockDoubted(
            f"The time of {len(late)} clients had come before {since:%Y-%m-%d %H:%M:%S} and nobody"
            " saw it: has a clock jumped? They are left alone until an operator decides"
            " (manage.py end_clients)."
        )
    return done


def due_ids(condition: str, at: datetime, among: Sequence[int] | None = None) -> list[int]:
    """The living clients (of ``among``) of whom the condition is true, in the order of their rows.

    It speaks of a client's row ``c``, its usage ``u`` and ``%(at)s``.
    """
    only = "" if among is None else f" AND c.id IN ({', '.join(map(str, among)) or 'NULL'})"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM peers_client c"  # noqa: S608  own texts and numbers
            " LEFT JOIN quotas_usage u ON u.client_id = c.id"
            f" WHERE c.deleted_at IS NULL AND {condition}{only}",
            {"at": connection.ops.adapt_datetimefield_value(at)},
        )
        # Sorted here: to have them in order, SQLite would walk through everybody.
        return sorted(pk for (pk,) in cursor.fetchall())


def _living() -> int:
    return Client.objects.filter(deleted_at__isnull=True).count()
