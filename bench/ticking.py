"""``python -m bench.ticking first|later SIZE``: one observation of an interface with so many
devices, from the dump's text to the last row, in a process with the database of `bench.people`.

``first``: everybody moves and nobody has a meter yet. Prints its figures as one line of JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any, Final
from unittest import mock

import django
from django.db import connection, transaction
from django.db.models import F

if __name__ == "__main__":
    django.setup()

from bench import people
from bench.figures import Figure
from bench.traffic import Answering, Traffic
from control import observe
from gateways.drivers import MemoryLink, Station
from gateways.hints import publisher
from gateways.models import Job
from peers.models import Peer
from quotas.models import Hold, LedgerSegment, Usage
from tests.nftables import Kernel
from vwg.celery import settle_in
from wireguard.drivers.memory_speeds import MemorySpeeds
from wireguard.dump import parse_dump

ROUNDS: Final = 9
#: The same of large sizes, where one takes seconds.
FEWER, LARGE = 3, 50_000
#: Of the devices one in so many moves; of the clients one in so many reaches its limit then.
MOVES, CROSSES = 10, 200


def first(size: int) -> Iterator[Figure]:
    """Everybody moves, and gets a meter: the first tick of all, or the first after an outage."""
    scene = Scene(size)
    scene.traffic.go_on(range(1, size + 1))
    begin = time.perf_counter()
    scene.tick()
    yield Figure(f"{size:,}: tick, all move for the first time", time.perf_counter() - begin, "s")
    yield scene.memory("tick, all move")
    people.settle()


def later(size: int) -> Iterator[Figure]:
    """One in ten moves, tick after tick."""
    scene, spent = Scene(size), dict[str, list[float]]()
    rounds: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        ("parse", scene.nothing, scene.parse),
        ("update", scene.nothing, scene.update),
        ("still", scene.nothing, scene.tick),
        ("moved", scene.move, scene.tick),
        ("quarter", scene.begin_quarter, scene.tick),
        ("crossed", scene.cross, partial(scene.tick, held=size // CROSSES)),
    ]
    scene.move()
    scene.tick()
    for _ in range(FEWER if size > LARGE else ROUNDS):
        for name, prepare, act in rounds:
            prepare()
            begin = time.perf_counter()
            act()
            spent.setdefault(name, []).append(time.perf_counter() - begin)
        scene.forgive()
    yield from _figures(size, spent, scene)
    yield scene.memory("tick")


def _figures(size: int, spent: dict[str, list[float]], scene: Scene) -> Iterator[Figure]:
    found = {name: statistics.median(times) for name, times in spent.items()}
    moved, floor = f"{size // MOVES:,}", found["parse"] + found["update"]
    yield Figure(f"{size:,}: floor, the dump taken apart", found["parse"], "s")
    yield Figure(f"{size:,}: floor, one UPDATE of the meters that move", found["update"], "s")
    rows = (
        ("still", "tick, nobody moves"),
        ("moved", "tick, 10 % move"),
        ("quarter", "tick, 10 % move, first of a quarter"),
        ("crossed", "tick, 10 % move, 0.5 % reach their limit"),
    )
    for name, words in rows:
        note = f"{found[name] / floor:.1f} x floors, most {max(spent[name]):.2f} s"
        if name == "moved":
            scene.move()
            note += f"; {moved} move, {scene.statements()} statements"
        yield Figure(f"{size:,}: {words}", found[name], "s", note=note)


class Scene:
    """The interface, its traffic, and what is done with it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._interface = people.interface()
        self.traffic = Traffic()
        link = MemoryLink(self._interface)
        self._station = Station(
            self._interface, Answering(self.traffic), link, nft=Kernel(), speeds=MemorySpeeds()
        )
        self._begin_kib = _peak_kib()

    def nothing(self) -> None:
        """Nothing to prepare."""

    def move(self) -> None:
        """One in ten counts some bytes."""
        self.traffic.go_on(range(MOVES, self._size + 1, MOVES))

    def begin_quarter(self) -> None:
        """The same, and none has a segment of this quarter of an hour yet."""
        LedgerSegment.objects.annotate(place=F("meter__peer_id") % MOVES).filter(place=0).delete()
        self.move()

    def cross(self) -> None:
        """The same, and some of them are at their limit."""
        self.move()
        _some().update(billed_up=F("base_up") + people.QUOTA)

    def forgive(self) -> None:
        """They never were."""
        _some().update(billed_up=F("base_up"), billed_down=F("base_down"))
        Hold.objects.all().delete()
        Job.objects.all().delete()
        Peer.objects.filter(blocked=True).update(blocked=False, generation=F("applied_generation"))

    def tick(self, held: int = 0) -> None:
        """One observation."""
        with mock.patch.object(observe, "station", return_value=self._station):
            found = observe.observe_interface(interface_id=self._interface.pk)
        assert found is not None
        assert not found.drift, found.summary
        assert not found.healing
        assert Hold.objects.count() == held

    def parse(self) -> None:
        """What `wg` printed, and nothing else."""
        assert len(parse_dump(self.traffic.text).peers) == self._size

    def update(self) -> None:
        """One UPDATE of as many meters as move, undone."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE quotas_meter SET seq = seq + 1 WHERE peer_id % {MOVES} = 0"  # noqa: S608
                )
            transaction.set_rollback(True)

    def statements(self) -> int:
        """How many statements one observation is."""
        count = 0

        def counting(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*arguments)

        with connection.execute_wrapper(counting):
            self.tick()
        return count

    def memory(self, words: str) -> Figure:
        """The most that this process took, and how much of it since the rows were known."""
        peak = _peak_kib()
        note = f"{(peak - self._begin_kib) / 1024:.0f} MiB of it by the ticks"
        return Figure(f"{self._size:,}: {words}, peak memory", peak / 1024, "MiB", note=note)


def _some() -> Any:
    return Usage.objects.annotate(place=F("pk") % CROSSES).filter(place=0)


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    settle_in()  # as a worker does
    publisher.leave = lambda _: None  # type: ignore[assignment, method-assign]  # no broker, and no worker
    measured = {"first": first, "later": later}[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps([asdict(one) for one in measured]))
