"""A file is sent whole to who takes it, and to nobody for ever."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import pytest

from deploy.web_worker import PIECE_BYTES, PatientSocket

CONTENT = bytes(range(251)) * (5 * PIECE_BYTES // 251)


@pytest.fixture
def pair() -> Iterator[tuple[PatientSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is
    with PatientSocket(fileno=ours.detach()) as sender, theirs:
        yield sender, theirs


@pytest.mark.parametrize(("offset", "count"), [(0, None), (7, None), (7, 9), (3, PIECE_BYTES + 1)])
def test_a_file_arrives_whole(
    pair: tuple[PatientSocket, socket.socket], offset: int, count: int | None
) -> None:
    sender, reader = pair
    wanted = CONTENT[offset:] if count is None else CONTENT[offset : offset + count]
    found = bytearray()

    def read() -> None:
        while data := reader.recv(65536):
            found.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    assert sender.sendfile(io.BytesIO(CONTENT), offset, count) == len(wanted)
    sender.shutdown(socket.SHUT_WR)
    thread.join()
    assert bytes(found) == wanted


def test_who_takes_it_in_drops_is_left(
    pair: tuple[PatientSocket, socket.socket], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each wait for room is short, and the whole would take ten times as long as a piece may."""
    sender, reader = pair
    path = tmp_path_factory.mktemp("sent") / "file"
    path.write_bytes(CONTENT)
    over = threading.Event()

    def sip() -> None:
        while not over.wait(0.02):
            reader.recv(PIECE_BYTES // 100)

    thread = threading.Thread(target=sip)
    thread.start()
    try:
        sender.settimeout(1)
        with path.open("rb") as file, pytest.raises(TimeoutError):
            sender.sendfile(file)
    finally:
        over.set()
        sender.shutdown(socket.SHUT_RDWR)
        thread.join()
