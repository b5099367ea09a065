"""A stack whose gateway is a host of its own: it reaches database and Redis over a network.

::

    portal (this namespace) 10.98.x.1 ---- 10.98.x.2 the gateway's worker, in a namespace
        relay -> PostgreSQL                     which a firewall of its own can cut off
        relay -> Redis

The worker's packets are dropped by nftables, as by a router that died: connections hang, TCP tries
again with longer and longer pauses. Or they are refused, as by a host that is up without servers.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import environ

from tests.stack.processes import Stack, run

_FATES = {"dropped": "drop", "refused": "reject with tcp reset"}


class Relay:
    """Takes TCP connections at an address and carries them on to a unix socket."""

    def __init__(self, host: str, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """End every connection, and take no more."""
        self._hang_up(self._listener)
        self._threads[0].join()
        for end in list(self._open):
            self._hang_up(end)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with self._listener, suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=[near]))
                self._threads[-1].start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far, suppress(OSError):
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far.connect(self._target)
            self._open |= {near, far}
            back = threading.Thread(target=self._carry, args=(far, near))
            back.start()
            self._carry(near, far)
            back.join()
            self._open -= {near, far}

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self._hang_up(source)
        self._hang_up(target)

    @staticmethod
    def _hang_up(end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class FarStack(Stack):
    """On PostgreSQL; the worker of the gateway runs in a namespace that can be cut off."""

    def __init__(self, state: Path, *, cluster_url: str, settings: dict[str, str]) -> None:
        super().__init__(state, cluster_url=cluster_url, settings=settings)
        self.far = f"{self.netns}f"
        self._relays: list[Relay] = []
        #: How often `keep_up` had to.
        self.restarts = 0

    def start(self, name: str) -> None:
        """Start a program; the gateway's worker over there."""
        plain, command = self.env, self.commands[name]
        if name == "gateway":
            self.env = {**plain, **self._over_there()}
            self.commands[name] = ["ip", "netns", "exec", self.far, *command]
        try:
            super().start(name)
        finally:
            self.env, self.commands[name] = plain, command

    def keep_up(self, name: str) -> None:
        """What the supervisor does (`make up`, systemd): start a program that ended by itself."""
        if self._processes[name].poll() is not None:
            self.kill(name)
            self.start(name)
            self.restarts += 1

    def _over_there(self) -> dict[str, str]:
        """The addresses of the two servers, as the gateway dials them."""
        if not self._relays:
            self._connect()
        database, broker = (f"{self._host}:{relay.port}" for relay in self._relays)
        name = environ.Env.db_url_config(self.env["DATABASE_URL"])
        return {
            "DATABASE_URL": f"postgres://{name['USER']}@{database}/{name['NAME']}",
            "REDIS_URL": f"redis://{broker}/0",
        }

    def _connect(self) -> None:
        """The namespace, its cable, and the two relays at this end of it."""
        net = f"10.98.{secrets.randbelow(256)}"
        first = 4 * secrets.randbelow(64)
        self._host, there = f"{net}.{first + 1}", f"{net}.{first + 2}"
        run("ip", "netns", "add", self.far)
        run("ip", "link", "add", f"{self.netns}h", "type", "veth",
            "peer", "name", "eth0", "netns", self.far)  # fmt: skip
        run("ip", "address", "add", f"{self._host}/30", "dev", f"{self.netns}h")
        run("ip", "link", "set", f"{self.netns}h", "up")
        run("ip", "-n", self.far, "address", "add", f"{there}/30", "dev", "eth0")
        for link in ("lo", "eth0"):
            run("ip", "-n", self.far, "link", "set", link, "up")
        place = environ.Env.db_url_config(self.env["DATABASE_URL"])
        for target in (
            Path(place["HOST"]) / f".s.PGSQL.{place['PORT'] or 5432}",
            self.state / "redis.sock",
        ):
            self._relays.append(Relay(self._host, target))

    @contextmanager
    def cut_off(self, fate: str) -> Iterator[None]:
        """Meanwhile no packet comes to the gateway's worker or leaves it."""
        verdict = _FATES[fate]
        rules = (
            f"table inet cut {{ chain out {{ type filter hook output priority 0;"
            f" oifname eth0 meta l4proto tcp {verdict}; }};"
            " chain in { type filter hook input priority 0; iifname eth0 drop; }; }"
        )
        self._nft(rules)
        try:
            yield
        finally:
            self._nft("delete table inet cut")

    def _nft(self, rules: str) -> None:
        run("ip", "netns", "exec", self.far, "nft", rules)

    def _end(self) -> None:
        super()._end()
        for relay in self._relays:
            relay.close()
        if self._relays:
            run("ip", "netns", "delete", self.far)
            run("ip", "link", "delete", f"{self.netns}h", check=False)
