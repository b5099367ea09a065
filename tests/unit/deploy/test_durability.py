"""What was answered is on the disk: both databases wait for it unless they are told not to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.databases import cluster_connection

ROOT = Path(__file__).resolve().parents[3]
_ASK = """
from django.db import connection
names = ("journal_mode", "synchronous")
with connection.cursor() as cursor:
    print(*(cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names))
"""


def sqlite_says(state: Path, **knobs: str) -> subprocess.CompletedProcess[str]:
    """Journal and waiting for the disk of a connection of the product's (0 off … 3 extra)."""
    left_out = ("DATABASE_URL", "VWG_SQLITE_SYNCHRONOUS")
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env |= {"DJANGO_SETTINGS_MODULE": "vwg.settings", "VWG_STATE_DIR": str(state), **knobs}
    return subprocess.run(
        [sys.executable, "-c", _ASK], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("knobs", "level"),
    [({}, 2), ({"VWG_SQLITE_SYNCHRONOUS": "normal"}, 1), ({"VWG_SQLITE_SYNCHRONOUS": "EXTRA"}, 3)],
    ids=["default", "normal", "extra"],
)
def test_sqlite_waits_for_the_disk(tmp_path: Path, knobs: dict[str, str], level: int) -> None:
    assert sqlite_says(tmp_path, **knobs).stdout.split() == ["wal", str(level)]


def test_sqlite_takes_no_other_word(tmp_path: Path) -> None:
    done = sqlite_says(tmp_path, VWG_SQLITE_SYNCHRONOUS="OFF; DROP TABLE x")
    assert done.returncode != 0
    assert "VWG_SQLITE_SYNCHRONOUS is NORMAL, FULL or EXTRA" in done.stderr


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path that PostgreSQL's own user may enter: its socket lies in it."""
    base = Path(tempfile.mkdtemp(prefix="vpg"))
    base.chmod(0o711)
    yield base / "pg"
    subprocess.run(["deploy/postgres.sh", "stop", base / "pg"], cwd=ROOT, check=True, timeout=60)
    shutil.rmtree(base)


@pytest.mark.parametrize(("mode", "on"), [("", "off"), ("durable", "on")])
def test_a_durable_postgresql_waits_for_the_disk(place: Path, mode: str, on: str) -> None:
    command = ["deploy/postgres.sh", "start", str(place), *([mode] if mode else [])]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0
    with cluster_connection(done.stdout.strip()) as database:
        told = [
            database.execute(f"SHOW {name}").fetchall()[0][0]
            for name in ("fsync", "full_page_writes", "synchronous_commit")
        ]
    assert told == [on, on, "on"]


def test_the_bench_measures_a_durable_one() -> None:
    text = (ROOT / "deploy" / "bench.sh").read_text()
    assert 'deploy/postgres.sh start "$dir" durable' in text
    assert "exec deploy/bench.sh $(BENCH)" in (ROOT / "Makefile").read_text()
