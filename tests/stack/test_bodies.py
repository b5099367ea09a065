"""Bodies that never end, come too slowly, unfold or are not taken: no thread is held by them.

The numbers are the rows of the list of bad inputs that this project is tested by.
"""

from __future__ import annotations

import errno
import gzip
import http.client
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.web_worker import ARRIVAL_SECONDS, SEND_SECONDS
from tests.stack.conftest import short_path
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg]

CLIENTS = "/api/v1/clients"
#: More than both web processes have threads.
SLOW = 40
BUNDLE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(short_path(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="module")
def token(stack: Stack) -> str:
    return stack.token()


def head(token: str, *more: str) -> bytes:
    """The beginning of a POST."""
    lines = (
        f"POST {CLIENTS} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        *more,
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def status_of(answer: bytes) -> int:
    """The status of a raw answer; 0 for a connection that was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def trickle(stack: Stack, begin: bytes, piece: bytes, *, pause: float, seconds: float) -> bytes:
    """Send a piece again and again until the server says something or closes; what it said."""
    end, said = time.monotonic() + seconds, b""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall(begin)
        connection.settimeout(pause or 0.001)
        while time.monotonic() < end:
            try:
                connection.sendall(piece)
                data = connection.recv(65536)
                if not data:
                    return said
                said += data
            except TimeoutError:
                continue
            except OSError:
                return said
    raise AssertionError(f"still listened to after {seconds} s")


def get(stack: Stack, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    try:
        connection.request("GET", CLIENTS, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def clients(stack: Stack) -> str:
    return stack.manage("shell", "-c", "from peers.models import *; print(Client.objects.count())")


def test_a_connection_serves_one_request_after_another(stack: Stack, token: str) -> None:
    """With pauses in which it waits outside of the threads, and with two requests at once."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.connect()
    used = connection.sock
    for number, pause in enumerate((0, 0.3, 1.5)):
        time.sleep(pause)
        connection.request("POST", CLIENTS, f'{{"name": "kept {number}"}}', headers)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, connection.sock) == (201, used), pause
    used.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
    said = b""
    while said.count(b'{"status": "live"}') < 2:
        data = used.recv(65536)
        assert data, said
        said += data
    connection.close()


def test_48_slow_bodies_are_408_and_hold_nobody_up_for_long(stack: Stack, token: str) -> None:
    said: list[int] = []

    def drip() -> None:
        begin = head(token, "Content-Length: 1000")
        answer = trickle(stack, begin, b" ", pause=1.0, seconds=6 * ARRIVAL_SECONDS)
        said.append(status_of(answer))

    threads = [threading.Thread(target=drip) for _ in range(SLOW)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    assert get(stack, token) == 200
    waited = time.monotonic() - began
    for thread in threads:
        thread.join()
    assert waited < 2 * ARRIVAL_SECONDS + 5
    assert said == [408] * SLOW


def test_48_slow_headers_are_not_waited_for(stack: Stack, token: str) -> None:
    begin = head(token)[:-2]
    answer = trickle(stack, begin, b"X-A: b\r\n", pause=1.0, seconds=3 * ARRIVAL_SECONDS)
    assert status_of(answer) in (0, 408)
    assert get(stack, token) == 200


def test_an_answer_that_nobody_takes_is_given_up(stack: Stack, token: str) -> None:
    """It is asked 20 times at once for 1.6 MB, and nothing of it is read."""
    asked = f"GET {BUNDLE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20
    with socket.create_connection(("127.0.0.1", stack.port)) as deaf:
        deaf.sendall(asked)
        end = select.poll()
        end.register(deaf, select.POLLERR)
        assert end.poll((SEND_SECONDS + 20) * 1000), "a thread is held"
        error = deaf.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    assert error == errno.ECONNRESET
    assert get(stack, token) == 200


def test_callers_who_do_not_hang_up_are_not_waited_for_one_by_one(stack: Stack) -> None:
    """Each is answered, told of the end, and keeps its own side open."""
    asked = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    began = time.monotonic()
    lingering = [socket.create_connection(("127.0.0.1", stack.port), 90) for _ in range(SLOW)]
    try:
        for connection in lingering:
            connection.sendall(asked)
        for connection in lingering:
            said = b""
            while data := connection.recv(65536):
                said += data
            assert status_of(said) == 200
        assert time.monotonic() - began < SLOW / 2
    finally:
        for connection in lingering:
            connection.close()


def test_48_an_endless_body_in_chunks_is_refused(stack: Stack, token: str) -> None:
    before = clients(stack)
    begin = head(token, "Transfer-Encoding: chunked")
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    answer = trickle(stack, begin, piece, pause=0, seconds=3 * ARRIVAL_SECONDS)
    assert status_of(answer) in (0, 400, 408, 411, 413), answer[:200]
    assert clients(stack) == before
    assert get(stack, token) == 200


def test_48_a_body_that_unfolds_is_415(stack: Stack, token: str) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 50_000_000 + b'"}')
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
        connection.sendall(
            head(token, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb
        )
        assert status_of(connection.recv(65536)) == 415
    assert time.monotonic() - began < 5


def test_43_two_authorization_headers_are_401(stack: Stack, token: str) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
        begin = head(token, f"Authorization: Bearer {token}", "Content-Length: 2")
        connection.sendall(begin + b"{}")
        assert status_of(connection.recv(65536)) in (400, 401)


@pytest.mark.parametrize("path", ["/static/../../etc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd"])
def test_52_no_file_outside_is_served(path: str, stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in (400, 404)
        assert b"root:" not in answer.read()
    finally:
        connection.close()
