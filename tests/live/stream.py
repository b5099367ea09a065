"""One end of a UDP stream in both directions, with sequence numbers: what was lost, and how long.

Run as ``python -m tests.live.stream --bind ADDR:PORT --peer ADDR:PORT`` inside a namespace; the
class `tests.live.lab.Stream` starts both ends. Standard library only, and cheap: at 2,000 packets
a second one end takes a few per cent of a core. It says "ready", waits for a line on its standard
input, and sends until that input is closed or the time is up; then it listens a little longer and
writes one JSON object. Times are seconds of the machine's monotonic clock, shared by both ends.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

BURST_S = 0.002
DRAIN_S = 1.0
HEADER = struct.Struct("!Qd")
BUFFER_BYTES = 16 << 20


@dataclass
class Received:
    """What has come in: each sequence number once, and the longest silence between two."""

    seen: bytearray = field(default_factory=bytearray)
    count: int = 0
    repeated: int = 0
    last_at: float | None = None
    longest_gap_s: float = 0.0
    gap_began: float = 0.0

    def note(self, number: int, at: float) -> None:
        if number >= len(self.seen):
            self.seen.extend(bytes(max(4096, number + 1 - len(self.seen))))
        if self.seen[number]:
            self.repeated += 1
            return
        self.seen[number] = 1
        self.count += 1
        if self.last_at is not None and at - self.last_at > self.longest_gap_s:
            self.longest_gap_s, self.gap_began = at - self.last_at, self.last_at
        self.last_at = at


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _open(bind: tuple[str, int], peer: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    so_rcvbufforce = 33  # asm-generic/socket.h: root may pass net.core.rmem_max
    sock.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, BUFFER_BYTES)
    sock.bind(bind)
    sock.connect(peer)
    sock.setblocking(False)
    return sock


def _take_all(sock: socket.socket, received: Received) -> None:
    """Read what has arrived. An ICMP error of an earlier send is no packet, and no failure."""
    while True:
        try:
            data = sock.recv(2048)
        except BlockingIOError:
            return
        except OSError:
            continue
        received.note(HEADER.unpack_from(data)[0], time.monotonic())


def _told_to_stop() -> bool:
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable) and os.read(0, 64) == b""


def run(sock: socket.socket, rate: int, seconds: float, payload: int) -> dict[str, object]:
    """Send ``rate`` packets a second of ``payload`` bytes, and receive, until it is time."""
    received, sent, refused = Received(), 0, 0
    padding = bytes(max(0, payload - HEADER.size))
    begin = time.monotonic()
    rounds = 0
    while (now := time.monotonic()) - begin < seconds:
        for _ in range(min(int((now - begin) * rate) + 1 - sent - refused, rate // 10)):
            try:
                sock.send(HEADER.pack(sent, now) + padding)
            except OSError:  # no route or buffer: it was never on the way
                refused += 1
            else:
                sent += 1
        _take_all(sock, received)
        rounds += 1
        if rounds % 16 == 0 and _told_to_stop():
            break
        time.sleep(BURST_S)
    ended = time.monotonic()
    while time.monotonic() - ended < DRAIN_S:
        _take_all(sock, received)
        time.sleep(BURST_S)
    return {
        "sent": sent,
        "refused": refused,
        "received": received.count,
        "repeated": received.repeated,
        "longest_gap_s": received.longest_gap_s,
        "gap_began": received.gap_began - begin,
        "silent_end_s": max(0.0, ended - (received.last_at or begin)),
        "missing": _missing(received.seen),
        "seconds": ended - begin,
        "cpu_s": time.process_time(),
    }


def _missing(seen: bytearray, most: int = 20) -> list[tuple[int, int]]:
    """The first runs of numbers that never came, as (first, how many); the end is not known."""
    runs: list[tuple[int, int]] = []
    last = seen.rfind(1)
    at = seen.find(0, 0, last + 1)
    while at != -1 and len(runs) < most:
        end = seen.find(1, at)
        runs.append((at, end - at))
        at = seen.find(0, end, last + 1)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", type=_address, required=True)
    parser.add_argument("--peer", type=_address, required=True)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--payload", type=int, default=100)
    asked = parser.parse_args()
    with _open(asked.bind, asked.peer) as sock:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(run(sock, asked.rate, asked.seconds, asked.payload)), flush=True)


if __name__ == "__main__":
    main()
