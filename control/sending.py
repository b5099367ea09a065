"""Carrying out a plan on an interface, batch by batch, and finding the bad peer in a refusal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from wireguard.driver import Driver
from wireguard.errors import (
    DriverRejected,
    DriverUnavailable,
    InvalidConfig,
    InvalidKey,
    WireGuardError,
)
from wireguard.plan import PeerChange, Plan
from wireguard.types import PeerStatus

BATCH = 200


@dataclass
class Sent:
    """How a plan went. Keys that stand in neither ``done`` nor ``refused`` were not reached."""

    done: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    #: Keys whose refusal names a bad value; the others were refused without a reason.
    explained: set[str] = field(default_factory=set)
    #: The last readings of removed peers, taken when no byte could pass any more.
    last: dict[str, PeerStatus] = field(default_factory=dict)
    #: A time-out, an unreachable interface, half a dump: retry, never a higher tier.
    unavailable: WireGuardError | None = None
    #: What was under way then: it may or may not have arrived.
    unknown: set[str] = field(default_factory=set)

    @property
    def unexplained(self) -> bool:
        """Everything was refused, and not for a value of any peer: the interface's own fault."""
        return bool(self.refused) and not self.done and not self.explained


class Books(Protocol):
    """Who reads and commits on the way; see `control.harvest`."""

    def running(self) -> Collection[str]:
        """The keys on the interface."""

    def last(self, gone: Collection[str], blocked: Collection[str]) -> Mapping[str, PeerStatus]:
        """Commit the readings of these keys, which are frozen; returns those that go."""


def send(driver: Driver, plan: Plan, books: Books) -> Sent:
    """Carry out a plan with tier 1 calls; never raises a driver's error.

    What leaves or loses all its addresses is frozen first and read then, all of it with one dump:
    no byte passes between the reading that is committed and a removal.
    """
    sent = Sent()
    blocks = [change for change in plan.changes if change.allowed_ips == () and not change.is_new]
    named = {change.public_key for change in blocks}
    rest = [change for change in plan.changes if change.public_key not in named]
    try:
        here = _freeze(driver, plan.removals, books, sent)
        for batch in Plan(changes=blocks).batches(BATCH):
            _bisect(driver, batch, sent)
        if here or sent.done & named:
            sent.last.update(books.last(here, sent.done & named))
        for batch in Plan(removals=here).batches(BATCH):
            _bisect(driver, batch, sent)
        for batch in Plan(changes=rest).batches(BATCH):
            _bisect(driver, batch, sent)
    except WireGuardError as error:
        sent.unavailable = error
    sent.unknown -= sent.done
    return sent


def _freeze(driver: Driver, removals: Sequence[str], books: Books, sent: Sent) -> list[str]:
    """Take the addresses of what is to be removed; returns what there is of it."""
    if not removals:
        return []
    running = books.running()
    here = [key for key in removals if key in running]  # to freeze another would add it
    sent.done.update(set(removals) - set(here))
    frozen = Sent()
    for batch in Plan(changes=[PeerChange(key, allowed_ips=()) for key in here]).batches(BATCH):
        sent.unknown.update(batch.touched)
        _bisect(driver, batch, frozen)
    return here


def _bisect(driver: Driver, plan: Plan, sent: Sent) -> None:
    """Apply; what is refused is halved until the bad peers stand alone."""
    try:
        driver.apply(plan)
    except (DriverRejected, InvalidConfig, InvalidKey) as error:
        if len(plan) > 1:
            for half in plan.batches((len(plan) + 1) // 2):
                _bisect(driver, half, sent)
            return
        (key,) = plan.touched
        sent.refused[key] = str(error)
        if not isinstance(error, DriverRejected) or error.explained:
            sent.explained.add(key)
    except DriverUnavailable:
        sent.unknown.update(plan.touched)
        raise
    else:
        sent.done.update(plan.touched)
