"""The Celery application. Tasks carry ids only; rows are the truth and messages are hints."""

from __future__ import annotations

import gc
import os
from functools import cache
from typing import Any

from celery import Celery, Task
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vwg.settings")


class RowTask(Task):  # type: ignore[type-arg]  # generic in the stubs alone
    """A task that works on rows: its database connection outlives it, and is seen to before it."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Close a connection that broke, or grew old, since the last task of this process."""
        settle_in()
        close_old_connections()


@cache
def settle_in() -> None:
    """Leave what was loaded before the first task out of every later collection of garbage.

    The rows of an observation are many small objects that live for as long as it: Python walked
    through all that was ever imported again and again, a quarter of an observation's time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


app = Celery("vwg", amqp="vwg.broker:SteadyAMQP", task_cls=RowTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["control"])
