"""A client that crosses its quota on a running vwg, and what was seen of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Any, NamedTuple

from tests.live.blasting import Arrived, Blast, Counted
from tests.live.conftest import Figure
from tests.live.lab import Client
from tests.live.site import Site

_QUIET_S = 0.5


class Buyer(NamedTuple):
    """A client of the API, and its device."""

    id: str
    device: Client


class Crossing(NamedTuple):
    """``inner``: bytes that passed beyond what was sold, as its customer counts them; ``billed``:
    the same on the bill. ``after_s``: from the crossing on the bill to the last byte that passed.
    ``off_after_s``: from the last byte to the hold.
    """

    mbit: float
    inner: int
    billed: int
    after_s: float
    off_after_s: float


class Shop:
    """Sells quotas on a running vwg."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def sell(self, name: str, quota: int) -> Buyer:
        body = self.site.add_client(name, quota_bytes=quota)
        device = self.site.lab.add_client(self.site.config_of(body))
        device.wait_until_reaches(self.site.address())
        return Buyer(body["id"], device)

    def client(self, buyer: Buyer) -> Any:
        return self.site.call("GET", f"/api/v1/clients/{buyer.id}").body

    def used(self, buyer: Buyer) -> int:
        """What it is billed for in its period, by a ledger that is up to date."""
        self.site.observe()
        return int(self.client(buyer)["usage"]["used_bytes"])

    def is_held(self, buyer: Buyer) -> bool:
        return any(one["reason"] == "quota" for one in self.client(buyer)["holds"])

    def place(self, where: str) -> tuple[str, str]:
        """The namespace and the address of "gateway" or "beyond"."""
        if where == "gateway":
            return self.site.stack.netns, self.site.address()
        return self.site.lab.beyond_netns, self.site.lab.beyond_ip

    def cross(
        self,
        buyer: Buyer,
        quota: int,
        where: str,
        *,
        up: bool,
        udp: bool,
        mbit: int = 300,
        fresh: bool = True,
    ) -> Crossing:
        """Send until nothing passes any more and the client is held, and tell what was seen.

        ``fresh``: all it ever did counts; else its period has just begun.
        """
        netns, address = self.place(where)
        counted = Counted(self.site.lab, self.site.interface, buyer.device)
        arrived = Arrived(buyer.device)
        paid = counted.bill()
        left = quota - paid if fresh else quota
        seen: list[tuple[float, int, int]] = []
        blast = Blast(buyer.device, netns, address, up=up, udp=udp, mbit=mbit)
        with blast:
            deadline = time.monotonic() + 60
            last = time.monotonic()
            while time.monotonic() < deadline:
                passed = counted.now().up + arrived.now()
                seen.append((time.monotonic(), passed, counted.bill() - paid))
                if len(seen) < 2 or passed != seen[-2][1]:
                    last = seen[-1][0]
                if time.monotonic() - last > _QUIET_S and self.is_held(buyer):
                    break
                time.sleep(0.02)
            else:
                raise AssertionError("it was never stopped")
            held = time.monotonic()
        crossed = next(at for at, _, bill in seen if bill >= left)
        total = seen[-1][1]
        return Crossing(
            total * 8 / 1e6 / (last - blast.began),
            total - left,
            seen[-1][2] - left,
            max(0.0, last - crossed),
            max(0.0, held - last),
        )


def tell(figure: Figure, name: str, crossings: Sequence[Crossing]) -> None:
    """Print p50, p95 and the highest of everything."""
    for field in ("inner", "billed", "after_s", "off_after_s"):
        values = sorted(float(getattr(one, field)) for one in crossings)
        ranks = quantiles(values, n=20, method="inclusive") if values[1:] else values * 19
        for rank, value in (("p50", ranks[9]), ("p95", ranks[18]), ("max", values[-1])):
            figure(f"{name}.{field}.{rank}", value if field.endswith("_s") else round(value))
    figure(f"{name}.slowest_mbit", min(one.mbit for one in crossings))
    figure(f"{name}.runs", len(crossings))
