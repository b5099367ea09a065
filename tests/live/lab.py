"""The laboratory of the live tests: a gateway, clients and a host beyond, each in a namespace.

::

    client 1 (10.99.0.11, fd99::11) -+
    client 2 (10.99.0.12, fd99::12) -+- bridge - gateway (10.99.0.1, fd99::1)
    ...                                             | 10.99.1.1, fd99:1::1
                                                beyond (10.99.1.2, fd99:1::2)

The host beyond has no route back to any tunnel address, so that a reply proves NAT; the gateway's
default route leads to it. Clients are wireguard-go with configurations as customers get them; the
gateway's interface is left to what is tested. Names are unique on the machine (wireguard-go's
sockets are shared by all namespaces), and whatever runs in the laboratory ends with it.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]
SOCKETS = Path("/var/run/wireguard")
GATEWAY_IP, GATEWAY_IP6 = "10.99.0.1", "fd99::1"
BEYOND_IP, BEYOND_IP6 = "10.99.1.2", "fd99:1::2"
_QUEUE_PACKETS = "4000"
# IPv6 announces itself when a link comes up; that would begin a handshake before the gateway is
# there, and WireGuard waits five seconds before it tries again.
_QUIET = """table inet quiet { chain out { type filter hook output priority 0;
oifname "%s" ip6 daddr ff00::/8 drop; }; }
"""
_NOT_FOR_WG = {"address", "dns", "mtu", "table", "preup", "postup", "predown", "postdown"}


def sh(*argv: str, stdin: str = "", check: bool = True, timeout: float = 30.0) -> str:
    """Run a command and return its standard output; a failure shows its standard error."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def inside(netns: str, *argv: str, stdin: str = "", check: bool = True) -> str:
    """Run a command inside a network namespace."""
    return sh("ip", "netns", "exec", netns, *argv, stdin=stdin, check=check)


def generate_keys() -> tuple[str, str]:
    """A private key and its public key, from ``wg``: independent of what is tested."""
    private = sh("wg", "genkey").strip()
    return private, sh("wg", "pubkey", stdin=private).strip()


class PingResult(NamedTuple):
    sent: int
    received: int


class Ping:
    """A ping that runs while something else happens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait(self, timeout: float = 60.0) -> PingResult:
        """Wait for the last reply, and count."""
        return _counted(self._process.communicate(timeout=timeout)[0])

    def stop(self) -> PingResult:
        """End it now (SIGINT), and count; a last request that was still on its way is not."""
        time.sleep(0.05)
        self._process.send_signal(signal.SIGINT)
        output = self._process.communicate(timeout=60.0)[0]
        result = _counted(output)
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+)", output)}
        last_alone = result.received == result.sent - 1 and result.sent not in answered
        return PingResult(result.sent - last_alone, result.received)


def _counted(output: str) -> PingResult:
    for line in output.splitlines():
        if "packets transmitted" in line:
            words = line.split()
            return PingResult(int(words[0]), int(words[3]))
    return PingResult(0, 0)


@dataclass
class Client:
    """One customer's device: its namespace, its interface and its configuration."""

    netns: str
    interface: str
    config: str
    underlay_ip: str
    underlay_ip6: str
    tunnel_ips: tuple[str, ...]
    private_key: str
    public_key: str

    def ping(self, address: str, count: int = 3, interval: float = 0.05, wait: float = 1.0) -> int:
        """How many of ``count`` pings through the tunnel were answered."""
        output = inside(self.netns, *_ping(address, count, interval, wait), check=False)
        return _counted(output).received

    def start_ping(self, address: str, count: int = 100_000, interval: float = 0.01) -> Ping:
        """Ping in the background: `Ping.wait` or `Ping.stop` counts."""
        words = [word for word in _ping(address, count, interval, 1.0) if word != "-q"]
        argv = ["ip", "netns", "exec", self.netns, *words]
        return Ping(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))

    def wait_until_reaches(self, address: str, within_s: float = 10.0) -> float:
        """Ping until the first answer; return the seconds it took, or fail."""
        begin = time.monotonic()
        while not self.ping(address, count=1, wait=0.25):
            if time.monotonic() - begin > within_s:
                raise AssertionError(f"{address} did not answer within {within_s} s")
        return time.monotonic() - begin

    def switch_off(self) -> None:
        """The tunnel, and with it its sessions; `reconfigure` switches it on again."""
        inside(self.netns, "ip", "link", "set", self.interface, "down")

    def handshakes(self) -> dict[str, int]:
        """The last handshake with each peer (Unix seconds, 0 is never)."""
        return {line[0]: int(line[4]) for line in self._dump()}

    def counters(self) -> dict[str, tuple[int, int]]:
        """What this client counts with each peer: (rx, tx) in bytes."""
        return {line[0]: (int(line[5]), int(line[6])) for line in self._dump()}

    def _dump(self) -> list[list[str]]:
        lines = inside(self.netns, "wg", "show", self.interface, "dump").splitlines()
        return [line.split("\t") for line in lines[1:]]


def _ping(address: str, count: int, interval: float, wait: float) -> list[str]:
    return ["ping", "-n", "-q", "-c", str(count), "-i", str(interval), "-W", str(wait), address]


class Lab:
    """A context manager; see the module. ``prefix``: at most 4 letters, one per test suite.

    ``gateway_netns``: a namespace that somebody else made (a running vwg's) becomes the gateway;
    only what the laboratory put into it is taken away again.
    """

    def __init__(self, prefix: str = "vwl", gateway_netns: str | None = None) -> None:
        self._tag = f"{prefix}{secrets.token_hex(3)}"
        self._namespaces: list[str] = []
        self._interfaces: list[str] = []
        self.clients: list[Client] = []
        self._owns_gateway = gateway_netns is None
        self.gateway_netns = gateway_netns or f"{self._tag}-g"
        self.beyond_netns = f"{self._tag}-b"
        self.gateway_ip, self.gateway_ip6 = GATEWAY_IP, GATEWAY_IP6
        self.beyond_ip, self.beyond_ip6 = BEYOND_IP, BEYOND_IP6

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _build(self) -> None:
        gateway, beyond = self.gateway_netns, self.beyond_netns
        if self._owns_gateway:
            self._add_namespace(gateway)
        self._add_namespace(beyond)
        # An address of its own: a bridge takes its lowest port's otherwise, so that every client
        # that joins may change it, and what the others send to the old one is lost.
        inside(gateway, "ip", "link", "add", "br0", "address", "02:00:00:00:00:01",
               "type", "bridge", "forward_delay", "0")  # fmt: skip
        self._addresses(gateway, "br0", f"{GATEWAY_IP}/24", f"{GATEWAY_IP6}/64")
        sh("ip", "link", "add", "up0", "netns", gateway, "type", "veth",
           "peer", "name", "eth0", "netns", beyond)  # fmt: skip
        self._addresses(gateway, "up0", "10.99.1.1/24", "fd99:1::1/64")
        self._addresses(beyond, "eth0", f"{BEYOND_IP}/24", f"{BEYOND_IP6}/64")
        inside(gateway, "ip", "route", "add", "default", "via", BEYOND_IP)
        inside(gateway, "ip", "-6", "route", "add", "default", "via", BEYOND_IP6)

    def _add_namespace(self, netns: str) -> None:
        sh("ip", "netns", "add", netns)
        self._namespaces.append(netns)
        inside(netns, "ip", "link", "set", "lo", "up")

    @staticmethod
    def _addresses(netns: str, device: str, *addresses: str) -> None:
        for address in addresses:
            flags = ["nodad"] if ":" in address else []
            inside(netns, "ip", "address", "add", address, "dev", device, *flags)
        inside(netns, "ip", "link", "set", device, "up")

    def unique_name(self) -> str:
        """A name for a WireGuard interface, unique on the machine; cleaned up with the rest."""
        name = f"{self._tag[:9]}{secrets.token_hex(2)}"
        self._interfaces.append(name)
        return name

    def run(self, *argv: str, stdin: str = "", check: bool = True) -> str:
        """Run a command in the gateway's namespace."""
        return inside(self.gateway_netns, *argv, stdin=stdin, check=check)

    def add_client(
        self,
        config: str = "",
        *,
        server_key: str = "",
        port: int = 0,
        addresses: Sequence[str] = (),
        private_key: str = "",
        preshared_key: str = "",
        routes: Sequence[str] = ("0.0.0.0/0", "::/0"),
        keepalive: int = 0,
        over_ipv6: bool = False,
        mtu: int = 1380,
    ) -> Client:
        """A device with this configuration file, or with one made of the fields."""
        if not config:
            host = f"[{self.gateway_ip6}]" if over_ipv6 else self.gateway_ip
            config = _client_config(
                private_key or generate_keys()[0],
                tuple(addresses),
                server_key,
                f"{host}:{port}",
                tuple(routes),
                keepalive,
                preshared_key,
                mtu,
            )
        number = 11 + len(self.clients)
        netns = f"{self._tag}-{number}"
        self._add_namespace(netns)
        sh("ip", "link", "add", "eth0", "netns", netns, "type", "veth",
           "peer", "name", f"c{number}", "netns", self.gateway_netns)  # fmt: skip
        inside(self.gateway_netns, "ip", "link", "set", f"c{number}", "master", "br0", "up")
        underlay = (f"10.99.0.{number}", f"fd99::{number}")
        self._addresses(netns, "eth0", f"{underlay[0]}/24", f"{underlay[1]}/64")
        client = _start_client(netns, self.unique_name(), config, underlay)
        self.clients.append(client)
        return client

    def daemon_pids(self, netns: str | None = None) -> list[int]:
        """The wireguard-go processes in a namespace (the gateway's)."""
        pids = sh("ip", "netns", "pids", netns or self.gateway_netns).split()
        return [int(pid) for pid in pids if _program(int(pid)) == "wireguard-go"]

    def close(self) -> None:
        """End everything: processes, links, namespaces, sockets. Can be called again."""
        killed: set[int] = set()
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 2.0
            while pids := self._pids():
                killed.update(pids)
                for pid in pids:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
                        os.kill(pid, number)
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
        # A process leaves its namespaces a moment before it is gone.
        deadline = time.monotonic() + 2.0
        while any(is_alive(pid) for pid in killed) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self._owns_gateway:  # by hand: a namespace's links go some time after it
            for link in ("br0", "up0", *(f"c{11 + n}" for n in range(len(self.clients) + 1))):
                self.run("ip", "link", "del", link, check=False)
        for netns in self._namespaces:
            sh("ip", "netns", "del", netns, check=False)
        for name in self._interfaces:
            (SOCKETS / f"{name}.sock").unlink(missing_ok=True)
        self._namespaces.clear()

    def _pids(self) -> list[int]:
        found = (sh("ip", "netns", "pids", name, check=False) for name in self._namespaces)
        own = os.getpid()
        return [int(pid) for pids in found for pid in pids.split() if int(pid) != own]


def is_alive(pid: int) -> bool:
    """Whether a process runs: one that nobody has reaped yet (a zombie) does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _client_config(
    private_key: str,
    addresses: tuple[str, ...],
    server_key: str,
    endpoint: str,
    routes: tuple[str, ...],
    keepalive: int,
    preshared_key: str,
    mtu: int,
) -> str:
    lines = [
        "[Interface]",
        f"PrivateKey = {private_key}",
        f"Address = {', '.join(addresses)}",
        f"MTU = {mtu}",
        "[Peer]",
        f"PublicKey = {server_key}",
        f"AllowedIPs = {', '.join(routes)}",
        f"Endpoint = {endpoint}",
    ]
    if preshared_key:
        lines.append(f"PresharedKey = {preshared_key}")
    if keepalive:
        lines.append(f"PersistentKeepalive = {keepalive}")
    return "\n".join(lines) + "\n"


def _settings(config: str, key: str) -> list[str]:
    """All values of a setting, lists taken apart."""
    values: list[str] = []
    for line in config.splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() == key:
            values += [part.strip() for part in value.split(",") if part.strip()]
    return values


def reconfigure(client: Client, config: str) -> None:
    """The device gets another file: keys, addresses, and where its gateway is."""
    netns, name = client.netns, client.interface
    inside(netns, "wg", "syncconf", name, "/dev/stdin", stdin=_for_wg(config))
    inside(netns, "ip", "address", "flush", "dev", name, "scope", "global")
    Lab._addresses(netns, name, *_settings(config, "address"))
    _route(netns, name, config)


def _for_wg(config: str) -> str:
    kept = [
        line
        for line in config.splitlines()
        if line.partition("=")[0].strip().lower() not in _NOT_FOR_WG
    ]
    return "\n".join(kept) + "\n"


def _route(netns: str, name: str, config: str) -> None:
    for route in _settings(config, "allowedips"):
        family = "-6" if ":" in route else "-4"
        inside(netns, "ip", family, "route", "replace", route, "dev", name)


def _start_client(netns: str, name: str, config: str, underlay: tuple[str, str]) -> Client:
    """What wg-quick(8) does with the file, by other means than the code under test."""
    inside(netns, "wireguard-go", name)
    inside(netns, "nft", "-f", "-", stdin=_QUIET % name)
    inside(netns, "wg", "addconf", name, "/dev/stdin", stdin=_for_wg(config))
    addresses = _settings(config, "address")
    mtu = (_settings(config, "mtu") or ["1420"])[0]
    inside(netns, "ip", "link", "set", name, "mtu", mtu, "txqueuelen", _QUEUE_PACKETS)
    Lab._addresses(netns, name, *addresses)
    _route(netns, name, config)
    private = _settings(config, "privatekey")[0]
    return Client(
        netns=netns,
        interface=name,
        config=config,
        underlay_ip=underlay[0],
        underlay_ip6=underlay[1],
        tunnel_ips=tuple(str(ipaddress.ip_interface(text).ip) for text in addresses),
        private_key=private,
        public_key=sh("wg", "pubkey", stdin=private).strip(),
    )


@dataclass(frozen=True)
class Way:
    """One direction of a stream. ``longest_gap_s``: the longest silence at the receiver."""

    sent: int
    received: int
    longest_gap_s: float
    missing: tuple[tuple[int, int], ...]

    @property
    def lost(self) -> int:
        return self.sent - self.received


@dataclass(frozen=True)
class StreamResult:
    """Both directions, seen from the client."""

    up: Way
    down: Way
    seconds: float
    cpu_s: float

    @property
    def lost(self) -> int:
        return self.up.lost + self.down.lost


class Stream:
    """A game: numbered UDP packets both ways between a client and an address in a namespace.

    ::

        with Stream(client, lab.gateway_netns, "10.252.0.1") as stream:
            ...                       # whatever must not disturb it
        assert stream.result.lost == 0

    ``rate`` is packets a second each way. Send a ping first: a handshake is not the stream's.
    """

    result: StreamResult

    def __init__(
        self,
        client: Client,
        netns: str,
        address: str,
        *,
        rate: int = 2000,
        payload: int = 100,
        port: int = 7777,
    ) -> None:
        index = 1 if ":" in address else 0
        near = next(ip for ip in client.tunnel_ips if (":" in ip) == bool(index))
        here, there = _host_port(near, port), _host_port(address, port)
        common = ["--rate", str(rate), "--payload", str(payload)]
        self._ends = [
            _start_end(client.netns, ["--bind", here, "--peer", there, *common]),
            _start_end(netns, ["--bind", there, "--peer", here, *common]),
        ]

    def __enter__(self) -> Self:
        for end in self._ends:
            assert end.stdout is not None
            assert end.stdout.readline() == "ready\n"
        for end in self._ends:
            assert end.stdin is not None
            end.stdin.write("go\n")
            end.stdin.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            assert end.stdin is not None
            end.stdin.close()
            end.stdin = None
        reports: list[dict[str, Any]] = []
        for end in self._ends:
            output, _ = end.communicate(timeout=30.0)
            reports.append(json.loads(output))
        near, far = reports
        self.result = StreamResult(
            up=_way(near, far),
            down=_way(far, near),
            seconds=near["seconds"],
            cpu_s=near["cpu_s"] + far["cpu_s"],
        )


def _way(sender: dict[str, Any], receiver: dict[str, Any]) -> Way:
    gap = max(float(receiver["longest_gap_s"]), float(receiver["silent_end_s"]))
    runs = tuple((int(first), int(count)) for first, count in receiver["missing"])
    return Way(int(sender["sent"]), int(receiver["received"]), gap, runs)


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _start_end(netns: str, arguments: list[str]) -> subprocess.Popen[str]:
    argv = ["ip", "netns", "exec", netns, sys.executable, "-m", "tests.live.stream", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )
