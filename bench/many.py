"""Bulk requests of 1,000 clients, and two other shops that change one client after the other."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench import rows
from bench.caller import Wire
from bench.figures import Figure, quantile
from tests.stack.processes import Stack

NUMBER = 1000
#: The tenant of the acts has so many clients.
CLIENTS = 5000
#: Bars: an act on all, and one change of others beside it; beside one transaction of 1,000, too.
ACT_S, BESIDE_MS, BESIDE_ONE_MS = 5, 1000, 3000
#: Act and arguments, in an order in which each has something to do.
ACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("extend", {"days": 30, "bytes": 10**9}),
    ("update", {"note": "Moved", "add_tags": ["moved"], "dns_servers": ["9.9.9.9"]}),
    ("disable", {"note": "unpaid"}),
    ("enable", {}),
    ("delete", {}),
)


def acts(stack: Stack, crowd: list[dict[str, Any]]) -> Iterator[Figure]:
    """Each act on the same 1,000 of 5,000 clients; all or nothing too, which is one transaction."""
    wire = Wire(stack.port, crowd[0]["token"])
    yield _create(stack, wire, 0)
    for part in range(1, CLIENTS // NUMBER):
        _create(stack, wire, part)
    for action, arguments in ACTS:
        yield from _act(stack, wire, crowd[1:3], action, arguments)
        body = {"all_or_nothing": True}
        yield from _act(stack, wire, crowd[1:3], action, arguments, part=1, **body)


def _create(stack: Stack, wire: Wire, part: int) -> Figure:
    """1,000 clients in one request, until the last of them is on the interface."""
    end = "2999-01-01T00:00:00Z"
    items = [
        {"name": f"Bulk {n}", "external_id": ref, "quota_bytes": 10**9 + n, "expires_at": end}
        for n, ref in enumerate(_refs(part))
    ]
    before = rows.count(stack)
    begin = time.perf_counter()
    run, posted, made = _done(wire, {"action": "create", "items": items})
    with rows.watch(stack) as jobs:
        for job in run["jobs"]:
            jobs.wait(job["id"])
    live = time.perf_counter() - begin
    assert rows.count(stack) == before + NUMBER
    note = f"answered after {posted * 1000:.0f} ms, rows after {made:.1f} s"
    return Figure("1,000 clients in one request, live", live, "s", ACT_S, note)


def _refs(part: int) -> list[str]:
    return [f"bulk-{n}" for n in range(part * NUMBER, (part + 1) * NUMBER)]


def _act(
    stack: Stack,
    wire: Wire,
    others: list[dict[str, Any]],
    action: str,
    arguments: dict[str, Any],
    *,
    part: int = 0,
    **how: Any,
) -> Iterator[Figure]:
    """One act on 1,000, and what others waited meanwhile."""
    body = {"action": action, "external_ids": _refs(part), "arguments": arguments, **how}
    with _beside(stack, others) as spent:
        run, posted, made = _done(wire, body)
        with rows.watch(stack) as jobs:
            for job in run["jobs"]:
                jobs.wait(job["id"])
    name = f"{action} 1,000" + (", all or nothing" if how else "")
    note = f"answered after {posted * 1000:.0f} ms; {len(run['jobs'])} jobs"
    yield Figure(name, made, "s", ACT_S, note)
    p99 = quantile(spent, 0.99) * 1000
    note = f"of {len(spent)}; p50 {quantile(spent, 0.5) * 1000:.0f} ms, most {max(spent):.2f} s"
    bar = BESIDE_ONE_MS if how else BESIDE_MS
    yield Figure("one change of others beside it, p99", p99, "ms", bar, note)


@contextmanager
def _beside(stack: Stack, others: list[dict[str, Any]]) -> Iterator[list[float]]:
    """While the block runs the others switch one client after the other: seconds of each."""
    spent: list[float] = []
    over = threading.Event()

    def change(shop: dict[str, Any]) -> None:
        wire = Wire(stack.port, shop["token"])
        turns = [(word, one) for word in ("disable", "enable") for one in shop["ids"][:10]]
        for word, client in itertools.cycle(turns):
            if over.is_set():
                return
            begin = time.perf_counter()
            status, raw = wire.post(f"/api/v1/clients/{client}/{word}", {})
            spent.append(time.perf_counter() - begin)
            assert status == 200, raw[:300]
            time.sleep(rows.PAUSE_S)

    threads = [threading.Thread(target=change, args=(shop,)) for shop in others]
    for thread in threads:
        thread.start()
    try:
        yield spent
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _done(wire: Wire, body: dict[str, Any]) -> tuple[dict[str, Any], float, float]:
    """A run of 1,000 that is finished; seconds until it was taken on, and until its end."""
    begin = time.perf_counter()
    status, raw = wire.post("/api/v1/clients/bulk", body)
    posted = time.perf_counter() - begin
    assert status == 202, raw[:300]
    run = json.loads(raw)
    while run["status"] in ("pending", "running"):
        time.sleep(0.05)
        run = json.loads(wire.get(run["href"])[1])
    made = time.perf_counter() - begin
    assert run["progress"] == {"total": NUMBER, "done": NUMBER, "failed": 0}, run
    return run, posted, made
