"""The rows of the table: what is done, how often, and which bar it is held to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import memory
from bench.callers import ApiCaller, JobWatch
from bench.figures import Figure, quantile
from tests.stack.databases import ROOT, cluster_connection
from tests.stack.processes import Stack

WARM_UP = 20
PAUSE_S = 0.02
"""Between two changes: callers are people and panels; the parallel row measures saturation."""


def scene(stack: Stack, step: str, number: int = 0, *, stdin: str = "") -> dict[str, Any]:
    """Run a step of `bench.scene` in the stack's environment; its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.scene", step, str(number)],
        cwd=ROOT,
        env={**stack.env, "DJANGO_SETTINGS_MODULE": "vwg.settings"},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def watch(stack: Stack) -> JobWatch:
    """A look at the stack's own database."""
    url = stack.env.get("DATABASE_URL")
    return JobWatch(url if url else stack.state / "vwg.sqlite3")


def fill_to(stack: Stack, total: int) -> None:
    """Bring the interface to ``total`` peers by rows and one apply."""
    missing = total - count(stack)
    if missing > 0:
        job = scene(stack, "fill", missing)["job"]
        with watch(stack) as jobs:
            jobs.wait(job, seconds=300)
    assert count(stack) == total


def count(stack: Stack) -> int:
    """Peers on the real interface."""
    return len(stack.wg("peers").split())


def change(stack: Stack, caller: ApiCaller, *, rounds: int) -> tuple[list[float], list[float]]:
    """POST a peer and wait until its job has succeeded: seconds of the POST, and of all of it.

    "Live" is the job's row, written after `wg set` came back: to read 10,000 peers each time
    would take 60 ms of the two cores that are being measured. Afterwards the interface is asked
    once whether all of them are there.
    """
    posts: list[float] = []
    lives: list[float] = []
    before = count(stack)
    with watch(stack) as jobs:
        for _ in range(rounds):
            begin = time.perf_counter()
            job = str(caller.add_peer()["job"]["id"])
            posts.append(time.perf_counter() - begin)
            jobs.wait(job)
            lives.append(time.perf_counter() - begin)
            time.sleep(PAUSE_S)
    assert count(stack) == before + rounds
    return posts, lives


def changes_at(stack: Stack, token: str, *, peers: int, rounds: int) -> tuple[list[Figure], float]:
    """Row 1 at one size, and the median of it."""
    fill_to(stack, peers)
    caller = ApiCaller(stack.port, token)
    change(stack, caller, rounds=WARM_UP)
    posts, lives = change(stack, caller, rounds=rounds)
    p50 = quantile(lives, 0.5) * 1000
    at = f"at {peers:,} peers"
    return [
        Figure(f"POST to live peer, p50, {at}", p50, "ms", 25, _least(lives)),
        Figure(f"POST to live peer, p95, {at}", quantile(lives, 0.95) * 1000, "ms"),
        Figure(f"POST itself, p50, {at}", quantile(posts, 0.5) * 1000, "ms", 15, _least(posts)),
        Figure(f"POST itself, p95, {at}", quantile(posts, 0.95) * 1000, "ms"),
    ], p50


def machine() -> Figure:
    """How fast this machine is just now: CPU time of a fixed piece of Python, the median.

    About 20 ms on an idle core here. Two runs compare by their ratios to it, if at all.
    """
    spent: list[float] = []
    for _ in range(9):
        begin, total = time.process_time(), 0
        for number in range(300_000):
            total += number * number
        spent.append(time.process_time() - begin)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    p50 = quantile(spent, 0.5) * 1000
    return Figure("machine: a fixed loop of Python", p50, "ms", None, f"load average {load}")


def _least(values: list[float]) -> str:
    """What it costs when nobody else has the cores; on a busy machine the more telling figure."""
    return f"least {min(values) * 1000:.1f} ms"


def floor_at(stack: Stack, *, peers: int, rounds: int) -> tuple[Figure, float]:
    """A bare `wg set` of one peer, as it stands, and the median of it."""
    key = stack.wg("peers").split()[0]
    line = next(one for one in stack.wg("allowed-ips").splitlines() if one.startswith(key))
    words = ["wg", "set", stack.interface, "peer", key, "allowed-ips"]
    words.append(",".join(line.split("\t")[1].split()))
    spent: list[float] = []
    for _ in range(rounds + 5):
        begin = time.perf_counter()
        subprocess.run(words, check=True)
        spent.append(time.perf_counter() - begin)
    p50 = quantile(spent[5:], 0.5) * 1000
    return Figure(f"floor: one `wg set`, p50, at {peers:,} peers", p50, "ms"), p50


def together(stack: Stack, *, number: int) -> Figure:
    """Row 2: many clients in one apply, from before their rows are written to all live."""
    answer = scene(stack, "fill", number)
    with watch(stack) as jobs:
        jobs.wait(answer["job"])
    ended = finished_at(stack, answer["job"])
    note = f"rows written in {answer['committed'] - answer['begin']:.2f} s of it"
    return Figure(
        f"{number} clients in one apply, all live", ended - answer["begin"], "s", 2.0, note
    )


def finished_at(stack: Stack, job: str) -> float:
    """When a job ended by its own row (Unix time, this machine's clock)."""
    code = (
        "from gateways.models import Job; import sys;"
        f"print('@', Job.objects.get(uuid='{job}').finished_at.timestamp())"
    )
    return float(stack.manage("shell", "-v0", "-c", code).rpartition("@")[2])


def looks(stack: Stack, *, peers: int) -> Iterator[Figure]:
    """Row 3: observations with nobody and with a tenth of the clients active."""
    for share, name in ((0, "none"), (10, "10 %")):
        answer = scene(stack, "look", peers * share // 100)
        note = f"of it the dump, under the lock: {min(answer['dump_seconds']) * 1000:.0f} ms"
        p50 = quantile(answer["seconds"], 0.5) * 1000
        yield Figure(f"observation of {peers:,} peers, {name} active", p50, "ms", 500, note)


def boot_file(stack: Stack) -> Iterator[Figure]:
    """Row 6: the boot file, by a process that writes it for the first time, and again."""
    answer = scene(stack, "boot")
    peers = f"{answer['peers']:,} peers"
    yield Figure(f"boot file of {peers}, a process's first", answer["seconds"][0] * 1000, "ms")
    again = quantile(answer["seconds"][1:], 0.5) * 1000
    yield Figure(f"boot file of {peers}, again", again, "ms")


def list_page(stack: Stack, token: str, *, peers: int, rounds: int) -> Iterator[Figure]:
    """Row 4: a page of 50 clients over HTTP, and its number of statements."""
    caller = ApiCaller(stack.port, token)
    spent: list[float] = []
    for _ in range(rounds + 10):
        begin = time.perf_counter()
        page = caller.call("GET", "/api/v1/clients?limit=50")
        spent.append(time.perf_counter() - begin)
        assert len(page["results"]) == 50
    p50 = quantile(spent[10:], 0.5) * 1000
    counted = scene(stack, "queries", stdin=token)
    yield Figure(
        f"page of 50 of {peers:,} clients, p50", p50, "ms", 50, f"{len(counted['list'])} queries"
    )
    yield Figure("statements of one POST", len(counted["post"]), "", None, "savepoints included")


def parallel(stack: Stack, token: str, *, callers: int, each: int) -> Iterator[Figure]:
    """Row 8: several callers at once, until the last of their peers is live."""
    spent: list[float] = []
    jobs: list[str] = []

    def post_all() -> None:
        caller = ApiCaller(stack.port, token)
        for _ in range(each):
            begin = time.perf_counter()
            job = caller.add_peer()["job"]["id"]
            spent.append(time.perf_counter() - begin)
            jobs.append(str(job))

    threads = [threading.Thread(target=post_all) for _ in range(callers)]
    before = count(stack)
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    posted = time.perf_counter() - begin
    with watch(stack) as watched:
        for job in jobs:
            watched.wait(job)
    live = time.perf_counter() - begin
    assert len(jobs) == callers * each
    assert count(stack) == before + callers * each
    yield Figure(f"POSTs per second, {callers} callers", len(jobs) / posted, "/s")
    yield Figure(f"POST itself, p95, {callers} callers", quantile(spent, 0.95) * 1000, "ms")
    yield Figure(
        f"last of those {len(jobs)} peers live, after the last POST", (live - posted) * 1000, "ms"
    )


def memories(stack: Stack) -> Iterator[Figure]:
    """Row 7: what each process holds."""
    total = 0.0
    for name, pss, rss in memory.of_stack(stack):
        total += pss / 2**20
        yield Figure(f"memory of {name}", pss / 2**20, "MiB", None, f"RSS {rss / 2**20:.0f} MiB")
    yield Figure("memory of all, shared pages once", total, "MiB")


def database_of(stack: Stack) -> str:
    """The engine, and whether it waits for the disk, for the results."""
    return durability_of(stack.env)


def durability_of(known: Mapping[str, str]) -> str:
    """The same, of the database in an environment."""
    url = known.get("DATABASE_URL", "sqlite:")
    if url.startswith("sqlite:"):
        return f"SQLite, synchronous={known['VWG_SQLITE_SYNCHRONOUS']}"
    with cluster_connection(url) as database:
        names = ("fsync", "synchronous_commit")
        told = [f"{name}={database.execute(f'SHOW {name}').fetchall()[0][0]}" for name in names]
    return f"PostgreSQL, {', '.join(told)}"


def results_path(what: str, *, postgres: bool = False) -> Path:
    """Where the results are written; not committed."""
    name = ("results" if what == "changes" else what) + ("-postgres" if postgres else "")
    return Path(__file__).resolve().parent / f"{name}.json"
