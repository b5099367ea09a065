"""A running vwg with customers around it: a whole stack, its API, and the laboratory's clients.

The stack's own network namespace is the laboratory's gateway, so that what a test asks for over
HTTP happens on the interface through which the laboratory's packets flow.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from ipaddress import ip_interface
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.live.lab import Client, Lab, Stream, StreamResult, sh
from tests.stack.processes import Stack, run

#: WireGuard makes a new handshake by itself when a session is 120 s old (whitepaper, 6.1).
REKEY_S = 120
WORKERS = ("gateway", "control", "beat")


class Shown(NamedTuple):
    """One peer's line of `wg show INTERFACE dump`; bytes and Unix seconds, 0 is never."""

    preshared_key: str
    endpoint: str
    allowed_ips: str
    handshake: int
    rx: int
    tx: int
    keepalive: str

    @property
    def settings(self) -> tuple[str, str, str]:
        """What an operator set, without what traffic changes."""
        return self.preshared_key, self.allowed_ips, self.keepalive


class Answer(NamedTuple):
    status: int
    body: Any
    text: str


def show(interface: str) -> dict[str, Shown]:
    """Public key -> line. `wg` finds a userspace interface from any network namespace."""
    lines = sh("wg", "show", interface, "dump").splitlines()[1:]
    peers = [line.split("\t") for line in lines]
    return {
        key: Shown(psk, endpoint, allowed, int(handshake), int(rx), int(tx), keepalive)
        for key, psk, endpoint, allowed, handshake, rx, tx, keepalive in peers
    }


def strange_key() -> str:
    """A public key that nobody has the private half of."""
    return b64encode(secrets.token_bytes(32)).decode()


class Site:
    """A context manager: stack first, laboratory around it, and an operator's token."""

    def __init__(self, state: Path, *, stack: Stack | None = None, **settings: str) -> None:
        self.stack = stack or Stack(state, settings=settings)
        #: Somebody else's, who was there before and stays.
        self._is_guest = bool(stack and stack.commands)
        self._old_jobs: set[str] = set()
        self.lab = Lab("vzl", self.stack.netns)
        self._idle: list[tuple[HTTPConnection, float]] = []

    def __enter__(self) -> Self:
        if not self._is_guest:
            self.stack.__enter__()
        try:
            self.lab.__enter__()
            # A queue of 500 packets is 125 ms of the streams; a busy machine's scheduler can
            # keep user space waiting for longer, which is no fault of what is tested.
            self.lengthen_queue()
            self._token = self.stack.token("--operator")
            key, *rest = sh("wg", "show", self.interface, "dump").splitlines()[0].split("\t")[1:]
            self.public_key, self.port = key, int(rest[0])
            self._old_jobs = {job["id"] for job in self.jobs()} if self._is_guest else set()
        except BaseException:
            self.lab.close()
            if not self._is_guest:
                self.stack.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection, _ in self._idle:
            connection.close()
        self.lab.close()
        if not self._is_guest:
            self.stack.__exit__(kind, error, trace)

    @property
    def interface(self) -> str:
        return self.stack.interface

    def lengthen_queue(self) -> None:
        """After every bring-up: the device's queue is made long enough for a busy machine."""
        self.lab.run("ip", "link", "set", "dev", self.interface, "txqueuelen", "4000")

    def address(self, family: int = 4) -> str:
        """The gateway's own address in the tunnel."""
        shown = self.lab.run("ip", "-json", "address", "show", "dev", self.interface)
        wanted = "inet" if family == 4 else "inet6"
        [link] = json.loads(shown)
        return next(
            str(one["local"])
            for one in link["addr_info"]
            if one["family"] == wanted and one["scope"] == "global"
        )

    # -- the API ----------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, *, wait: int = 0) -> Answer:
        """One request to the stack's web server; any number of threads may call."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        text = None if body is None else json.dumps(body)
        connection = self._connection()
        try:
            connection.request(method, path, text, headers=headers)
            response = connection.getresponse()
            got = response.read().decode()
        except BaseException:
            connection.close()
            raise
        self._idle.append((connection, time.monotonic()))
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, json.loads(got) if is_json and got else None, got)

    def _connection(self) -> HTTPConnection:
        """One that was used a moment ago (the server closes them after a few seconds), or a new."""
        try:
            connection, used_at = self._idle.pop()
        except IndexError:
            return HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        if time.monotonic() - used_at > 1:
            connection.close()  # and opens itself again with the next request
        return connection

    def act(self, method: str, path: str, body: object = None, *, wait: int = 20) -> Any:
        """A call that must succeed and be live when it returns; its body."""
        answer = self.call(method, path, body, wait=wait)
        assert answer.status in ((200,) if wait else (200, 201, 202, 204)), answer
        return answer.body

    def status(self) -> Any:
        """The founding status call's body."""
        return self.call("GET", "/api/wg/status").body

    def add_client(self, name: str, **fields: object) -> Any:
        """A client that the portal makes the keys of, live; as the API shows it."""
        return self.act("POST", "/api/v1/clients", {"name": name, **fields})

    def config_of(self, client: Mapping[str, Any]) -> str:
        """The file that its customer downloads."""
        return self.call("GET", f"/api/v1/clients/{client['id']}/config").text

    def connect(self, name: str, **fields: object) -> Client:
        """A customer: a client of the API, its file, and a device in a namespace of its own."""
        device = self.lab.add_client(self.config_of(self.add_client(name, **fields)))
        device.wait_until_reaches(self.address())
        return device

    def jobs(self) -> Iterator[Any]:
        """Every job since this site began, newest first."""
        page = "/api/v1/jobs?limit=200"
        while page:
            body = self.call("GET", page).body
            yield from (job for job in body["results"] if job["id"] not in self._old_jobs)
            page = (body["next"] or "").removeprefix(self.stack.url)
            page = page[page.index("/api") :] if page else ""

    def in_parallel(self, act: Callable[[Any], object], things: Sequence[Any]) -> None:
        """Do the same for many things, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, things))

    # -- the host ---------------------------------------------------------------------------

    def peers(self) -> dict[str, Shown]:
        return show(self.interface)

    def settings(self) -> dict[str, tuple[str, str, str]]:
        """What is set of every peer, without endpoints and counters."""
        return {key: shown.settings for key, shown in self.peers().items()}

    def wg_set(self, *words: str) -> None:
        """An operator's `wg set`, past vwg."""
        sh("wg", "set", self.interface, *words)

    def python(self, program: str) -> str:
        """A program inside vwg (`manage.py shell`), with the interface's row and its station."""
        head = (
            "from gateways.models import Interface\n"
            "from gateways.drivers import station\n"
            "interface = Interface.objects.select_related('gateway').get(is_default=True)\n"
            "post = station(interface)\n"
        )
        return self.stack.manage("shell", "--no-imports", "-c", head + program)

    def sql(self, *statements: str) -> None:
        """Statements past every rule of vwg's, in one transaction, foreign keys unchecked."""
        self.python(
            "from django.db import connection, transaction\n"
            "with connection.constraint_checks_disabled(), transaction.atomic(), "
            "connection.cursor() as cursor:\n"
            f"    for statement in {list(statements)!r}: cursor.execute(statement)\n"
        )

    def set_config_file_path(self, path: str) -> None:
        """Where the global settings put the default interface's boot file; "" is vwg's own."""
        self.python(
            "from gateways.models import GlobalSetting\n"
            f"GlobalSetting.objects.update(config_file_path={path!r})\n"
        )

    def observe(self) -> None:
        """One observation by another process than the stack's workers."""
        self.python(
            "from control.observe import observe_interface\n"
            "found = observe_interface(interface_id=interface.pk)\n"
            "assert found is not None\n"
        )

    @contextmanager
    def without_workers(self, *names: str) -> Iterator[None]:
        """The workers are stopped meanwhile (all of them, or those named)."""
        for name in names or WORKERS:
            self.stack.stop(name)
        try:
            yield
        finally:
            for name in names or WORKERS:
                self.stack.start(name)

    def delete_link(self) -> None:
        """What a reboot or an outsider does to the interface; its daemon ends with it."""
        wanted = ["wireguard-go", self.interface]
        pids = [pid for pid in self.lab.daemon_pids() if _words(pid) == wanted]
        run("ip", "-n", self.stack.netns, "link", "del", self.interface)
        self.stack.wait_until(
            lambda: not set(pids) & set(self.lab.daemon_pids()), "the daemon ends", seconds=5
        )

    def link_exists(self) -> bool:
        return bool(self.lab.run("ip", "link", "show", "dev", self.interface, check=False))


def _words(pid: int) -> list[str]:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]


def put_first(pids: Iterable[int]) -> None:
    """These processes run before all others of the machine (real time, round robin).

    What a busy machine keeps waiting for CPU loses packets by itself. The tunnel's ends and the
    streams come first, so that a packet that is missing was lost by a change.
    """
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setscheduler(int(task), os.SCHED_RR, os.sched_param(10))


class Sampler:
    """An outsider that reads the interface every 50 ms, and tells what a bystander suffered."""

    def __init__(self, interface: str, keys: Sequence[str], every_s: float = 0.05) -> None:
        self._interface, self._keys, self._every_s = interface, keys, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._error: BaseException | None = None
        self.samples = 0
        #: In words: what a bystander must never see.
        self.injuries: list[str] = []
        #: Renewals of sessions that were 120 s old: WireGuard's own.
        self.rekeys = 0

    def __enter__(self) -> Self:
        self._last = show(self._interface)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._every_s):
                now = show(self._interface)
                for key in self._keys:
                    self._compare(key, self._last[key], now.get(key))
                self._last = {**self._last, **now}
                self.samples += 1
        except BaseException as error:  # raised in the test's own thread, by `__exit__`
            self._error = error

    def _compare(self, key: str, before: Shown, after: Shown | None) -> None:
        name = key[:8]
        if after is None:
            self.injuries.append(f"{name} is not on the interface")
            return
        if after.rx < before.rx or after.tx < before.tx:
            self.injuries.append(f"{name}: counters fell from {before[4:6]} to {after[4:6]}")
        if after.handshake - before.handshake >= REKEY_S:
            self.rekeys += 1
        elif after.handshake != before.handshake:
            self.injuries.append(f"{name}: a new handshake")
        if (after.settings, after.endpoint) != (before.settings, before.endpoint):
            self.injuries.append(f"{name}: settings or endpoint changed")


class Witness:
    """Bystanders who send and receive 2,000 packets/s each, watched by a `Sampler`.

    ::

        with Witness(site, bystanders) as witness:
            ...
        assert witness.lost == 0 and witness.sampler.injuries == []
    """

    def __init__(self, site: Site, bystanders: Sequence[Client]) -> None:
        address = site.address()
        for client in bystanders:
            client.wait_until_reaches(address)
        lab = site.lab
        self._pids = [
            *lab.daemon_pids(),
            *(pid for client in bystanders for pid in lab.daemon_pids(client.netns)),
        ]
        self._streams = [
            Stream(client, site.stack.netns, address, port=7777 + number)
            for number, client in enumerate(bystanders)
        ]
        self.sampler = Sampler(site.interface, [client.public_key for client in bystanders])

    def __enter__(self) -> Self:
        put_first(self._pids)
        for stream in self._streams:
            put_first(end.pid for end in stream._ends)
            stream.__enter__()
        self.sampler.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.sampler.__exit__(kind, error, trace)
        finally:
            for stream in self._streams:
                stream.__exit__(kind, error, trace)

    @property
    def results(self) -> list[StreamResult]:
        return [stream.result for stream in self._streams]

    @property
    def sent(self) -> int:
        return sum(result.up.sent + result.down.sent for result in self.results)

    @property
    def lost(self) -> int:
        return sum(result.lost for result in self.results)

    @property
    def longest_gap_s(self) -> float:
        ways = [way for result in self.results for way in (result.up, result.down)]
        return max(way.longest_gap_s for way in ways)

    @property
    def packets_per_s(self) -> float:
        """The slowest of the four directions, as it was really sent."""
        return min(min(r.up.sent, r.down.sent) / r.seconds for r in self.results)


def control_run(site: Site, bystanders: Sequence[Client], seconds: float) -> Witness:
    """The same streams while nothing happens: what the machine loses by itself."""
    with Witness(site, bystanders) as witness:
        time.sleep(seconds)
    return witness


def tunnel_address(client: Mapping[str, Any], version: int = 4) -> str:
    """A client's own address, as the API shows it, without its prefix length."""
    addresses = [ip_interface(text) for text in client["devices"][0]["addresses"]]
    return str(next(one.ip for one in addresses if one.version == version))
