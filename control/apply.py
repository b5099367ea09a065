"""Applying open items of one interface: claim, send exactly the difference, settle.

Everything here runs on the gateway's host, under the interface's host lock, from the first look
at the link to the last row written. Level-triggered: what is sent is what the rows want now.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from control import adjust, cutoff, escalation, link
from control.applied import Notes, note_keys
from control.claims import Item, Outcome, claim, postpone, settle
from control.desired import load_for
from control.many import persist
from control.observe import check
from control.sending import Sent, send
from control.work import Row, Work, arrange
from gateways.drivers import Station, station
from gateways.models import Interface, JobItem
from vault.ring import RingError
from wireguard.errors import DriverUnavailable, WireGuardError
from wireguard.lock import LockBusy
from wireguard.plan import Plan, diff

logger = logging.getLogger("WireGuard")

#: A holder claims again before it lets go, so whoever waits longer than its last, empty claim
#: takes only leaves the work to it.
LOCK_TIMEOUT_S = 0.5
#: What of an interface's row may have changed while we waited for its lock.
_CHANGING = (
    "apply_seq", "stamp", "enabled", "restart_policy", "private_key", "public_key", "listen_port",
    "firewall_mark", "guard_keys",
)  # fmt: skip
#: An apply ends after so many rounds at the latest; the sweep rings again.
MAX_ROUNDS = 50


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


def apply_interface(*, interface_id: int) -> None:
    """Apply every open item of the interface that is due. Returns when none is left, or to retry.

    Never raises a driver's error: what could not be done stays open, with the reason on it. An
    interface of a sandbox does not exist here, nor for an observation.
    """
    interface = Interface.objects.select_related("gateway").get(pk=interface_id, simulated=False)
    post = station(interface)
    try:
        with post.lock(timeout_s=LOCK_TIMEOUT_S):
            for _ in range(MAX_ROUNDS):
                items = claim(interface_id, at=timezone.now())
                if not items:
                    break
                interface.refresh_from_db(fields=_CHANGING)  # under the lock
                if not _run(Round(interface, post, items, timezone.now())):
                    break
    except LockBusy:
        logger.info("WireGuard interface %s is being worked on by another process", interface.name)
    except DriverUnavailable as error:
        _give_up(claim(interface_id, at=timezone.now()), interface, error)


def _run(work: Round) -> bool:
    """One round; False when the interface must be tried again later."""
    try:
        if not work.interface.enabled and not work.station.look().exists:
            _settle_all(work, tier=None, message="The interface is off; it starts with this change")
            return True
        edited = any(adjust.is_edit(work.interface, item) for item in work.items)
        if edited and not work.interface.enabled:
            escalation.switch_off(work.interface, work.station)
            _settle_all(work, tier=None, message="The interface was switched off")
            return True
        ready = link.make_ready(work.interface, work.station, asked=edited)
        if ready.tier == 3:
            _settle_all(work, tier=3, message=ready.message)
            return True
        _apply_peers(work, [i for i in work.items if i.action == JobItem.Action.PEER])
        for item in work.items:
            if item.action == JobItem.Action.RESTART:
                escalation.restart(work.interface, work.station)
                work.settle_item(item, ok=True, tier=3)
            elif item.action == JobItem.Action.CHECK:
                _check(work, item)
    except link.NotOurs as error:
        logger.error("%s", error)
        for item in work.unsettled:
            work.settle_item(item, ok=False, tier=None, message=str(error))
        _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        return True
    except link.Waits as error:
        _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        # Every try disturbs a little; what waits for a person need not be tried twice a minute.
        _give_up(work.unsettled, work.interface, error, least_s=60.0)
        return False
    except (WireGuardError, RingError) as error:
        _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        _give_up(work.unsettled, work.interface, error)
        return False
    return not work.unsettled


def _check(work: Round, item: Item) -> None:
    """Compare with the dump; what differs becomes items of its own, claimed in the next round."""
    found = check(work.interface, work.station)
    edited = adjust.is_edit(work.interface, item)
    adjusted = adjust.adjust(
        work.interface, work.station, found.drift.link, edited=edited, job_id=item.job_id
    )
    healed = found.healing
    if healed:
        _apply_healing(work)
    if healed or adjusted:
        found = check(work.interface, work.station)
    tier = 1 if healed or adjusted or edited else None
    work.settle_item(item, ok=True, tier=tier, message=found.summary)
    _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))


def _apply_healing(work: Round) -> None:
    healing = [
        item
        for item in claim(work.interface.pk, at=timezone.now())
        if item.action == JobItem.Action.PEER
    ]
    known = {item.pk for item in work.items}
    fresh = [item for item in healing if item.pk not in known]
    work.items.extend(fresh)
    work.interface.refresh_from_db()
    _apply_peers(work, fresh)


def _apply_peers(work: Round, items: list[Item]) -> None:
    """Tier 1 for the peers of these items; a bare refusal of everything goes up a tier."""
    if not items:
        return
    loaded = load_for(
        work.interface,
        peer_ids={item.peer_id for item in items if item.peer_id is not None},
        keys={item.public_key for item in items if item.public_key},
    )
    arranged = arrange(
        loaded.rows,
        server_key=work.interface.public_key,
        strays=_strays(items, loaded.rows),
        problems=loaded.problems,
    )
    plan = diff(arranged.desired, arranged.applied)
    sent = send(work.station.driver, plan) if plan else Sent()
    if sent.unexplained:
        reason = next(iter(sent.refused.values()))
        tier = escalation.escalate(work.interface, work.station, reason=reason)
        for item in items:
            work.settle_item(item, ok=True, tier=tier)
        _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        return
    _record(work, items, arranged, plan, sent)
    if sent.unavailable is not None:
        raise sent.unavailable
    _log(work.interface, plan, sent)
    if any(change.allowed_ips and not change.is_new for change in plan.changes):
        cutoff.relax(work.interface, work.station)
    if any(_is_routed(change.allowed_ips) for change in plan.changes):
        link.route(work.interface, work.station)


def _is_routed(allowed_ips: tuple[str, ...] | None) -> bool:
    """Whether a network lies behind the peer, which the host must route to the interface."""
    return any(not text.endswith(("/32", "/128")) for text in allowed_ips or ())


def _strays(items: list[Item], rows: list[Row]) -> set[str]:
    """Keys to be removed that no row speaks of: found on the interface by an observation."""
    spoken = {row.config.public_key for row in rows} | {row.applied_key for row in rows}
    return {item.public_key for item in items if item.peer_id is None} - spoken - {""}


def _record(work: Round, items: list[Item], arranged: Work, plan: Plan, sent: Sent) -> None:
    """Write the applied state and settle what is decided, in one transaction."""
    notes = Notes(seq=work.interface.apply_seq + 1, at=timezone.now())
    right = (set(arranged.desired) - plan.touched) | sent.done
    note_keys(arranged, notes, right, sent.last)
    for key in sent.unknown:
        for row in arranged.rows_of(key):
            notes.cut_short(row, key)
    for key, reason in sent.refused.items():
        if (owner := arranged.wanted_by.get(key)) is not None:
            arranged.refused[owner.id] = reason
    for row_id, reason in arranged.refused.items():
        notes.quarantine.append((reason[:500], row_id))
    _decide(work, items, arranged, right, sent, plan)
    _write(work, notes)


def _decide(
    work: Round,
    items: list[Item],
    arranged: Work,
    right: set[str],
    sent: Sent,
    plan: Plan,
) -> None:
    keys_by_row = {
        row.id: arranged.keys_of(row)
        for rows in ([*arranged.wanted_by.values()], *arranged.applied_by.values())
        for row in rows
    }
    for item in items:
        keys = keys_by_row.get(item.peer_id or 0, {item.public_key})
        reason = arranged.refused.get(item.peer_id or 0) or next(
            (sent.refused[key] for key in keys if key in sent.refused), ""
        )
        if reason:
            logger.warning(
                "WireGuard interface %s refused peer %s: %s",
                work.interface.name,
                item.public_key,
                reason,
            )
            work.settle_item(item, ok=False, tier=1, message=reason)
        elif keys <= right or not keys & set(arranged.desired):
            tier = 1 if keys & plan.touched else None
            work.settle_item(item, ok=True, tier=tier)


def _write(work: Round, notes: Notes) -> None:
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


def _settle_all(work: Round, *, tier: int | None, message: str) -> None:
    for item in work.unsettled:
        work.settle_item(item, ok=True, tier=tier, message=message)
    _write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))


def _give_up(
    items: list[Item], interface: Interface, error: Exception, *, least_s: float = 0.0
) -> None:
    """Leave the items open and say why, on the items, the jobs and in the log."""
    if items:
        logger.warning(
            "WireGuard interface %s: %d changes wait: %s", interface.name, len(items), error
        )
        with transaction.atomic():
            postpone(items, reason=str(error), at=timezone.now(), least_s=least_s)


def _log(interface: Interface, plan: Plan, sent: Sent) -> None:
    added = sum(change.is_new and change.public_key in sent.done for change in plan.changes)
    if added:
        logger.info("Successfully added %d new peers to interface %s", added, interface.name)
    if sent.done:
        logger.info(
            "Configuration applied successfully without disrupting active connections"
            " (WireGuard %s: %d peers)",
            interface.name,
            len(sent.done),
        )
