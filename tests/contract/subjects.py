"""What the contract suite runs on: a driver, and a way to let a client speak to it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from wireguard.driver import Driver
from wireguard.drivers.cli import CliDriver
from wireguard.drivers.memory import MemoryDriver
from wireguard.keys import generate_private_key, public_key_of
from wireguard.plan import PeerChange, Plan
from wireguard.runner import Completed, LocalRunner
from wireguard.types import PeerStatus, Secret

PORT = 31_820
CLIENT_PORT = 31_821


@dataclass
class Recorder:
    """A runner that keeps every argv and stdin, and may change an argv before it runs."""

    inner: LocalRunner = field(default_factory=LocalRunner)
    argvs: list[tuple[str, ...]] = field(default_factory=list)
    stdins: list[bytes] = field(default_factory=list)
    tamper: Callable[[Sequence[str]], Sequence[str]] = tuple

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> Completed:
        self.argvs.append(tuple(argv))
        self.stdins.append(stdin)
        return self.inner.run(self.tamper(argv), stdin=stdin, timeout=timeout, pass_fds=pass_fds)


@dataclass
class Subject:
    """A driver under test, its interface's private key, and a client that can be let loose."""

    driver: Driver
    private_key: Secret
    meet: Callable[[Secret], None]

    def peer(self, public_key: str) -> PeerStatus:
        return self.driver.read().peers[public_key]


@dataclass
class RealSubject(Subject):
    """The same on a real interface, whose process can be stopped."""

    recorder: Recorder
    netns: str
    pid: int


def memory_subject() -> Subject:
    private_key = generate_private_key()
    driver = MemoryDriver("vwa0", private_key=private_key)
    driver.set_interface(listen_port=PORT)

    def meet(client_key: Secret) -> None:
        driver.report(
            public_key_of(client_key),
            rx_bytes=180,
            tx_bytes=92,
            latest_handshake=int(time.time()),
            endpoint=f"127.0.0.1:{CLIENT_PORT}",
        )

    return Subject(driver, private_key, meet)


@contextmanager
def real_subject() -> Iterator[RealSubject]:
    """A real interface in a network namespace of its own, all of it gone afterwards."""
    tag = secrets.token_hex(3)
    netns, server, client = f"vwa{tag}", f"vwa{tag}s", f"vwa{tag}c"
    private_key = generate_private_key()
    recorder = Recorder()
    driver = CliDriver(server, recorder)
    processes: list[subprocess.Popen[bytes]] = []
    _do("ip", "netns", "add", netns)
    try:
        _do("ip", "-n", netns, "link", "set", "lo", "up")
        processes.append(_start(netns, server))
        driver.set_interface(listen_port=PORT, private_key=private_key)
        _do("ip", "-n", netns, "link", "set", server, "up")

        def meet(client_key: Secret) -> None:
            processes.append(_start(netns, client))
            end = CliDriver(client, LocalRunner())
            end.set_interface(listen_port=CLIENT_PORT, private_key=client_key)
            towards = PeerChange(
                public_key_of(private_key), ("0.0.0.0/0",), None, 1, f"127.0.0.1:{PORT}", True
            )
            end.apply(Plan((), (towards,)))
            _do("ip", "-n", netns, "link", "set", client, "up")
            wait_for(lambda: driver.read().peers[public_key_of(client_key)].rx_bytes >= 180)

        yield RealSubject(driver, private_key, meet, recorder, netns, processes[0].pid)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.kill()
            process.wait(5)
        _do("ip", "netns", "del", netns)
        for name in (server, client):
            Path(f"/var/run/wireguard/{name}.sock").unlink(missing_ok=True)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until ``condition`` holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come true")
        time.sleep(0.05)


def _start(netns: str, name: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["ip", "netns", "exec", netns, "wireguard-go", "-f", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LOG_LEVEL": "silent"},
    )
    socket = Path(f"/var/run/wireguard/{name}.sock")
    wait_for(lambda: socket.exists() or process.poll() is not None)
    assert process.poll() is None, "wireguard-go did not start"
    return process


def _do(*argv: str) -> None:
    done = LocalRunner().run(argv)
    assert done.returncode == 0, done.stderr.decode()
