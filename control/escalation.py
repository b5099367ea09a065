"""Tiers 2 and 3: the whole text, then a restart. Decisions, not reflexes.

A time-out never leads here. Only a refusal that no peer explains does: first `wg syncconf` of a
text that states everything; and when that is refused too, a restart, if the policy allows it and
no tenant's act causes an outage of an interface that carries traffic.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from control import cutoff, link, meters, shaping, whole
from control.applied import Notes
from control.desired import device, load_all
from control.harvest import read_all
from gateways.drivers import Station
from gateways.models import Interface
from wireguard.errors import DriverError, DriverRejected, TruncatedDump
from wireguard.types import PeerStatus

logger = logging.getLogger("WireGuard")

#: wireguard-go learns of it in its own time that its link was set down.
_READINGS: Final = 5


def escalate(interface: Interface, post: Station, *, reason: str) -> int:
    """Bring the interface to its rows by tier 2, or 3; returns the tier that did it.

    Raises link.Waits when only a restart would help and the policy keeps it for the operator.
    """
    logger.warning(
        "WireGuard interface %s refused every change (%s); synchronising the whole of it",
        interface.name,
        reason,
    )
    try:
        whole.synchronise(interface, post)
    except DriverRejected as error:
        if not _may_restart(interface, post):
            raise link.Waits(
                f"interface {interface.name} refuses changes ({error}) and carries traffic: restart"
                f" it when it suits (`manage.py link_restart --interface {interface.name}`)"
            ) from None
        logger.warning("Runtime configuration failed, falling back to service restart")
        restart(interface, post)
        return 3
    return 2


def restart(interface: Interface, post: Station) -> None:
    """Tier 3: read what can be read, take the link down, bring it up, give endpoints back."""
    take_down(interface, post)
    link.bring_up(interface, post)


def take_down(interface: Interface, post: Station) -> None:
    """Take our link down, with its hooks and its firewall table. Raises link.NotOurs.

    The last reading is taken and committed when no packet passes any more, and before the
    counters go. Of wg-quick's unit, whose hooks are its operator's, it is taken before.
    """
    sight = post.look()
    ours = link.is_ours(interface, sight) or link.is_unfinished(interface, sight)
    if sight.exists and not ours:
        raise link.refuse(interface)
    read = _Last(interface, post)
    if interface.wg_quick and post.unit is not None:
        if sight.exists:
            read()
        post.unit.down()
    else:
        post.link.bring_down(link.spec_of(interface, device(interface, ())), read)
    if read.done:
        meters.close_all(interface)


def switch_off(interface: Interface, post: Station) -> None:
    """Take the link down because its row says that it is off; the books are kept first."""
    take_down(interface, post)
    cutoff.forget(interface, post)
    shaping.forget(interface, post)
    Interface.objects.filter(pk=interface.pk).update(
        state=Interface.State.DOWN, state_reason="switched off"
    )


@dataclass
class _Last:
    """The last reading of an interface: its bytes and its clients' endpoints."""

    interface: Interface
    post: Station
    done: bool = False

    def __call__(self) -> None:
        """Read until no counter moves any more; what does not answer is passed over."""
        try:
            rows = load_all(self.interface).rows
            reading = read_all(self.interface, self.post, rows)
            for _ in range(_READINGS):
                before, reading = reading, read_all(self.interface, self.post, rows)
                if reading.dump == before.dump:
                    break
        except (DriverError, TruncatedDump) as error:
            logger.warning(
                "WireGuard interface %s gives no last reading: %s", self.interface.name, error
            )
            return
        self.done = True
        notes = Notes(seq=self.interface.apply_seq, at=reading.at)
        for row in rows:
            if (status := reading.dump.peers.get(row.applied_key)) is not None:
                notes.reading(row, status)
        with transaction.atomic():
            notes.write()


def _may_restart(interface: Interface, post: Station) -> bool:
    if interface.restart_policy == Interface.RestartPolicy.ALWAYS:
        return True
    if interface.restart_policy == Interface.RestartPolicy.NEVER:
        return False
    try:
        peers = post.driver.read().peers.values()
    except DriverError:
        return True  # it does not even answer: it carries nothing
    now = timezone.now().timestamp()
    return not any(_is_active(status, now) for status in peers)


def _is_active(status: PeerStatus, now: float) -> bool:
    """A session ends 180 s after its handshake (WireGuard whitepaper, section 6.1)."""
    return status.latest_handshake > 0 and now - status.latest_handshake < 180
