"""``python -m bench.judging SIZE…``: what `bench.verdicts` measures, in a process with a database.

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

from bench.crowd import make_key
from bench.figures import Figure
from gateways.hints import publisher
from gateways.models import Gateway, Interface
from peers.models import Client, Peer
from peers.services.ends import expire_due
from peers.services.periods import roll_periods
from peers.services.verdicts import sweep_quotas
from quotas.models import Hold, Usage
from tenants.models import Tenant

TENANTS, ROUNDS = 50, 5
#: Of the clients one in so many moves over its limit.
SHARE = 20
#: The bar, at the largest size.
SWEEP_S = 2.0
GB = 10**9


def measure(sizes: list[int]) -> Iterator[Figure]:
    """Every row, size after size; the clients of one size are among those of the next."""
    made = 0
    for size in sizes:
        _fill(made, size)
        made = size
        yield from _at(size, bar=SWEEP_S if size == sizes[-1] else None)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Figure(f"{size:,}: peak memory so far", peak, "MiB")


def _at(size: int, *, bar: float | None) -> Iterator[Figure]:
    moved, spent = size // SHARE, dict[str, list[float]]()
    for _ in range(ROUNDS):
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
    floor, moved = found["floor"], f"{size // SHARE:,}"
    yield Figure(f"{size:,}: floor, one UPDATE of {moved} devices", floor, "s")
    yield Figure(f"{size:,}: one UPDATE of all devices", found["all"], "s")
    rows = (
        ("still", "sweep of limits, nobody changes"),
        ("over", f"sweep of limits, {moved} are stopped"),
        ("free", f"sweep of limits, {moved} are let go"),
        ("ended", f"ends, {moved} are stopped"),
        ("rolled", f"periods, {moved} begin anew"),
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
    _some().update(billed_up=F("base_up") + GB)


def _reset() -> None:
    _some().update(base_up=F("billed_up"))


def _end(now: datetime) -> None:
    clients = Client.objects.annotate(place=F("pk") % SHARE).filter(place=0)
    clients.update(expires_at=now - timedelta(seconds=1))


def _end_periods(now: datetime) -> None:
    _some().update(period_ends_at=now - timedelta(seconds=1))


def _forget_ends() -> None:
    Client.objects.update(expires_at=None)
    Hold.objects.all().delete()
    Peer.objects.filter(blocked=True).update(blocked=False)


def _fill(made: int, size: int) -> None:
    """Clients with a device and a usage each, past the services."""
    gateway, _ = Gateway.objects.get_or_create(slug="elsewhere")
    interface, _ = Interface.objects.get_or_create(
        gateway=gateway, name="wg0", defaults={"public_key": make_key(), "listen_port": 51820}
    )
    tenants = [Tenant.objects.get_or_create(slug=f"crowd-{n}")[0] for n in range(TENANTS)]
    now = timezone.now()
    numbers = range(made + 1, size + 1)
    for part in (numbers[begin : begin + 5_000] for begin in range(0, len(numbers), 5_000)):
        owner = {n: tenants[n % TENANTS].pk for n in part}
        Client.objects.bulk_create(
            Client(
                pk=n, tenant_id=owner[n], name=f"c{n}", quota_bytes=GB, reset="month",
                starts_at=now - timedelta(days=1),
            )
            for n in part
        )  # fmt: skip
        Peer.objects.bulk_create(
            Peer(tenant_id=owner[n], client_id=n, interface=interface, public_key=make_key())
            for n in part
        )
        Usage.objects.bulk_create(
            Usage(
                client_id=n, tenant_id=owner[n], billed_up=n * 7 % GB,
                period_ends_at=now + timedelta(days=9),
            )
            for n in part
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    publisher.leave = lambda _: None  # type: ignore[assignment, method-assign]  # no broker, and no worker
    print(json.dumps([asdict(one) for one in measure([int(word) for word in sys.argv[1:]])]))
