"""Tiers 2 and 3: the whole text, then a restart. Decisions, not reflexes.

A time-out never leads here. Only a refusal that no peer explains does: first `wg syncconf` of a
text that states everything; and when that is refused too, a restart, if the policy allows it and
no tenant's act causes an outage of an interface that carries traffic.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from control import link
from control.applied import Notes
from control.desired import Loaded, device, load_all
from control.guard import split
from control.work import Row
from gateways.drivers import Station
from gateways.models import Interface
from peers.models import Peer
from wireguard.errors import DriverError, DriverRejected
from wireguard.types import PeerConfig, PeerStatus

logger = logging.getLogger("WireGuard")


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
        synchronise(interface, post)
    except DriverRejected as error:
        logger.warning("Runtime configuration failed, falling back to service restart")
        if not _may_restart(interface, post):
            raise link.Waits(
                f"interface {interface.name} refuses changes ({error}) and carries traffic: restart"
                f" it when it suits (`manage.py link_restart --interface {interface.name}`)"
            ) from None
        restart(interface, post)
        return 3
    return 2


def synchronise(interface: Interface, post: Station) -> None:
    """Tier 2: `wg syncconf` of a text that states everything, blocked peers included.

    Whoever is not in the text is removed. So a peer that runs stays in it as it is, unless its row
    can be sent, or says that it shall go.
    """
    running = post.driver.read().peers
    loaded = load_all(interface)
    rows = [row for row in loaded.rows if _may_run(interface, loaded, row)]
    present = [row for row in rows if row.config.allowed_ips or row.applied_key]
    texts = [row.config for row in present]
    texts += _kept(interface, loaded, running, {config.public_key for config in texts})
    post.driver.sync(device(interface, texts))
    _note(interface, loaded, {row.id for row in present})


def _kept(
    interface: Interface, loaded: Loaded, running: Mapping[str, PeerStatus], named: set[str]
) -> list[PeerConfig]:
    """Peers that stay as they run: their row cannot be sent, or they have none (the guard)."""
    held = {row.applied_key for row in loaded.rows if row.live} - named
    spoken = set(Peer.objects.filter(interface=interface).values_list("public_key", flat=True))
    spoken |= {row.applied_key for row in loaded.rows}
    _, guarded = split(
        [key for key in running if key not in spoken],
        running=len(running),
        live_rows=sum(row.live for row in loaded.rows),
        recorded=running,
    )
    rotated = {row.applied_key for row in loaded.rows if row.applied_key != row.config.public_key}
    keys = ((held - rotated) | set(guarded) | set(interface.guard_keys)) - named
    return [
        PeerConfig(key, status.allowed_ips, status.preshared_key, status.persistent_keepalive)
        for key in sorted(keys)
        if (status := running.get(key)) is not None
    ]


def restart(interface: Interface, post: Station) -> None:
    """Tier 3: read what can be read, take the link down, bring it up, give endpoints back."""
    harvest(interface, post)
    take_down(interface, post)
    link.bring_up(interface, post)


def take_down(interface: Interface, post: Station) -> None:
    """Take our link down, with its hooks and its firewall table. Raises link.NotOurs."""
    sight = post.look()
    if sight.exists and not link.is_ours(interface, sight):
        raise link.refuse(interface)
    post.link.bring_down(link.spec_of(interface, device(interface, ())))


def harvest(interface: Interface, post: Station) -> None:
    """Store the counters and endpoints of a last dump, if the interface still gives one."""
    try:
        dump = post.driver.read()
    except DriverError as error:
        logger.warning("WireGuard interface %s gives no last reading: %s", interface.name, error)
        return
    notes = Notes(seq=interface.apply_seq, at=timezone.now())
    for row in load_all(interface).rows:
        status = dump.peers.get(row.applied_key)
        if status is not None:
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


def _may_run(interface: Interface, loaded: Loaded, row: Row) -> bool:
    return (
        row.live
        and not row.quarantined
        and row.id not in loaded.problems
        and row.config.public_key != interface.public_key
    )


def _note(interface: Interface, loaded: Loaded, up: set[int]) -> None:
    notes = Notes(seq=interface.apply_seq + 1, at=timezone.now())
    for row in loaded.rows:
        if row.id in up:
            notes.present(row, row.config)
        elif row.applied_key and row.deleted:
            notes.absent(row, row.applied_key)
            notes.reached(row)
    with transaction.atomic():
        Interface.objects.filter(pk=interface.pk).update(apply_seq=notes.seq)
        interface.apply_seq = notes.seq
        notes.write()
