"""As much as goes through, one way, over UDP or TCP: one end of it.

Run as ``python -m tests.live.blast serve|call --address ADDR:PORT …`` inside a namespace. Who calls
speaks first, so that it also works through NAT; ``--sends`` is the end that sends. Standard library
only. It says "ready", and at the end of its seconds writes one JSON object. What arrived is better
counted by the kernel: a socket that nobody reads fast enough loses packets.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
from contextlib import suppress

from tests.live.stream import BUFFER_BYTES, _address

CHUNK = 65536
HELLO = b"hello"


def _udp(asked: argparse.Namespace) -> socket.socket:
    family = socket.AF_INET6 if ":" in asked.address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    if asked.role == "call":
        sock.connect(asked.address)
        print("ready", flush=True)
        sock.send(HELLO)
    else:
        sock.bind(asked.address)
        print("ready", flush=True)
        _, caller = sock.recvfrom(64)
        sock.connect(caller)
    return sock


def _tcp(asked: argparse.Namespace) -> socket.socket:
    if asked.role == "call":
        sock = socket.create_connection(asked.address, timeout=5.0)
        print("ready", flush=True)
        return sock
    family = socket.AF_INET6 if ":" in asked.address[0] else socket.AF_INET
    with socket.create_server(asked.address, family=family) as server:
        print("ready", flush=True)
        return server.accept()[0]


def send(sock: socket.socket, asked: argparse.Namespace) -> int:
    """Send until the time is up; UDP at most at ``--mbit``. What the kernel refuses is not sent."""
    data = bytes(asked.size if asked.udp else CHUNK)
    begin, sent = time.monotonic(), 0
    while (now := time.monotonic()) - begin < asked.seconds:
        due = int((now - begin) * asked.mbit * 125_000) + len(data) if asked.udp else sent + CHUNK
        burst = 0
        while sent < due and burst < CHUNK:
            burst += len(data)
            with suppress(OSError):
                sock.send(data)
            sent += len(data)
        if sent >= due and asked.udp:
            time.sleep(0.0005)
    return sent


def receive(sock: socket.socket, asked: argparse.Namespace) -> int:
    """Take what comes until the time is up."""
    begin, received = time.monotonic(), 0
    sock.settimeout(0.2)
    while time.monotonic() - begin < asked.seconds:
        with suppress(OSError):
            received += len(sock.recv(1 << 20))
    return received


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["serve", "call"])
    parser.add_argument("--address", type=_address, required=True)
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--sends", action="store_true")
    parser.add_argument("--size", type=int, default=1200)
    parser.add_argument("--mbit", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    with _udp(asked) if asked.udp else _tcp(asked) as sock:
        sock.settimeout(0.2 if not asked.udp else None)
        total = (send if asked.sends else receive)(sock, asked)
    print(json.dumps({"bytes": total}), flush=True)


if __name__ == "__main__":
    main()
