"""Redis goes between a message and its acknowledgement, and is back: the worker takes the next."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Consumer, Exchange, Message, Queue

from vwg.broker import SteadyConnection

pytestmark = pytest.mark.stack

_LOGGER = logging.getLogger(__name__)
_QUEUE = Queue("hints", Exchange("hints"), routing_key="hints")


@contextmanager
def redis_server(socket: Path) -> Iterator[None]:
    """A Redis at a socket, which is killed at the end."""
    words = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 10
            while not socket.exists():
                assert time.monotonic() < deadline, "redis-server does not start"
                time.sleep(0.02)
            yield
        finally:
            server.kill()
            server.wait()
            socket.unlink(missing_ok=True)


def publish(connection: SteadyConnection, body: int) -> None:
    """One message into the queue."""
    with connection.Producer() as producer:
        producer.publish(body, exchange=_QUEUE.exchange, routing_key="hints", declare=[_QUEUE])


def take(connection: SteadyConnection, taken: list[Message], number: int) -> None:
    """Listen for up to 5 s until so many were taken."""
    deadline = time.monotonic() + 5
    while len(taken) < number and time.monotonic() < deadline:
        try:
            connection.drain_events(timeout=0.2)
        except TimeoutError:
            continue


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_a_lost_acknowledgement_does_not_stop_the_next_message(tmp_path: Path, answer: str) -> None:
    socket = tmp_path / "redis.sock"
    taken: list[Message] = []
    with SteadyConnection(f"redis+socket://{socket}") as connection:
        lost = connection.connection_errors
        with redis_server(socket):
            publish(connection, 1)
            Consumer(
                connection,
                _QUEUE,
                callbacks=[lambda body, message: taken.append(message)],
                prefetch_count=1,  # as a worker of one process
            ).consume()
            take(connection, taken, 1)
        if answer == "ack":
            taken[0].ack_log_error(_LOGGER, lost)
        else:
            taken[0].reject_log_error(_LOGGER, lost, requeue=answer == "requeue")
        with redis_server(socket), SteadyConnection(f"redis+socket://{socket}") as another:
            publish(another, 2)
            try:
                take(connection, taken, 2)
            except lost:
                return  # noticed: a worker connects anew
    assert len(taken) == 2, "it listens no more, and says nothing"
