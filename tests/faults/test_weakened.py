"""Every bar of a fault of accounting can be missed: by a build without what protects it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.conftest import Figure
from tests.weakened import BUILDS, Weakened

pytestmark = [pytest.mark.proof, pytest.mark.stack, pytest.mark.wg, pytest.mark.timeout(960)]


@pytest.mark.parametrize("build", BUILDS, ids=str)
def test_a_weakened_build_fails(build: Weakened, tmp_path: Path, figure: Figure) -> None:
    done = build.run(tmp_path)
    failures = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    figure(f"weakened.{build}", " / ".join(line[1:].strip() for line in failures[:2]) or "passed")
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr[-1000:]
    assert "1 failed" in done.stdout
    assert build.says in done.stdout, done.stdout[-4000:]
