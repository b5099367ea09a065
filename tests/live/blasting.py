"""A client at full speed in the laboratory, and what the kernels on both sides count of it.

`Counted` counts inner bytes (headers included) on the gateway, behind the cut-off; the bill is
WireGuard's own counters. `Blast` sends as much as goes through, one way, until it is stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from types import TracebackType
from typing import NamedTuple, Self

from tests.live.lab import ROOT, Client, Lab, inside

#: Behind every other chain of the path: what is counted here has passed.
_COUNTERS = """add table inet passed
delete table inet passed
table inet passed {{
counter up {{ }}
counter down {{ }}
chain u {{ {up} }}
chain d {{ {down} }}
chain f {{ type filter hook forward priority 200;
iifname "{name}" jump u
oifname "{name}" jump d
}}
chain i {{ type filter hook input priority 200; iifname "{name}" jump u; }}
chain o {{ type filter hook output priority 200; oifname "{name}" jump d; }}
}}
"""


class Passed(NamedTuple):
    """Inner bytes and packets that the gateway let pass, upwards and downwards."""

    up: int
    down: int
    packets: int

    @property
    def both(self) -> int:
        return self.up + self.down


class Counted:
    """What passes of one client through an interface of the gateway; one at a time."""

    def __init__(self, lab: Lab, interface: str, client: Client) -> None:
        self._lab, self._interface, self._key = lab, interface, client.public_key
        rules = {
            way: "".join(
                f"{'ip6' if ':' in own else 'ip'} {end} {own} counter name {way}\n"
                for own in client.tunnel_ips
            )
            for way, end in (("up", "saddr"), ("down", "daddr"))
        }
        lab.run("nft", "-f", "-", stdin=_COUNTERS.format(name=interface, **rules))

    def now(self) -> Passed:
        listed = json.loads(
            self._lab.run("nft", "-j", "list", "counters", "table", "inet", "passed")
        )
        found = {one["counter"]["name"]: one["counter"] for one in listed["nftables"][1:]}
        up, down = found["up"], found["down"]
        return Passed(up["bytes"], down["bytes"], up["packets"] + down["packets"])

    def bill(self) -> int:
        """What WireGuard counted of the client, both ways."""
        for line in self._lab.run("wg", "show", self._interface, "transfer").splitlines():
            public, rx, tx = line.split("\t")
            if public == self._key:
                return int(rx) + int(tx)
        raise AssertionError("the peer is gone")

    def settle(self, within_s: float = 20.0, quiet_s: float = 0.4) -> tuple[Passed, float]:
        """Wait until hardly anything passes any more; what has passed, and when it stopped
        (monotonic).
        """
        deadline = time.monotonic() + within_s
        last, since = self.now(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now = self.now()
            if now.both != last.both:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > quiet_s:
                return last, since
        raise AssertionError("it never stopped")


class Blast:
    """One way at full speed between a client and an address in another namespace."""

    def __init__(
        self,
        client: Client,
        netns: str,
        address: str,
        *,
        up: bool,
        udp: bool,
        size: int = 1200,
        mbit: int = 300,
        port: int = 9000,
    ) -> None:
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        common = ["--address", where, "--size", str(size), "--mbit", str(mbit)]
        common += ["--udp"] if udp else []
        self._netns, self._client = netns, client
        self._serve = ["serve", *common, *([] if up else ["--sends"])]
        self._call = ["call", *common, *(["--sends"] if up else [])]
        self._ends: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        for netns, arguments in ((self._netns, self._serve), (self._client.netns, self._call)):
            end = _start(netns, arguments)
            self._ends.append(end)
            assert end.stdout is not None
            assert end.stdout.readline() == "ready\n"
        self.began = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            end.kill()
            end.communicate()


def _start(netns: str, arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["ip", "netns", "exec", netns, sys.executable, "-m", "tests.live.blast", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )


class Arrived:
    """What comes out of the client's tunnel: a gateway also counts what its tunnel then drops."""

    def __init__(self, client: Client) -> None:
        self._netns = client.netns
        text = (
            "add table inet arrived\ndelete table inet arrived\n"
            "table inet arrived { counter bytes_out { }\n"
            "chain i { type filter hook input priority 200;\n"
            f'iifname "{client.interface}" counter name bytes_out; }}; }}\n'
        )
        inside(self._netns, "nft", "-f", "-", stdin=text)

    def now(self) -> int:
        listed = json.loads(
            inside(self._netns, "nft", "-j", "list", "counters", "table", "inet", "arrived")
        )
        return int(listed["nftables"][1]["counter"]["bytes"])
