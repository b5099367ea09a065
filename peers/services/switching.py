"""On and off by the seller: three holds, each closed by its own act and by nothing else.

``manual`` (enable, disable) is the seller's hand, ``suspended`` (suspend, unsuspend) his shop, and
``kick`` ends by itself. An act that finds everything so already changes nothing: shops repeat what
was not answered in time, and a repetition is no event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from gateways.models import Job
from peers.services.changes import Changed, locked_client, note_act, raise_version, told
from peers.services.due import release_due
from peers.services.entitlement import Standing, Turn, closing, open_hold, opening
from peers.services.steps import Step, carry_out
from quotas.models import Hold
from quotas.policies import KICK, MANUAL, SUSPENDED, held_state
from quotas.queries import open_holds
from rest.errors import Conflict, Invalid
from rest.versions import Version
from tenants.scoping import Caller

MAX_KICK: Final = 86_400


@dataclass(frozen=True)
class Switch:
    """One of the acts: the hold that it opens or closes, its event and its job."""

    reason: str
    opens: bool
    action: str
    kind: str


ENABLE: Final = Switch(MANUAL, False, "client.enabled", Job.Kind.ENABLE)
DISABLE: Final = Switch(MANUAL, True, "client.disabled", Job.Kind.DISABLE)
_SUSPEND: Final = Switch(SUSPENDED, True, "client.suspended", Job.Kind.SUSPEND)
_UNSUSPEND: Final = Switch(SUSPENDED, False, "client.unsuspended", Job.Kind.RESUME)


def enable_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """Close the manual hold; the client may still be held for another reason."""
    return _turn(ENABLE, caller=caller, client_id=client_id, at=at, if_match=if_match)


def disable_client(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    note: str = "",
    if_match: Version | None = None,
) -> Changed:
    """Open the manual hold: the tunnel stays known, and no packet passes."""
    return _turn(DISABLE, caller=caller, client_id=client_id, note=note, at=at, if_match=if_match)


def suspend_client(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    note: str = "",
    if_match: Version | None = None,
) -> Changed:
    """Open the shop's hold (an unpaid bill): as a manual one, but closed by `unsuspend_client`."""
    return _turn(_SUSPEND, caller=caller, client_id=client_id, note=note, at=at, if_match=if_match)


def unsuspend_client(
    *, caller: Caller, client_id: UUID, at: datetime, if_match: Version | None = None
) -> Changed:
    """Close the shop's hold; one that its seller disabled stays disabled."""
    return _turn(_UNSUSPEND, caller=caller, client_id=client_id, at=at, if_match=if_match)


@transaction.atomic
def kick_client(
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    seconds: int = 60,
    note: str = "",
    if_match: Version | None = None,
) -> Changed:
    """Let no packet through for ``seconds`` (1 to 86,400), then all again.

    While a kick is open, a longer one lengthens it and any other changes nothing. Raises
    `Conflict` (``client_off``) for a client that is off for another reason: there is nobody to
    throw out.
    """
    if isinstance(seconds, bool) or not 1 <= seconds <= MAX_KICK:
        raise Invalid(f"From 1 to {MAX_KICK} seconds.", field="seconds", code="out_of_range")
    client = locked_client(caller, client_id, if_match)
    release_due(client, at=at)  # a kick that is over is another one, though nobody closed it yet
    holds = {hold.reason: hold for hold in open_holds([client.pk]).get(client.pk, ())}
    if others := holds.keys() - {KICK}:
        raise Conflict(f"The client is {held_state(others)} already.", code="client_off")
    until, running = at + timedelta(seconds=seconds), holds.get(KICK)
    if running is not None and not _is_longer(running, seconds):
        return told(client, Job.Kind.KICK, caller, [], at)
    if running is not None:
        Hold.objects.filter(pk=running.pk).update(until=until)
    peers = open_hold(client=client, reason=KICK, note=note, actor=caller.actor, at=at, until=until)
    raise_version(client)
    after = {"until": until, **_noted(note)}
    note_act(client=client, actor=caller.actor, action="client.kicked", after=after)
    return told(client, Job.Kind.KICK, caller, peers or [], at)


def _is_longer(running: Hold, seconds: int) -> bool:
    """Whether a kick of so many seconds is another one than that which runs, not its repetition."""
    return running.until is not None and timedelta(seconds=seconds) > (
        running.until - running.opened_at
    )


@transaction.atomic
def _turn(
    switch: Switch,
    *,
    caller: Caller,
    client_id: UUID,
    at: datetime,
    note: str = "",
    if_match: Version | None,
) -> Changed:
    standing = Standing(locked_client(caller, client_id, if_match))
    step = switch_step(switch, standing, caller=caller, note=note, at=at)
    return carry_out(step, kind=switch.kind, caller=caller, at=at)


def switch_step(
    switch: Switch, standing: Standing, *, caller: Caller, at: datetime, note: str = ""
) -> Step:
    """What one of the acts does to a client."""
    turn = _turn_of(switch, standing, caller=caller, note=note, at=at)
    return Step(standing.client, switch.action, turn is not None, after=_noted(note), turn=turn)


def _turn_of(
    switch: Switch, standing: Standing, *, caller: Caller, note: str, at: datetime
) -> Turn | None:
    if switch.opens:
        return opening(standing, reason=switch.reason, note=note, actor=caller.actor, at=at)
    return closing(standing, reason=switch.reason)


def _noted(note: str) -> dict[str, str]:
    return {"note": note} if note else {}


def turn_as_wished(standing: Standing, on: Any, *, caller: Caller, at: datetime) -> Turn | None:
    """The turn of the manual hold as part of another change; None when nothing changes."""
    if on is None:
        return None
    if not isinstance(on, bool):
        raise Invalid("This is neither true nor false.", field="enabled")
    return _turn_of(ENABLE if on else DISABLE, standing, caller=caller, note="", at=at)
