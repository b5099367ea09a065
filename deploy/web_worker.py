"""The web server's worker, with an end to its patience.

gunicorn waits for a request's first bytes outside of its threads, and for the others inside of
them, for ever: a few callers who send a byte a second would hold them all. Here a request has so
many seconds to arrive as a whole, headers and body.
"""

from __future__ import annotations

import errno
import time
from typing import Any, Final

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

#: 2 MiB, the largest body, at 1.7 Mbit/s.
ARRIVAL_SECONDS: Final = 10.0


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a socket until the deadline, then raises an OSError as of a broken connection.

    In the middle of the headers gunicorn closes the connection on it, in that of a body Django
    says that the body cannot be read, which is answered with 408.
    """

    deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(errno.EPIPE, "the request did not arrive in time")
        self.sock.settimeout(left)
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise TimeoutError(errno.EPIPE, "the request did not arrive in time") from None
        finally:
            self.sock.settimeout(None)
        return data


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, each lent to a request that arrives in time."""

    def handle(self, conn: Any) -> Any:
        if conn.initialized:
            _renew(conn)
        else:
            conn.init = lambda: _begin(conn)
        return super().handle(conn)


def _begin(conn: Any) -> None:
    """What `TConn.init` does, with an unreader of ours."""
    TConn.init(conn)
    if type(conn.parser) is RequestParser and type(conn.parser.unreader) is SocketUnreader:
        conn.parser.unreader = PatientUnreader(conn.sock)
        _renew(conn)


def _renew(conn: Any) -> None:
    unreader = getattr(conn.parser, "unreader", None)
    if isinstance(unreader, PatientUnreader):
        unreader.deadline = time.monotonic() + ARRIVAL_SECONDS
