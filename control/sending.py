"""Carrying out a plan on an interface, batch by batch, and finding the bad peer in a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field

from wireguard.driver import Driver
from wireguard.errors import DriverRejected, DriverUnavailable, InvalidConfig, InvalidKey
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
    #: A time-out or an unreachable interface: retry, never a higher tier.
    unavailable: DriverUnavailable | None = None
    #: What was under way then: it may or may not have arrived.
    unknown: set[str] = field(default_factory=set)

    @property
    def unexplained(self) -> bool:
        """Everything was refused, and not for a value of any peer: the interface's own fault."""
        return bool(self.refused) and not self.done and not self.explained


def send(driver: Driver, plan: Plan) -> Sent:
    """Carry out a plan with tier 1 calls; never raises a driver's error."""
    sent = Sent()
    try:
        for batch in Plan(removals=plan.removals).batches(BATCH):
            _remove(driver, batch, sent)
        for batch in Plan(changes=plan.changes).batches(BATCH):
            _bisect(driver, batch, sent)
    except DriverUnavailable as error:
        sent.unavailable = error
    return sent


def _remove(driver: Driver, batch: Plan, sent: Sent) -> None:
    """Freeze, read, then remove: no byte passes between the last reading and the removal."""
    peers = driver.read().peers
    here = [key for key in batch.removals if key in peers]
    sent.done.update(set(batch.removals) - set(here))
    if not here:
        return
    freeze = Plan(changes=[PeerChange(key, allowed_ips=()) for key in here])
    frozen = Sent()
    try:
        _bisect(driver, freeze, frozen)
    finally:
        sent.unknown |= frozen.unknown
    after = driver.read().peers
    sent.last.update((key, after[key]) for key in here if key in after)
    _bisect(driver, Plan(removals=here), sent)


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
