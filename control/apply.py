"""Applying open items of one interface: claim, send exactly the difference, settle.

Everything here runs on the gateway's host, under the interface's host lock, from the first look
at the link to the last row written. Level-triggered: what is sent is what the rows want now.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from control import adjust, decisions, escalation, link
from control.applied import Notes
from control.claims import Item, claim, postpone
from control.observe import check
from control.rounds import Round, write
from control.tier1 import apply_peers
from gateways.drivers import station
from gateways.models import Interface, JobItem
from vault.ring import RingError
from wireguard.errors import DriverUnavailable, WireGuardError
from wireguard.lock import LockBusy

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
        decisions.carry_out(work)
        if not work.unsettled:
            write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
            return True
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
        apply_peers(work, [i for i in work.items if i.action == JobItem.Action.PEER])
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
        write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        return True
    except link.Waits as error:
        write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
        # Every try disturbs a little; what waits for a person need not be tried twice a minute.
        _give_up(work.unsettled, work.interface, error, least_s=60.0)
        return False
    except (WireGuardError, RingError) as error:
        write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))
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
    write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))


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
    apply_peers(work, fresh)


def _settle_all(work: Round, *, tier: int | None, message: str) -> None:
    for item in work.unsettled:
        work.settle_item(item, ok=True, tier=tier, message=message)
    write(work, Notes(seq=work.interface.apply_seq, at=timezone.now()))


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
