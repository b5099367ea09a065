"""The life of many clients, as a shop's server lives it: in parallel, on a network that loses
requests and answers. At the end the shop's ledger and vwg must say the same.

    python examples/provision.py --url http://localhost:8000 --token vwg_… [--clients 200]

Standard library only. Every POST carries an Idempotency-Key and is sent again until it is
answered (`network.py`). A PATCH carries as If-Match the ETag that was read: one without an answer
may still be on its way, and would undo a later one; so the shop reads again, and decides. The exit
code is 1 when a client is there twice, or is missing, or anything differs.

vwg refuses an `external_id` that a live client has, so a client with one cannot be there twice,
whatever the shop does. A quarter is sold without: what keeps those single is the Idempotency-Key
alone, and `--without-keys` shows it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from network import Api, Figures, Refused, Silence


@dataclass
class Order:
    """One line of the shop's ledger: what the customer has, as the shop believes."""

    number: str
    named: bool = True  # to vwg too, as external_id; else vwg has it among the metadata alone
    id: str = ""
    note: str = ""
    plan: str | None = None
    expires_at: str | None = None
    public_key: str = ""
    holds: set[str] = field(default_factory=set)
    gone: bool = False
    acts: Counter[str] = field(default_factory=Counter)

    @property
    def external_id(self) -> str | None:
        return self.number if self.named else None


class Life:
    """What becomes of one client, by chance."""

    def __init__(self, api: Api, order: Order, tag: str, plans: list[str], dice: random.Random):
        self.api, self.order, self.tag, self.plans, self.dice = api, order, tag, plans, dice

    def live(self, acts: int) -> None:
        """From the sale to the end of it."""
        self._create()
        for _ in range(acts):
            self.dice.choice(
                [self._suspension, self._switch, self._change_plan, self._write, self._extend,
                 self._rotate, self._look]
            )()  # fmt: skip
        end = self.dice.random()
        if end < 0.4:
            self._act("terminate", "client.deleted")
            self.order.gone = True
        if end < 0.1:
            self.order.gone = False
            self._act("restore", "client.restored", by="id")

    def _path(self, act: str = "", by: str = "external") -> str:
        by_id = by == "id" or not self.order.named
        one = self.order.id if by_id else f"by-external-id/{quote(self.order.number)}"
        return f"/clients/{one}{'/' if act else ''}{act}"

    def _act(self, act: str, event: str, body: object = None, by: str = "external") -> Any:
        answer = self.api.call("POST", self._path(act, by), {} if body is None else body)
        self.order.acts[event] += 1
        return answer

    def _create(self) -> None:
        wanted = {
            "name": f"Customer {self.order.number}", "external_id": self.order.external_id,
            "tags": [self.tag], "plan": self.plans[0],
            "metadata": {"shop": "example", "order": self.order.number},
        }  # fmt: skip
        made = self.api.call("POST", "/clients", wanted)
        order = self.order
        order.id, order.plan = made["id"], self.plans[0]
        order.expires_at = made["expires_at"]
        order.public_key = made["devices"][0]["public_key"]
        order.acts["client.created"] += 1
        self._deliver()

    def _deliver(self) -> None:
        if b"[Interface]" not in self.api.file(self._path("config"), "text/plain"):
            raise Refused(f"{self.order.number}: this is no configuration")
        if b"<svg" not in self.api.file(self._path("config"), "image/svg+xml"):
            raise Refused(f"{self.order.number}: this is no QR code")

    def _suspension(self) -> None:
        if "suspended" in self.order.holds:
            self._act("unsuspend", "client.unsuspended")
            self.order.holds.discard("suspended")
        else:
            self._act("suspend", "client.suspended", {"reason": "unpaid"})
            self.order.holds.add("suspended")

    def _switch(self) -> None:
        if "manual" in self.order.holds:
            self._act("enable", "client.enabled")
            self.order.holds.discard("manual")
        else:
            self._act("disable", "client.disabled", {"reason": "asked for a pause"})
            self.order.holds.add("manual")

    def _change_plan(self) -> None:
        other = next(plan for plan in self.plans if plan != self.order.plan)
        self._act("change-plan", "client.updated", {"plan": other})
        self.order.plan = other

    def _write(self) -> None:
        self._patch(note=f"note {self.dice.randrange(10**9)}")

    def _extend(self) -> None:
        day = self.dice.randrange(1, 28)
        self._patch(expires_at=f"2{self.dice.randrange(100, 900)}-01-{day:02}T00:00:00Z")

    def _patch(self, **fields: str) -> None:
        """Change one field, once: what is still on its way can never come after it."""
        name, value = next(iter(fields.items()))
        if getattr(self.order, name) == value:
            return
        client, tag = self.api.read(self._path())
        while client[name] != value:
            try:
                self.api.call("PATCH", self._path(), fields, if_match=tag)
            except Silence:
                pass
            except Refused as refused:
                if refused.status != 412:
                    raise
                self.api.note("changed meanwhile (412)")
            client, tag = self.api.read(self._path())
        setattr(self.order, name, value)
        self.order.acts["client.updated"] += 1

    def _rotate(self) -> None:
        answer = self._act("rotate-keys", "client.keys_rotated")
        self.order.public_key = answer["devices"][0]["public_key"]

    def _look(self) -> None:
        live = self.api.call("GET", self._path())["devices"][0]["live"]
        if live["download_bytes"] < 0:
            raise Refused("usage fell below nothing")
        self._deliver()


def compare(api: Api, orders: list[Order], tag: str) -> dict[str, list[str]]:
    """How the ledger and vwg differ, by kind."""
    found: dict[str, list[Any]] = {}
    for client in api.pages(f"/clients?tag={tag}&limit=200"):
        found.setdefault(client["metadata"]["order"], []).append(client)
    known = {order.number for order in orders if not order.gone}
    fields: list[str] = []
    books: list[str] = []
    for order in orders:
        if order.number in known & found.keys():
            fields += states(order, found[order.number][0])
        events = api.pages(f"/events?target={order.id}&limit=200")
        acts = Counter(event["action"] for event in events if event["action"] in ACTS)
        if acts != order.acts:
            books.append(f"{order.number}: shop {order.acts}, vwg {acts}")
    return {
        "clients twice": [number for number, rows in found.items() if len(rows) > 1],
        "clients missing": sorted(known - found.keys()),
        "clients unknown": sorted(found.keys() - known),
        "fields that differ": fields,
        "clients whose acts differ": books,
    }


ACTS: Final = frozenset(
    f"client.{word}"
    for word in ("created", "deleted", "restored", "suspended", "unsuspended", "enabled",
                 "disabled", "updated", "keys_rotated")
)  # fmt: skip


def states(order: Order, client: Any) -> list[str]:
    """In which fields a client differs from its line of the ledger."""
    pairs = {
        "id": (order.id, client["id"]),
        "external_id": (order.external_id, client["external_id"]),
        "note": (order.note, client["note"]),
        "plan": (order.plan, client["plan"]),
        "expires_at": (order.expires_at, client["expires_at"]),
        "public_key": (order.public_key, client["devices"][0]["public_key"]),
        "holds": (order.holds, {hold["reason"] for hold in client["holds"]}),
        "devices": (1, len(client["devices"])),
    }
    return [
        f"{order.number}: {name} is {shop!r} in the shop and {portal!r} in vwg"
        for name, (shop, portal) in pairs.items()
        if shop != portal
    ]


def settle(api: Api, tag: str, seconds: float) -> int:
    """Wait until every change has reached its interface; how many have not, in the end."""
    end = time.monotonic() + seconds
    while True:
        rows = api.pages(f"/clients?tag={tag}&limit=200")
        waiting = sum(
            device["status"] not in ("applied", "verified")
            for client in rows
            for device in client["devices"]
        )
        if not waiting or time.monotonic() > end:
            return waiting
        time.sleep(0.5)


def run(options: argparse.Namespace) -> int:
    """Live all the lives, compare, print; 0 when nothing differs."""
    figures, seed = Figures(), options.seed or random.randrange(10**6)  # noqa: S311
    api = Api(options.url, options.token, figures, keyed=not options.without_keys)
    calm = Api(options.url, options.token, Figures(), calm=True)
    tag = f"run-{uuid4().hex[:8]}"
    plans = [
        calm.call("POST", "/plans", {"name": f"{word} {tag}", "duration_days": days})["id"]
        for word, days in (("Silver", 30), ("Gold", 365))
    ]
    orders = [  # 37 spreads those without a name over the run
        Order(f"{tag}-{number:04}", named=number * 37 % 100 >= options.nameless)
        for number in range(options.clients)
    ]
    lives = [
        Life(api, order, tag, plans, random.Random(f"{seed}-{number}"))  # noqa: S311
        for number, order in enumerate(orders)
    ]
    begin = time.monotonic()
    with ThreadPoolExecutor(options.parallel) as pool:
        list(pool.map(lambda life: life.live(options.acts), lives))
    lived = time.monotonic() - begin
    waiting = settle(calm, tag, 60.0)
    differences = compare(calm, orders, tag)
    print(f"seed {seed}: {options.clients} clients, {options.parallel} at a time, {lived:.1f} s")
    for what, number in sorted(figures.counts.items()):
        print(f"  {what}: {number}")
    print(f"  acts: {sum(order.acts.total() for order in orders)}")
    print(f"  without an external id: {sum(not order.named for order in orders)}")
    print(f"  terminated: {sum(order.gone for order in orders)}")
    print(f"  not on the interface: {waiting}")
    for kind, found in differences.items():
        print(f"  {kind}: {len(found)}")
        for line in found[:5]:
            print(f"    {line}")
    wrong = waiting + sum(len(found) for found in differences.values())
    print("the ledger equals vwg" if not wrong else "THE LEDGER DIFFERS FROM VWG")
    return 1 if wrong else 0


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--acts", type=int, default=8, help="between sale and end, per client")
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nameless", type=int, default=25, help="%% without an external_id")
    parser.add_argument("--without-keys", action="store_true", help="to see what goes wrong")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
