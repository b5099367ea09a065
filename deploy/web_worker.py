"""The web server's worker, with an end to its patience.

gunicorn waits for a request's first bytes outside of its threads, and for the others inside of
them, for ever: a few callers who send a byte a second would hold them all. Here a request has so
many seconds to arrive as a whole, headers and body; and a caller who does not take what he asked
for is left after so many. An ending connection is waited for by its thread, not by the loop of all.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Any, Final

from gunicorn import util
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

#: 2 MiB, the largest body, at 1.7 Mbit/s.
ARRIVAL_SECONDS: Final = 10.0
#: For a body that is sent at once, and for each piece of a file: at least 70 kbit/s.
SEND_SECONDS: Final = 30.0
PIECE_BYTES: Final = 256 * 1024


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
            self.sock.settimeout(SEND_SECONDS)
        return data


class PatientSocket(socket.socket):
    """Sends a file piece by piece, each within the timeout, which else bounds each wait alone."""

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        file.seek(offset)
        sent = 0
        while data := file.read(PIECE_BYTES if count is None else min(PIECE_BYTES, count - sent)):
            self.sendall(data)
            sent += len(data)
        return sent


class Over(Exception):
    """A connection that is at its end: gunicorn's loop forgets it, and waits for nobody."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, each lent to a request that arrives in time and is taken in time."""

    def handle(self, conn: Any) -> Any:
        if conn.initialized:
            _renew(conn)
        else:
            conn.init = lambda: _begin(conn)
        going_on = super().handle(conn)
        if going_on is False:
            # gunicorn's loop would wait 2 s for the caller's own end, and serve nobody meanwhile.
            util.close_graceful(conn.sock)
            raise Over
        return going_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        # A request that came together with the one before it was read without the socket.
        conn.sock.settimeout(SEND_SECONDS)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            # What waits in the kernel's buffer goes too.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            util.close(conn.sock)
            raise TimeoutError(errno.EPIPE, "the answer was not taken in time") from None


def _begin(conn: Any) -> None:
    """What `TConn.init` does, with a socket and an unreader of ours: once, as there."""
    if conn.initialized:
        return
    conn.sock = PatientSocket(fileno=conn.sock.detach())
    TConn.init(conn)
    if type(conn.parser) is RequestParser and type(conn.parser.unreader) is SocketUnreader:
        conn.parser.unreader = PatientUnreader(conn.sock)
        _renew(conn)


def _renew(conn: Any) -> None:
    unreader = getattr(conn.parser, "unreader", None)
    if isinstance(unreader, PatientUnreader):
        unreader.deadline = time.monotonic() + ARRIVAL_SECONDS
