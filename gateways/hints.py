"""Hints to the gateways' workers: "interface 7 has open items".

A hint saves time and carries no truth: losing it costs a sweep's interval. So a request never
publishes by itself. It leaves the hint with this process's publisher, a thread that merges hints
of one row, publishes, and, while the broker is dead or hung, keeps them until it is back.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import NamedTuple

from celery import current_app
from django.conf import settings
from kombu import Producer
from kombu.exceptions import OperationalError as BrokerError

logger = logging.getLogger("vwg.hints")

APPLY_TASK = "control.apply"
RELAX_TASK = "control.relax_cutoff"
_LONGEST_PAUSE = 5.0


class Hint(NamedTuple):
    """One message: a task, and the row it should look at (``argument`` is its keyword).

    Equal ones that wait together are sent once.
    """

    task: str
    queue: str
    argument: str = ""
    pk: int = 0


class Publisher:
    """One thread per process; ``ring`` and ``leave`` return at once whatever the broker does."""

    def __init__(self) -> None:
        self._waiting: dict[Hint, None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def ring(self, *, interface_id: int, queue: str) -> None:
        """Leave a hint that an interface has open items."""
        self.leave(Hint(APPLY_TASK, queue, "interface_id", interface_id))

    def relax(self, *, interface_id: int, queue: str) -> None:
        """Leave a hint that clients of an interface have more left of a limit than before."""
        self.leave(Hint(RELAX_TASK, queue, "interface_id", interface_id))

    def call(self, *, task: str, queue: str) -> None:
        """Leave a hint that a task without arguments has something to do."""
        self.leave(Hint(task, queue))

    def leave(self, hint: Hint) -> None:
        """Leave a hint; the thread is started on first use and again after a fork."""
        with self._changed:
            self._waiting[hint] = None
            if self._thread is None or self._pid != os.getpid() or not self._thread.is_alive():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self, *, timeout: float) -> bool:
        """Wait until every hint is published; False when ``timeout`` seconds did not suffice."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._waiting:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return False
        return True

    def _run(self) -> None:
        pause = 0.1
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                hint = next(iter(self._waiting))
                del self._waiting[hint]
            try:
                _publish(hint)
                pause = 0.1
            except (BrokerError, OSError) as error:
                logger.warning(
                    "the broker does not take hints (%s); the sweep will find them",
                    type(error).__name__,
                )
                with self._changed:
                    self._waiting.setdefault(hint)
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                with self._changed:
                    if not self._waiting:
                        self._changed.notify_all()


def _publish(hint: Hint) -> None:
    """Send one hint over this thread's own connection. Raises BrokerError or OSError."""
    current_app.send_task(
        hint.task,
        kwargs={hint.argument: hint.pk} if hint.argument else {},
        queue=hint.queue,
        ignore_result=True,
        expires=60,
        producer=_producer(),
        retry=False,
    )


_local = threading.local()


def _producer() -> Producer:
    if getattr(_local, "producer", None) is None or _local.pid != os.getpid():
        connection = current_app.connection_for_write(
            transport_options=settings.CELERY_PUBLISH_TRANSPORT_OPTIONS
        )
        _local.producer = current_app.amqp.Producer(connection)
        _local.pid = os.getpid()
    producer: Producer = _local.producer
    return producer


publisher = Publisher()
