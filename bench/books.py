"""``python -m bench books``: what keeping the books costs, at 1,000, 10,000 and 100,000.

One observation of an interface (`bench.ticking`) and the verdicts on everybody (`bench.judging`),
each beside its floors of the same run. Databases of their own, without workers; every size is
measured in a process of its own, for its memory.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, save
from bench.rows import durability_of, results_path
from deploy import environment
from tests.stack.databases import ROOT, Tenancy, fill_sqlite, own_environment

SIZES = (1_000, 10_000, 100_000)


def main(*, quick: bool, database_url: str | None, synchronous: str) -> int:
    """Measure, print and save; the exit status is 1 when a bar was missed."""
    figures = []
    for steps in (_ticks, _verdicts):
        with _database(database_url, synchronous) as known:
            for figure in steps(known, SIZES[:2] if quick else SIZES):
                figures.append(figure)
                print(".", end="", file=sys.stderr, flush=True)
            database = durability_of(known)
    print(file=sys.stderr)
    print(by_size(figures))
    save(figures, results_path("books", postgres=bool(database_url)), database=database)
    return int(any(figure.missed for figure in figures))


def by_size(figures: Sequence[Figure]) -> str:
    """One table: a line for each thing, a column for each size, and notes below."""
    sizes = list(dict.fromkeys(figure.name.partition(": ")[0] for figure in figures))
    found: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        size, _, words = figure.name.partition(": ")
        found.setdefault(words, {})[size] = figure
    width = max(map(len, found))
    lines = [" ".join(["".ljust(width), *(size.rjust(20) for size in sizes)])]
    for words, row in found.items():
        cells = [_cell(row[size]) if size in row else "" for size in sizes]
        lines.append(" ".join([words.ljust(width), *(cell.rjust(20) for cell in cells)]))
    lines += ["", *(f"{figure.name}: {figure.note}" for figure in figures if figure.note)]
    return "\n".join(line.rstrip() for line in lines)


def _cell(figure: Figure) -> str:
    text = f"{figure.value:.3f} s" if figure.unit == "s" else f"{figure.value:.0f} {figure.unit}"
    if figure.bar is None:
        return text
    return f"{text} {'MISSED' if figure.missed else 'ok'} <= {figure.bar:g}"


def _ticks(known: dict[str, str], sizes: Sequence[int]) -> Iterator[Figure]:
    made = 0
    for size in sizes:
        _run(known, "people", made, size)
        made = size
        yield from _run(known, "ticking", "first", size)
        yield from _run(known, "ticking", "later", size)


def _verdicts(known: dict[str, str], sizes: Sequence[int]) -> Iterator[Figure]:
    made = 0
    for size in sizes:
        _run(known, "people", made, size)
        made = size
        yield from _run(known, "judging", size)


@contextmanager
def _database(cluster_url: str | None, synchronous: str) -> Iterator[dict[str, str]]:
    """The environment of a process with an empty database; it goes afterwards."""
    state = Path(tempfile.mkdtemp(prefix="vbb"))
    tenancy = Tenancy(cluster_url, f"vbb_{secrets.token_hex(4)}") if cluster_url else None
    try:
        if tenancy is None:
            fill_sqlite(state / "vwg.sqlite3")
        environment.ensure_environment(state / "env")
        yield {
            **own_environment(),
            "VWG_ENV_FILE": str(state / "env"),
            "VWG_STATE_DIR": str(state),
            "VWG_DRIVER": "memory",
            "VWG_SQLITE_SYNCHRONOUS": synchronous,
            "DATABASE_URL": tenancy.url if tenancy else f"sqlite:///{state / 'vwg.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "vwg.settings",
        }
    finally:
        if tenancy:
            tenancy.drop()
        shutil.rmtree(state, ignore_errors=True)


def _run(known: dict[str, str], step: str, *words: object) -> list[Figure]:
    """A module of the bench in a process of its own; the figures that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{step}", *map(str, words)],
        cwd=ROOT, env=known, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return [Figure(**one) for one in json.loads(lines[-1])] if lines else []
