"""``python -m bench.judging SIZE``: verdicts on everybody, in a process with the database of
`bench.people`. What is measured is what the schedule calls.

Prints its figures as one line of JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import django
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from bench.figures import Figure
from bench.people import QUOTA
from gateways.hints import publisher
from peers.models import Client, Peer
from peers.services.ends import expire_due
from peers.services.periods import roll_periods
from peers.services.verdicts import sweep_quotas
from quotas.models import Hold, Usage
from vwg.celery import settle_in

ROUNDS = 5
#: Of the clients one in so many moves over its limit.
SHARE = 20
#: The bar, and at which size.
SWEEP_S, LARGE = 2.0, 100_000


def measure(size: int) -> Iterator[Figure]:
    """Every row."""
    begin_kib = _peak_kib()
    yield from _at(size, bar=SWEEP_S if size >= LARGE else None)
    note = f"{(_peak_kib() - begin_kib) / 1024:.0f} MiB of it by the sweeps"
    yield Figure(f"{size:,}: sweep, peak memory", _peak_kib() / 1024, "MiB", note=note)


def _at(size: int, *, bar: float | None) -> Iterator[Figure]:
    moved, spent = size // SHARE, dict[str, list[float]]()
    for _ in range(3 if size >= LARGE else ROUNDS):
        now = timezone.now()
        ago = now - timedelta(days=1)
        rounds: list[tuple[str, Callable[[], None], Callable[[], Any], Any]] = [
            ("floor", _nothing, partial(_floor, f"id % {SHARE} = 0"), None),
            ("all", _nothing, partial(_floor, "TRUE"), None),
            ("still", _nothing, partial(sweep_quotas, at=now), 0),
            ("over", _use_up, partial(sweep_quotas, at=now), moved),
            ("free", _reset, partial(sweep_quotas, at=now), moved),
            ("ended", partial(_end, now), partial(expire_due, at=now, since=ago), moved),
            ("rolled", partial(_end_periods, now), partial(roll_periods, at=now), moved),
        ]
        for name, prepare, act, wanted in rounds:
            prepare()
            begin = time.perf_counter()
            found = act()
            spent.setdefault(name, []).append(time.perf_counter() - begin)
            assert wanted is None or found == wanted, (name, found, wanted)
        _forget_ends()
    yield from _figures(size, spent, bar)


def _figures(size: int, spent: dict[str, list[float]], bar: float | None) -> Iterator[Figure]:
    found = {name: statistics.median(times) for name, times in spent.items()}
    floor = found["floor"]
    yield Figure(f"{size:,}: floor, one UPDATE of 5 % of the devices", floor, "s")
    yield Figure(f"{size:,}: floor, one UPDATE of all devices", found["all"], "s")
    rows = (
        ("still", "sweep of limits, nobody changes"),
        ("over", "sweep of limits, 5 % are stopped"),
        ("free", "sweep of limits, 5 % are let go"),
        ("ended", "ends, 5 % are stopped"),
        ("rolled", "periods, 5 % begin anew"),
    )
    for name, words in rows:
        note = (
            f"{found[name] / floor:.1f} x floor, {found[name] / found['all']:.1f} x one UPDATE of"
            f" all; most {max(spent[name]):.2f} s"
        )
        limit = bar if name in ("still", "over", "free", "ended") else None
        yield Figure(f"{size:,}: {words}", found[name], "s", limit, note)


def _floor(condition: str) -> None:
    """One UPDATE of the devices, undone."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE peers_peer SET generation = generation + 1 WHERE {condition}"  # noqa: S608
            )
        transaction.set_rollback(True)


def _nothing() -> None:
    """Nothing to prepare."""


def _some() -> QuerySet[Usage]:
    """The usage of those that move."""
    return Usage.objects.annotate(place=F("pk") % SHARE).filter(place=0)


def _use_up() -> None:
    _some().update(billed_up=F("base_up") + QUOTA)


def _reset() -> None:
    _some().update(base_up=F("billed_up"))


def _end(now: datetime) -> None:
    clients = Client.objects.annotate(place=F("pk") % SHARE).filter(place=0)
    clients.update(expires_at=now - timedelta(seconds=1))


def _end_periods(now: datetime) -> None:
    _some().update(period_ends_at=now - timedelta(seconds=1))


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _forget_ends() -> None:
    Client.objects.update(expires_at=None)
    Hold.objects.all().delete()
    Peer.objects.filter(blocked=True).update(blocked=False)


if __name__ == "__main__":
    settle_in()  # as a worker does
    publisher.leave = lambda _: None  # type: ignore[assignment, method-assign]  # no broker, and no worker
    print(json.dumps([asdict(one) for one in measure(int(sys.argv[1]))]))
