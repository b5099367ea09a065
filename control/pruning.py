"""What may be forgotten, and when. Every statement may run twice, late, or beside itself."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
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


def purge(*, at: datetime, seconds: float) -> None:
    """Deleted clients and devices that nobody can bring back, batch by batch, for so long."""
    end = time.monotonic() + seconds
    due.date_purges(at=at)
    for one in (due.purge_due, due.purge_tombstones):
        while one(at=at) and time.monotonic() < end:
            time.sleep(_PAUSE_S)


def prune(*, at: datetime, seconds: float) -> None:
    """Finished jobs and bulk requests, kept answers, links that ended, counts of sign-in tries."""
    end = time.monotonic() + seconds
    for rows in _old(at):
        while drop_some(rows, _BATCH) and time.monotonic() < end:
            time.sleep(_PAUSE_S)
    while _drop_cached(at) and time.monotonic() < end:
        time.sleep(_PAUSE_S)


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
