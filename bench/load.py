"""``python -m bench load``: many tenants with many clients, and shops that ask and order."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import many, memory, rows
from bench.caller import Series, Wire, during
from bench.figures import Figure, quantile
from tests.stack.databases import ROOT
from tests.stack.processes import Stack

TENANTS = 50
CONNECTIONS = 4
#: Bars of the load, on two cores that the callers share.
GET_RATE, POST_RATE = 150, 40
PAGE_MS, SEARCH_MS, POST_MS, QUERIES = 300, 300, 500, 6

Crowd = list[dict[str, Any]]
Call = Callable[[], tuple[int, bytes]]


def measure(
    stack: Stack, *, clients: int, live: int, seconds: float, post_seconds: float
) -> Iterator[Figure]:
    """All rows of the load."""
    yield rows.machine()
    begin = time.perf_counter()
    crowd = make_crowd(stack, clients)
    rows.fill_to(stack, live)
    note = f"{TENANTS} tenants; {live:,} more clients on the real interface"
    yield Figure(f"rows of {clients:,} clients", time.perf_counter() - begin, "s", None, note)
    yield from gets(stack, crowd, seconds)
    yield from pages(stack, crowd, seconds)
    yield from searches(stack, crowd, seconds)
    yield from posts(stack, crowd, post_seconds)
    yield from many.acts(stack, crowd)
    yield from counts(stack, crowd)
    yield rows.machine()


def measure_many(stack: Stack, *, clients: int) -> Iterator[Figure]:
    """The bulk requests alone."""
    yield rows.machine()
    yield from many.acts(stack, make_crowd(stack, clients))
    yield rows.machine()


def make_crowd(stack: Stack, clients: int) -> Crowd:
    """Write the rows, in a process of the stack."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.crowd", str(TENANTS), str(clients)],
        cwd=ROOT,
        env={**stack.env, "DJANGO_SETTINGS_MODULE": "vwg.settings"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: Crowd = json.loads(done.stdout.splitlines()[-1])
    return found


def each(stack: Stack, crowd: Crowd, path: Callable[[dict[str, Any]], str]) -> list[Call]:
    """For some connections: a GET of a tenant's next path."""

    def call_of(number: int) -> Call:
        shops = [(Wire(stack.port, shop["token"]), shop) for shop in crowd[number::CONNECTIONS]]
        turns = itertools.cycle(shops[:3])  # a shop keeps its connection

        def call() -> tuple[int, bytes]:
            wire, shop = next(turns)
            return wire.get(path(shop))

        return call

    return [call_of(number) for number in range(CONNECTIONS)]


def busy(stack: Stack, seconds: float, calls: list[Call]) -> tuple[Series, str]:
    """The calls for so long; and what they took, of the web processes' CPU too."""
    before = memory.web_cpu(stack)
    found = during(seconds, calls)
    cpu = (memory.web_cpu(stack) - before) / found.calls * 1000
    p50 = quantile(found.spent, 0.5) * 1000
    return found, f"p50 {p50:.1f} ms, of {len(found.spent):,}; {cpu:.1f} ms of web CPU each"


def gets(stack: Stack, crowd: Crowd, seconds: float) -> Iterator[Figure]:
    """One client by its id, as fast as the portal answers."""
    path = "/api/v1/clients/{}"
    calls = each(stack, crowd, lambda shop: path.format(random.choice(shop["ids"])))
    found, note = busy(stack, seconds, calls)
    yield Figure("GET one client", found.rate, "/s", GET_RATE, note, at_least=True)
    yield Figure("GET one client, p95", quantile(found.spent, 0.95) * 1000, "ms")


def pages(stack: Stack, crowd: Crowd, seconds: float) -> Iterator[Figure]:
    """A page of 50 of a tenant's clients, two shops at a time."""
    calls = each(stack, crowd, lambda _: "/api/v1/clients?limit=50")[:2]
    found, note = busy(stack, seconds, calls)
    p95 = quantile(found.spent, 0.95) * 1000
    yield Figure("list of 50, p95", p95, "ms", PAGE_MS, note)


def searches(stack: Stack, crowd: Crowd, seconds: float) -> Iterator[Figure]:
    """A part of a name, or the end of an external id, two shops at a time."""

    def path(shop: dict[str, Any]) -> str:
        text = random.choice(shop["names"] + shop["external_ids"])[-6:].strip()
        return f"/api/v1/clients?search={text.replace(' ', '%20')}"

    found, note = busy(stack, seconds, each(stack, crowd, path)[:2])
    p95 = quantile(found.spent, 0.95) * 1000
    yield Figure("search, p95", p95, "ms", SEARCH_MS, note)


def counts(stack: Stack, crowd: Crowd) -> Iterator[Figure]:
    """Statements of the calls above, counted in process; they must not grow with the rows."""
    counted = rows.scene(stack, "queries", stdin=crowd[0]["token"])
    for name, label in (("one", "GET one client"), ("list", "list of 50"), ("order", "POST")):
        bar = None if name == "order" else QUERIES
        yield Figure(f"statements of {label}", len(counted[name]), "", bar)


def posts(stack: Stack, crowd: Crowd, seconds: float) -> Iterator[Figure]:
    """New clients, four shops at a time, for so long."""
    numbers = itertools.count()

    def call_of(shop: dict[str, Any]) -> Call:
        wire = Wire(stack.port, shop["token"])

        def call() -> tuple[int, bytes]:
            number = next(numbers)
            order = {"name": f"New {number}", "external_id": f"new-{number}"}
            return wire.post("/api/v1/clients", order)

        return call

    before = rows.count(stack)
    found, used = busy(stack, seconds, [call_of(shop) for shop in crowd[:CONNECTIONS]])
    made = next(numbers)
    begin = time.perf_counter()
    stack.wait_until(lambda: rows.count(stack) >= before + made, "all are live", seconds=60)
    late = time.perf_counter() - begin
    note = f"{len(found.spent):,} in {found.seconds:.0f} s; the last live {late:.1f} s after"
    yield Figure("POST a client", found.rate, "/s", POST_RATE, note, at_least=True)
    p95 = quantile(found.spent, 0.95) * 1000
    yield Figure("POST a client, p95", p95, "ms", POST_MS, used)
