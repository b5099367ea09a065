"""A shop's connection that costs the measured machine next to nothing: a socket and two finds."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


class Wire:
    """One connection, kept open, with one token. Requests are bytes, answers are not parsed."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n".encode()
        self._socket: socket.socket | None = None

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        return self._send(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), self._head))

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body. Every POST has a key of its own, as a shop's has."""
        raw = json.dumps(body).encode()
        lines = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(raw)
        lines += b"Idempotency-Key: %s\r\n\r\n" % str(uuid4()).encode()
        return self._send(b"POST %s HTTP/1.1\r\n%s%s%s" % (path.encode(), self._head, lines, raw))

    def _send(self, request: bytes) -> tuple[int, bytes]:
        for attempt in (1, 2):
            fresh = self._socket is None
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._socket.sendall(request)
                return self._receive(self._socket)
            except (ConnectionError, EOFError):
                self._socket.close()
                self._socket = None
                if fresh or attempt == 2:  # only an idle one may have been closed by the server
                    raise
        raise AssertionError("unreachable")

    def _receive(self, connection: socket.socket) -> tuple[int, bytes]:
        found = b""
        while (end := found.find(b"\r\n\r\n")) < 0:
            found += _some(connection)
        head = found[:end].lower()
        place = head.find(b"content-length:")
        assert place >= 0, head
        length = int(head[place + 15 :].split(b"\r\n", 1)[0])
        body = found[end + 4 :]
        while len(body) < length:
            body += _some(connection)
        if b"connection: close" in head:
            connection.close()
            self._socket = None
        return int(head[9:12]), body


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(65536)
    if not found:
        raise EOFError("the server closed the connection")
    return found


@dataclass
class Series:
    """What many calls took, in seconds each, and together."""

    spent: list[float] = field(default_factory=list)
    seconds: float = 0.0
    #: With those of the warm-up.
    calls: int = 0
    bad: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.spent) / self.seconds


def during(
    seconds: float, calls: Sequence[Callable[[], tuple[int, bytes]]], *, warm_up: float = 1.0
) -> Series:
    """Each of the calls again and again, in a thread of its own, for so long after a warm-up."""
    series = Series()
    begin = time.perf_counter() + warm_up
    end = begin + seconds

    def repeat(call: Callable[[], tuple[int, bytes]]) -> None:
        while (start := time.perf_counter()) < end:
            status, body = call()
            if not 200 <= status < 300:
                series.bad.append(f"{status} {body[:200]!r}")
                return
            series.calls += 1
            if start >= begin:
                series.spent.append(time.perf_counter() - start)

    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    series.seconds = time.perf_counter() - begin
    assert not series.bad, series.bad[:3]
    return series
