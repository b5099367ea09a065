"""A stack whose gateway workers may be made to fail, and a caller that remembers every answer."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.faults.books import Books
from tests.faults.shim import Shim
from tests.make import make_public_key
from tests.processes import stop
from tests.stack.processes import Stack

#: Programs whose commands go through the shim.
_WORKERS = ("gateway", "gateway2")


class World(Stack):
    """A `Stack` with a shim in the workers' PATH and, on request, a second gateway worker."""

    def __init__(
        self, state: Path, *, cluster_url: str | None = None, settings: dict[str, str] | None = None
    ) -> None:
        knobs = {"VWG_CANARY_SECONDS": "2", **(settings or {})}
        super().__init__(state, cluster_url=cluster_url, settings=knobs)
        state.parent.mkdir(parents=True, exist_ok=True)
        self.shim = Shim(state.parent / "shim")

    @property
    def books(self) -> Books:
        """This stack's database."""
        url = self.env.get("DATABASE_URL", "")
        return Books(url=url) if url else Books(file=self.state / "vwg.sqlite3")

    def start(self, name: str) -> None:
        """Start a program; a gateway's worker gets the shim first in its PATH."""
        if name == "gateway2" and name not in self.commands:
            self.commands[name] = [
                word.replace("gateway.local@", "second.local@") for word in self.commands["gateway"]
            ]
        plain = self.env
        if name in _WORKERS:
            self.env = {**plain, "PATH": self.shim.path}
        try:
            super().start(name)
        finally:
            self.env = plain

    def died(self, name: str) -> bool:
        """Whether a program has ended by itself (or by a fault)."""
        return self._processes[name].poll() is not None

    def revive(self, name: str, *, seconds: float = 10.0) -> None:
        """What the supervisor would do: wait until the program is dead, then start it again."""
        self.wait_until(lambda: self.died(name), f"{name} died", seconds=seconds)
        self.kill(name)
        self.start(name)

    def daemon(self) -> int:
        """The process id of this interface's wireguard-go, found by its exact command line."""
        wanted = ["wireguard-go", self.interface]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _words(entry) == wanted:
                return int(entry.name)
        raise AssertionError(f"no wireguard-go runs {self.interface}")

    def processes(self) -> dict[int, list[str]]:
        """Every process whose command line names this interface: pid -> words."""
        found = {
            int(entry.name): _words(entry)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and int(entry.name) != os.getpid()
        }
        return {pid: words for pid, words in found.items() if self.interface in words}

    def is_live(self, public_key: str) -> bool:
        """Whether a peer is on the interface."""
        return public_key in self.wg("peers").split()


def _words(process: Path) -> list[str]:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []
    return [Path(words[0]).name, *words[1:]] if words else []


@dataclass
class Answer:
    """One answer of the API."""

    status: int
    body: dict[str, Any]
    text: str
    seconds: float


class Caller:
    """A reseller's script on one kept-open connection. ``added`` and ``removed`` are its keys."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.added: dict[str, dict[str, Any]] = {}
        self.removed: set[str] = set()
        self.refused: set[str] = set()
        self._first_item = world.books.one("SELECT coalesce(max(id), 0) FROM gateways_jobitem")
        self._connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request, timed from the first byte sent to the last byte read."""
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        begin = time.monotonic()
        try:
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # kept open too long
            self._connection.close()
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
        text = answer.read().decode()
        seconds = time.monotonic() - begin
        parsed = json.loads(text) if text.startswith("{") else {}
        return Answer(answer.status, parsed, text, seconds)

    def reconnect(self) -> None:
        """Let the next request find its web process anew."""
        self._connection.close()

    def add(self, public_key: str = "", **fields: Any) -> tuple[str, Answer]:
        """POST add-peer for a new key; remembered by what was answered."""
        key = public_key or make_public_key()
        answer = self.call("POST", "/api/wg/add-peer", {"public_key": key, **fields})
        if answer.status in (200, 202):
            self.added[key] = answer.body
        else:
            self.refused.add(key)
        return key, answer

    def add_some(self, number: int) -> list[Answer]:
        """Add so many peers one after the other; every one must be accepted."""
        answers = [self.add()[1] for _ in range(number)]
        wrong = [answer for answer in answers if answer.status != 202]
        assert not wrong, f"{len(wrong)} of {number} refused, the first: {wrong[0]}"
        return answers

    def remove(self, public_key: str) -> Answer:
        """POST remove-peer."""
        answer = self.call("POST", "/api/wg/remove-peer", {"public_key": public_key})
        if answer.status in (200, 202):
            self.removed.add(public_key)
        return answer

    def job(self, answer: Answer) -> dict[str, Any]:
        """The job that an answer names, as it is now."""
        return self.call("GET", f"/api/v1/jobs/{answer.body['job']['id']}").body

    def tiers(self) -> set[int]:
        """The tiers that anything was applied by since this caller came."""
        rows = self.world.books.rows(
            "SELECT DISTINCT tier FROM gateways_jobitem WHERE tier IS NOT NULL AND id > ?",
            self._first_item,
        )
        return {tier for (tier,) in rows}

    def missing(self) -> set[str]:
        """Keys that were accepted and are not on the interface, or were removed and still are."""
        running = set(self.world.wg("peers").split())
        wanted = set(self.added) - self.removed
        return (wanted - running) | (self.removed & running)

    def wait_until_live(self, *, seconds: float = 15.0) -> float:
        """Wait until the interface is as this caller was promised; the seconds it took."""
        return self.world.wait_until(
            lambda: not self.missing(), "every accepted change is live", seconds=seconds
        )


def percentile(values: list[float], share: float) -> float:
    """Nearest rank: the smallest value that ``share`` of them do not pass."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def stop_process(pid: int) -> None:
    """SIGSTOP, to the last thread."""
    stop(pid)


def continue_process(pid: int) -> None:
    """SIGCONT."""
    os.kill(pid, signal.SIGCONT)


def make_preshared_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
