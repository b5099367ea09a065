"""What an act does to a client: decided from how it stands, then written, alone or with others.

Single acts and bulk requests share the decisions and the writing; so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from audit.events import Actor, record_all
from peers.models import Client, Peer
from peers.services.changes import Changed, act, ease_limits, raise_versions, told
from peers.services.device_changes import DeviceChange, write_devices
from peers.services.entitlement import Turn, write_turns
from peers.services.sales import count_sales
from peers.services.tombstones import bury, remove_devices
from peers.sold import QUOTAS
from quotas.models import Usage
from quotas.services import save_usages
from tenants.scoping import Caller


@dataclass(frozen=True)
class Step:
    """What an act does to one client. The client's own fields are in the object already."""

    client: Client
    #: The name of its event.
    action: str
    #: False when all was so already: then nothing is written, and nobody is told.
    changes: bool = True
    #: The client's fields that changed.
    fields: Collection[str] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    turn: Turn | None = None
    #: What it used, with the fields that changed.
    usage: Usage | None = None
    usage_fields: Collection[str] = ()
    device: DeviceChange | None = None
    #: Devices that leave, and whether what they hold is kept for now.
    leaving: Sequence[Peer] = ()
    keeps: bool = True

    @property
    def peers(self) -> list[Peer]:
        """What WireGuard must learn of, in the order of the rows."""
        found = {*self.leaving, *(self.turn.peers if self.turn else ())}
        if self.device is not None and self.device.must_learn:
            found.add(self.device.peer)
        return sorted(found, key=lambda peer: peer.pk)


#: What leaves a client more, or less, than it had.
_EASING: Final = frozenset({*QUOTAS, "base_up", "extra_bytes"})


def carry_out(step: Step, *, kind: str, caller: Caller, at: datetime) -> Changed:
    """Write one step, with its event and its job, and what it sold."""
    write_steps([step], actor=caller.actor, at=at)
    changed = told(step.client, kind, caller, step.peers, at)
    count_sales([step], refuses=True)
    return changed


def write_steps(steps: Sequence[Step], *, actor: Actor, at: datetime) -> None:
    """Write steps of one client each, with one event each; the caller makes the job, and then
    counts what they sold.

    A few statements, however many there are.
    """
    real = [step for step in steps if step.changes]
    save_usages([(step.usage, step.usage_fields) for step in real if step.usage is not None])
    write_turns([step.turn for step in real if step.turn is not None], actor=actor, at=at)
    write_devices([step.device for step in real if step.device is not None])
    bury([peer for step in real if step.keeps for peer in step.leaving], at=at)
    if lost := [peer for step in real if not step.keeps for peer in step.leaving]:
        remove_devices(lost, at=at)
    if eased := [step.client.pk for step in real if _EASING & {*step.fields, *step.usage_fields}]:
        ease_limits(eased)
    raise_versions([(step.client, step.fields) for step in real])
    record_all(
        act(
            client=step.client,
            actor=actor,
            action=step.action,
            before=step.before,
            after=step.after,
        )
        for step in real
    )
