"""`make bench` leaves nothing behind when it is interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_bench_stops_its_postgresql(tmp_path: Path, how: signal.Signals) -> None:
    calls = tmp_path / "calls"
    script(tmp_path / "deploy" / "postgres.sh", f'echo "$1" >>{calls}')
    script(
        tmp_path / ".venv" / "bin" / "python",
        f'case "$*" in *--database-url*) echo load >>{calls}; exec sleep 60 ;; esac',
    )
    shutil.copy(ROOT / "deploy" / "bench.sh", tmp_path / "deploy" / "bench.sh")

    running = subprocess.Popen([tmp_path / "deploy" / "bench.sh"], start_new_session=True)
    end = time.monotonic() + 30
    while "load" not in (calls.read_text() if calls.exists() else "") and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(running.pid, how)

    assert running.wait(30) == 130
    assert calls.read_text().split() == ["start", "load", "stop"]
