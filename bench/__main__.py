"""``python -m bench``: starts a whole vwg of its own, measures it, prints one table.

``python -m bench load`` measures shops that ask and order at a portal with 50,000 clients, and
``python -m bench many`` the bulk requests among that alone; these need root (network namespaces).
``python -m bench books`` measures what keeping the books costs, by the number of clients.
``--quick`` stops at 1,000 peers, and at 5,000 clients; ``--long`` orders for five minutes.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bench import books, load, rows
from bench.figures import Figure, save, table
from tests.stack.processes import Stack


def main() -> int:
    """Measure, print and save; the exit status is 1 when a bar was missed."""
    given = _arguments()
    if given.what == "books":
        return books.main(
            quick=given.quick, database_url=given.database_url, synchronous=given.synchronous
        )
    state = Path(tempfile.mkdtemp(prefix="vbn"))
    settings = {"VWG_SQLITE_SYNCHRONOUS": given.synchronous}
    stack = Stack(state / "s", cluster_url=given.database_url, settings=settings)
    stack.netns = stack.interface = f"vbn{secrets.token_hex(3)}"
    figures: list[Figure] = []
    try:
        with stack:
            for figure in given.measure(stack):
                figures.append(figure)
                print(".", end="", file=sys.stderr, flush=True)
            database = rows.database_of(stack)
    finally:
        print(file=sys.stderr)
        if figures:
            print(table(figures))
        shutil.rmtree(state, ignore_errors=True)
    path = rows.results_path(given.what, postgres=bool(given.database_url))
    save(figures, path, database=database)
    return int(any(figure.missed for figure in figures))


def measure(stack: Stack, *, sizes: list[int], rounds: int) -> Iterable[Figure]:
    """Every row. With the whole stack at its usual work first, then step by step without beat."""
    token = stack.token()
    medians: list[float] = []
    floors: list[float] = []
    yield rows.machine()
    for size in sizes:
        found, median = rows.changes_at(stack, token, peers=size, rounds=rounds)
        medians.append(median)
        yield from found
        floor, median = rows.floor_at(stack, peers=size, rounds=rounds)
        floors.append(median)
        yield floor
    names = f"p50 at {sizes[-1]:,} / p50 at {sizes[0]:,}"
    yield Figure(f"POST to live peer, {names}", medians[-1] / medians[0], "", 1.3)
    yield Figure(f"floor, {names}", floors[-1] / floors[0], "")
    yield rows.together(stack, number=500)
    yield from rows.parallel(stack, token, callers=8, each=40)
    yield from rows.list_page(stack, token, peers=sizes[-1], rounds=rounds)
    yield from rows.memories(stack)
    stack.stop("beat")  # its observations would meet the next ones at the lock
    yield from rows.looks(stack, peers=sizes[-1])
    yield from rows.boot_file(stack)
    yield rows.machine()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=["changes", "load", "many", "books"], default="changes"
    )
    parser.add_argument("--rounds", type=int, default=100, help="changes per size (100)")
    parser.add_argument("--quick", action="store_true", help="fewer peers, fewer clients")
    parser.add_argument("--long", action="store_true", help="load: order for five minutes")
    parser.add_argument("--synchronous", default="FULL", help="SQLite: FULL (durable) or NORMAL")
    parser.add_argument("--database-url", help="a PostgreSQL where databases may be created")
    given = parser.parse_args()
    sizes = [10, 1_000] if given.quick else [10, 1_000, 10_000]
    given.measure = partial(measure, sizes=sizes, rounds=given.rounds)
    if given.what == "load":
        given.measure = partial(
            load.measure,
            clients=5_000 if given.quick else 50_000,
            live=1_000,
            seconds=4.0 if given.quick else 15.0,
            post_seconds=300.0 if given.long else 8.0 if given.quick else 30.0,
        )
    if given.what == "many":
        given.measure = partial(load.measure_many, clients=5_000 if given.quick else 50_000)
    return given


if __name__ == "__main__":
    sys.exit(main())
