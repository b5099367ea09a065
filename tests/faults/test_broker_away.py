"""How long a worker waits between two tries to reach the broker; no process needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kombu.utils.functional
import pytest

from vwg.celery import app

#: A change must be live 15 s after the broker is back, start of consuming included.
LONGEST_PAUSE = 5.0


class Enough(Exception):
    """Ends the waiting."""


def test_the_pause_between_two_tries_stays_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kombu.utils.functional, "sleep", lambda _: None)
    pauses: list[float] = []

    def note(_: Exception, pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 100:
            raise Enough

    connection: Any = app.connection_for_read(f"redis+socket://{tmp_path}/nobody.sock")
    with pytest.raises(Enough):
        connection.ensure_connection(note, None, callback=lambda: None)  # as Celery's consumer

    assert max(pauses) <= LONGEST_PAUSE
    assert sum(pauses) >= 100  # and yet it is no busy loop
