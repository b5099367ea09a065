"""Tier 1: exactly the difference, for the peers of some items."""

from __future__ import annotations

import logging

from django.utils import timezone

from control import cutoff, escalation, link, shaping
from control.applied import Notes, note_keys
from control.claims import Item
from control.desired import load_for
from control.harvest import Harvest
from control.rounds import Round, write
from control.sending import Sent, send
from control.work import Row, Work, arrange
from gateways.models import Interface
from wireguard.plan import Plan, diff

logger = logging.getLogger("WireGuard")


def apply_peers(work: Round, items: list[Item]) -> None:
    """Tier 1 for the peers of these items; a bare refusal of everything goes up a tier."""
    if not items:
        return
    arranged = _arranged(work, items)
    plan = diff(arranged.desired, arranged.applied)
    if old := _outlived(arranged, plan):
        _retire(work, arranged, old)
        arranged = _arranged(work, items)
        _hold_back(arranged)
        plan = diff(arranged.desired, arranged.applied)
    harvest = Harvest(work.interface, work.station, arranged)
    shaping.precede(work.interface, work.station, [row.id for row in arranged.rows])
    harvest.before(plan)
    sent = send(work.station.driver, plan, harvest) if plan else Sent()
    if sent.unexplained:
        reason = next(iter(sent.refused.values()))
        tier = escalation.escalate(work.interface, work.station, reason=reason)
        for item in items:
            work.settle_item(item, ok=True, tier=tier)
        write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        return
    _record(work, items, arranged, plan, sent)
    if sent.unavailable is not None:
        raise sent.unavailable
    _log(work.interface, plan, sent)
    if may_send := [c.public_key for c in plan.changes if c.allowed_ips]:
        peers = [arranged.wanted_by[key].id for key in may_send]
        cutoff.relax(work.interface, work.station, peers=peers)
    if any(_is_routed(change.allowed_ips) for change in plan.changes):
        link.route(work.interface, work.station)


def _arranged(work: Round, items: list[Item]) -> Work:
    loaded = load_for(
        work.interface,
        peer_ids={item.peer_id for item in items if item.peer_id is not None},
        keys={item.public_key for item in items if item.public_key},
    )
    return arrange(
        loaded.rows,
        server_key=work.interface.public_key,
        strays=_strays(items, loaded.rows),
        problems=loaded.problems,
    )


def _outlived(arranged: Work, plan: Plan) -> list[str]:
    """Old keys of devices whose new keys are to be added."""
    new = {arranged.wanted_by[change.public_key].applied_key for change in plan.changes}
    return [key for key in plan.removals if key in new]


def _retire(work: Round, arranged: Work, keys: list[str]) -> None:
    """Remove the old keys of devices, and write that down before their new ones are added.

    The new key's counters begin at 0, and must never be taken for the old one's that went on.
    """
    sent = send(
        work.station.driver,
        Plan(removals=keys),
        Harvest(work.interface, work.station, arranged),
    )
    notes = Notes(seq=work.interface.apply_seq + 1, at=timezone.now())
    note_keys(arranged, notes, sent.done, sent.last)
    for key in sent.unknown:
        for row in arranged.rows_of(key):
            notes.cut_short(row, key)
    write(work, notes)
    if sent.unavailable is not None:
        raise sent.unavailable


def _hold_back(arranged: Work) -> None:
    """No new key comes while the old one could not be removed."""
    for key, row in arranged.wanted_by.items():
        if row.applied_key not in ("", key):
            del arranged.desired[key]


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
    write(work, notes)


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
