"""A second writer beside the test, for what PostgreSQL does to two at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

#: How long a test lets the other side come to the row that it waits for.
PATIENCE_S = 10.0


def start(act: Callable[[], Any], found: list[Any]) -> threading.Thread:
    """Run it beside the test; what it returned, or what was raised, goes into the list."""

    def run() -> None:
        try:
            found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_blocked(thread: threading.Thread) -> None:
    """Until some other connection waits for a lock (or the thread has ended)."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # kept till the transaction ends
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0] or not thread.is_alive():
                return
        pause.wait(0.02)
