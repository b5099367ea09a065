"""What may be forgotten, and when. Every statement may run twice, late, or beside itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.db.models import Q, QuerySet

from gateways.models import Job
from peers.models import BulkRun, ShareLink
from peers.services import due
from rest.batches import drop_some
from rest.idempotency import KEPT
from rest.models import IdempotentRequest

KEEP_JOBS: Final = timedelta(days=30)
KEEP_OWN_JOBS: Final = timedelta(days=7)
#: A link that ended is still listed for so long.
KEEP_LINKS: Final = timedelta(days=7)
KEEP_BULK: Final = timedelta(days=30)
#: Rows of one transaction; and between two of them whoever waits for the database gets it.
_BATCH: Final = 500
_PAUSE_S: Final = 0.02


def purge(*, at: datetime, seconds: float) -> dict[str, int]:
    """Deleted clients and devices that nobody can bring back, batch by batch, for so long.

    Returns how many of each were due.
    """
    end = time.monotonic() + seconds
    due.date_purges(at=at)
    return {
        "clients": _repeat(lambda: due.purge_due(at=at), end),
        "devices": _repeat(lambda: due.purge_tombstones(at=at), end),
    }


def prune(*, at: datetime, seconds: float) -> int:
    """Finished jobs and bulk requests, kept answers, links that ended, counts of sign-in tries.

    Returns how many rows went.
    """
    end = time.monotonic() + seconds
    gone = sum(_repeat(partial(drop_some, rows, _BATCH), end) for rows in _old(at))
    return gone + _repeat(lambda: _drop_cached(at), end)


def _repeat(step: Callable[[], int], end: float) -> int:
    """Take a step until it finds nothing or the time is over; the sum of what it found."""
    total = 0
    while found := step():
        total += found
        if time.monotonic() >= end:
            break
        time.sleep(_PAUSE_S)
    return total


def _old(at: datetime) -> list[QuerySet[Any]]:
    links, since = at - KEEP_LINKS, at - KEEP_BULK
    return [
        BulkRun.objects.filter(finished_at__lt=since),
        Job.objects.filter(finished_at__lt=at - KEEP_JOBS),
        Job.objects.filter(kind=Job.Kind.HEAL, finished_at__lt=at - KEEP_OWN_JOBS),
        IdempotentRequest.objects.filter(created_at__lt=at - KEPT),
        ShareLink.objects.filter(
            Q(expires_at__lt=links)
            | Q(revoked_at__lt=links)
            | Q(single_use=True, used_at__lt=links)
        ),
    ]


def _drop_cached(at: datetime) -> int:
    """A batch of the cache's rows that have expired: Django drops one when it is asked for again,
    and the counts of an address that never comes back would stay for good.
    """
    if not isinstance(caches["default"], DatabaseCache):
        return 0
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    now = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE expires < %s AND cache_key IN"  # noqa: S608  its own name
            f" (SELECT cache_key FROM {table} WHERE expires < %s ORDER BY expires LIMIT {_BATCH})",
            [now, now],
        )
        return int(cursor.rowcount)
