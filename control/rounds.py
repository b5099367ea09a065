"""One claim of items on its way, and writing down what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from control.applied import Notes
from control.claims import Item, Outcome, settle
from control.many import persist
from gateways.drivers import Station
from gateways.models import Interface


@dataclass
class Round:
    """One claim on its way: what was claimed, and how each item ended."""

    interface: Interface
    station: Station
    items: list[Item]
    started_at: datetime
    #: Decided, but not written yet.
    outcomes: list[Outcome] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)

    def settle_item(self, item: Item, *, ok: bool, tier: int | None, message: str = "") -> None:
        self.outcomes.append(Outcome(item.pk, item.job_id, ok, tier, message))
        self.ended.add(item.pk)

    @property
    def unsettled(self) -> list[Item]:
        return [item for item in self.items if item.pk not in self.ended]


def write(work: Round, notes: Notes) -> None:
    """Store what is known now. The interface's apply number rises with every write that sent.

    What was sent must not stay unknown: a write that a deadlock undid is tried again.
    """
    persist(lambda: _write_once(work, notes))
    work.interface.apply_seq = max(work.interface.apply_seq, notes.seq)
    work.outcomes.clear()


@transaction.atomic
def _write_once(work: Round, notes: Notes) -> None:
    notes.write()  # peers first, then the interface: the order in which requests lock them
    if notes.seq > work.interface.apply_seq:
        notes.number(work.interface.pk)
    settle(work.outcomes, started_at=work.started_at, at=timezone.now())
