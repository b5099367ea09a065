"""The life of many clients, as a shop's server lives it: in parallel, on a network that loses
requests and answers. At the end the shop's ledger and vwg must say the same.

    python examples/provision.py --url http://localhost:8000 --token vwg_… [--clients 200]

Standard library only. Every POST carries an Idempotency-Key and is sent again until it is
answered. A PATCH carries If-Match: one whose answer was lost may still be on its way, and would
undo a later one; so the shop reads again, and decides. The exit code is 1 when a client is there
twice, or is lost, or anything differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

#: How often a request is hung up on before its answer, or given next to no time.
HANG_UP, NO_TIME = 0.12, 0.08
TIMEOUT_S: Final = 30.0
GIVE_UP_S: Final = 180.0


class Refused(Exception):
    """An answer of 400 or more that asking again does not mend."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Silence(Exception):
    """The answer was lost, and the request must not be sent again as it is."""


@dataclass
class Figures:
    """What happened on the network."""

    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


class Api:
    """One portal, one token, any number of threads; each request on a connection of its own."""

    def __init__(self, url: str, token: str, figures: Figures, *, calm: bool = False) -> None:
        self._parts = urlsplit(url)
        self._token = token
        self._figures = figures
        self._calm = calm
        self._dice = random.Random()  # noqa: S311  chance, not a secret

    def call(
        self, method: str, path: str, body: object = None, accept: str = "", version: int = 0
    ) -> Any:
        """Ask until there is an answer: JSON, or bytes for another ``accept``. Raises Refused.

        With ``version`` the request says If-Match, and is sent once: raises Silence.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept or "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body)
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        if version:
            headers["If-Match"] = f'"{version}"'
        end = time.monotonic() + GIVE_UP_S
        for attempt in range(1, 1000):
            if time.monotonic() > end:
                raise Refused(f"{method} {path}: no answer in {GIVE_UP_S:.0f} s")
            self._figures.note("requests" if attempt == 1 else "sent again")
            try:
                status, again, content = self._once(method, path, headers, data)
            except (OSError, HTTPException):
                self._figures.note("lost")
                if version:
                    raise Silence from None
                time.sleep(self._dice.uniform(0.0, 0.1) * min(attempt, 10))
                continue
            if status < 400:
                return json.loads(content or b"null") if not accept else content
            if again is None and status < 500:
                raise Refused(f"{method} {path}: {status} {content.decode()}", status)
            self._figures.note(f"told to wait ({status})")
            time.sleep(min(float(again or 0.5), 30.0))
        raise AssertionError("unreachable")

    def note(self, what: str) -> None:
        """Count something that happened."""
        self._figures.note(what)

    def _once(
        self, method: str, path: str, headers: dict[str, str], data: str | None
    ) -> tuple[int, str | None, bytes]:
        """One request, and perhaps an accident: status, Retry-After and body of the answer."""
        accident = 1.0 if self._calm else self._dice.random()
        timeout = TIMEOUT_S
        if HANG_UP <= accident < HANG_UP + NO_TIME:
            timeout = self._dice.uniform(0.001, 0.05)
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(str(self._parts.netloc), timeout=timeout)
        try:
            connection.request(method, f"/api/v1{path}", data, headers)
            if accident < HANG_UP:
                time.sleep(self._dice.uniform(0.0, 0.02))
                raise ConnectionAbortedError("hung up before the answer")
            answer: HTTPResponse = connection.getresponse()
            if answer.headers.get("Idempotency-Replayed"):
                self._figures.note("answered again")
            return answer.status, answer.headers.get("Retry-After"), answer.read()
        except TimeoutError as error:
            raise TimeoutError from error
        finally:
            connection.close()

    def pages(self, path: str) -> Iterator[Any]:
        """Every row of a list."""
        page = path
        while True:
            found = self.call("GET", page)
            yield from found["results"]
            if found["next"] is None:
                return
            page = f"{path.partition('?')[0]}?{urlsplit(found['next']).query}"


@dataclass
class Order:
    """One line of the shop's ledger: what the customer has, as the shop believes."""

    number: str
    id: str = ""
    note: str = ""
    plan: str | None = None
    expires_at: str | None = None
    public_key: str = ""
    holds: set[str] = field(default_factory=set)
    gone: bool = False
    acts: Counter[str] = field(default_factory=Counter)


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
        named = self.order.id if by == "id" else f"by-external-id/{quote(self.order.number)}"
        return f"/clients/{named}{'/' if act else ''}{act}"

    def _act(self, act: str, event: str, body: object = None, by: str = "external") -> Any:
        answer = self.api.call("POST", self._path(act, by), {} if body is None else body)
        self.order.acts[event] += 1
        return answer

    def _create(self) -> None:
        wanted = {
            "name": f"Customer {self.order.number}", "external_id": self.order.number,
            "tags": [self.tag], "plan": self.plans[0], "metadata": {"shop": "example"},
        }  # fmt: skip
        made = self.api.call("POST", "/clients", wanted)
        order = self.order
        order.id, order.plan = made["id"], self.plans[0]
        order.expires_at = made["expires_at"]
        order.public_key = made["devices"][0]["public_key"]
        order.acts["client.created"] += 1
        self._deliver()

    def _deliver(self) -> None:
        if b"[Interface]" not in self.api.call("GET", self._path("config"), accept="text/plain"):
            raise Refused(f"{self.order.number}: this is no configuration")
        if b"<svg" not in self.api.call("GET", self._path("config"), accept="image/svg+xml"):
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
        """Change one field, once: what was lost on the way can never come after it."""
        name, value = next(iter(fields.items()))
        if getattr(self.order, name) == value:
            return
        while (client := self.api.call("GET", self._path()))[name] != value:
            try:
                self.api.call("PATCH", self._path(), fields, version=client["version"])
            except Silence:
                pass
            except Refused as refused:
                if refused.status != 412:
                    raise
                self.api.note("changed meanwhile (412)")
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
        found.setdefault(client["external_id"], []).append(client)
    differences: dict[str, list[str]] = {"duplicates": [], "lost": [], "unknown": [], "states": [],
                                         "acts": []}  # fmt: skip
    differences["duplicates"] = [number for number, rows in found.items() if len(rows) > 1]
    known = {order.number for order in orders if not order.gone}
    differences["unknown"] = sorted(found.keys() - known)
    for order in orders:
        if not order.gone:
            if order.number not in found:
                differences["lost"].append(order.number)
                continue
            differences["states"] += states(order, found[order.number][0])
        events = api.pages(f"/events?target={order.id}&limit=200")
        acts = Counter(event["action"] for event in events if event["action"] in ACTS)
        if acts != order.acts:
            differences["acts"].append(f"{order.number}: shop {order.acts}, vwg {acts}")
    return differences


ACTS: Final = frozenset(
    f"client.{word}"
    for word in ("created", "deleted", "restored", "suspended", "unsuspended", "enabled",
                 "disabled", "updated", "keys_rotated")
)  # fmt: skip


def states(order: Order, client: Any) -> list[str]:
    """In which fields a client differs from its line of the ledger."""
    pairs = {
        "id": (order.id, client["id"]),
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
    api = Api(options.url, options.token, figures)
    calm = Api(options.url, options.token, Figures(), calm=True)
    tag = f"run-{uuid4().hex[:8]}"
    plans = [
        calm.call("POST", "/plans", {"name": f"{word} {tag}", "duration_days": days})["id"]
        for word, days in (("Silver", 30), ("Gold", 365))
    ]
    orders = [Order(f"{tag}-{number:04}") for number in range(options.clients)]
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
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
