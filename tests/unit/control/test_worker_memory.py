"""A worker's process walks through what it once loaded in no collection of garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from vwg.celery import RowTask, settle_in


@pytest.fixture
def as_python_has_it() -> Iterator[None]:
    """And had it: the other tests of this process go on as they began."""
    was = gc.get_threshold()
    settle_in.cache_clear()
    yield
    gc.unfreeze()
    gc.set_threshold(*was)


@pytest.mark.usefixtures("as_python_has_it")
def test_the_first_task_leaves_what_is_there_out_of_collections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vwg.celery.close_old_connections", lambda: None)
    assert gc.get_freeze_count() == 0
    RowTask().before_start("1", (), {})
    frozen = gc.get_freeze_count()
    assert frozen > 0
    kept = [[] for _ in range(100)]  # type: ignore[var-annotated]
    RowTask().before_start("2", (), {})
    assert gc.get_freeze_count() <= frozen  # once a process: what a task makes is collected
    assert kept
