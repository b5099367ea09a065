"""The link of an interface row: whose it is, and bringing it up, down and back.

First contact: an interface that vwg did not bring up is never written to before an operator
adopts it. vwg knows its own by the alias stamp, which also names the epoch of the counters.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from control import bootfile, shaping, whole
from control.applied import Notes
from control.desired import Loaded, device, load_all
from control.guard import split
from control.work import Row
from gateways.drivers import Sight, Station
from gateways.models import Interface
from peers.models import Peer
from wireguard.errors import DriverError, InvalidConfig
from wireguard.linkspec import Backend, Endpoint, ForeignInterface, LinkSpec, Outcome
from wireguard.types import DeviceConfig, PeerConfig

logger = logging.getLogger("WireGuard")


_BACKENDS: Final[dict[str, Literal["auto"] | Backend]] = {
    "auto": "auto",
    "kernel": "kernel",
    "userspace": "userspace",
}


class NotOurs(DriverError):
    """The interface exists and vwg did not bring it up: nothing was written to it."""


class Waits(DriverError):
    """The interface needs a restart that its policy leaves to the operator."""


@dataclass(frozen=True)
class Ready:
    """The interface can be written to. ``tier`` 3: it was dead and has just been brought up."""

    tier: int | None = None
    message: str = ""


def make_ready(interface: Interface, post: Station, *, asked: bool = False) -> Ready:
    """See that the link is up and ours, and bring it up when it is dead.

    ``asked``: an operator wants it up, whatever its policy says of restarts. Raises NotOurs for a
    foreign link, Waits when the policy forbids a restart, DriverError.
    """
    sight = post.look()
    if sight.exists and not is_ours(interface, sight) and not is_unfinished(interface, sight):
        raise refuse(interface)
    if sight.exists and sight.up and sight.stamp:
        return Ready()
    if interface.restart_policy == Interface.RestartPolicy.NEVER and not asked:
        raise Waits(
            f"WireGuard interface {interface.name} is down and its restart policy is `never`:"
            f" start it (`manage.py link_up --interface {interface.name}`)"
        )
    if bring_up(interface, post) is Outcome.REVIVED:
        return Ready()
    return Ready(3, f"Interface {interface.name} was down and has been brought up")


def is_ours(interface: Interface, sight: Sight) -> bool:
    """Whether the stamp is the one we set, by the row or by the note on this host.

    The database may be older than the link (a restored backup); the note is not.
    """
    if not sight.stamp:
        return False
    if sight.stamp == interface.stamp:
        return True
    if sight.stamp != bootfile.read_note(interface.name).get("stamp"):
        return False
    Interface.objects.filter(pk=interface.pk).update(stamp=sight.stamp)
    interface.stamp = sight.stamp
    return True


def is_unfinished(interface: Interface, sight: Sight) -> bool:
    """Whether this is what a bring-up of ours left that was killed: it is made anew."""
    known = {interface.stamp, bootfile.read_note(interface.name).get("stamp")}
    return bool(sight.unfinished) and sight.unfinished in known


def refusal(interface: Interface) -> NotOurs:
    """What an operator can do about an interface that is not ours."""
    return NotOurs(
        f"WireGuard interface {interface.name} exists but was not brought up by vwg; nothing is"
        f" written to it. Adopt it (`manage.py adopt --interface {interface.name}`) or remove it"
    )


def refuse(interface: Interface) -> NotOurs:
    """The same, and the row says so."""
    error = refusal(interface)
    Interface.objects.filter(pk=interface.pk).update(
        state=Interface.State.FOREIGN, state_reason=str(error), observed_at=timezone.now()
    )
    return error


def route(interface: Interface, post: Station) -> None:
    """Have the host route the networks behind the devices to our link."""
    rows = [row.config for row in load_all(interface).rows if row.live]
    post.link.set_routes(device(interface, rows))


def spec_of(interface: Interface, configuration: DeviceConfig) -> LinkSpec:
    """The link that an interface row wants."""
    return LinkSpec(
        name=interface.name,
        device=configuration,
        stamp=interface.stamp,
        backend=_BACKENDS[interface.backend],
        forward=interface.forward,
        nat=interface.nat,
        command=settings.VWG_WG_COMMAND,
    )


def bring_up(interface: Interface, post: Station) -> Outcome:
    """Bring a missing link up with every entitled peer, and write down what is on it.

    A new link is a new epoch and gets a new stamp, stored before it is used. One that was only
    set down keeps its peers as they are: what differs is for an apply or an observation.
    """
    interface.refresh_from_db()
    sight = post.look()
    if not sight.exists:
        interface.stamp = str(uuid.uuid4())
        Interface.objects.filter(pk=interface.pk).update(stamp=interface.stamp)
        bootfile.put_note(interface)
    elif sight.unfinished and sight.unfinished != interface.stamp:
        interface.stamp = sight.unfinished
        Interface.objects.filter(pk=interface.pk).update(stamp=interface.stamp)
    if interface.wg_quick and post.unit is not None:
        _start_unit(interface, post)
        return Outcome.CREATED
    loaded = load_all(interface)
    rows = [row for row in loaded.rows if _usable(interface, loaded, row)]
    peers = [row.config for row in rows]
    peers += _kept(interface, loaded)
    try:
        outcome = post.link.bring_up(
            spec_of(interface, device(interface, peers)), _last_seen(interface, rows)
        )
    except ForeignInterface:
        raise refuse(interface) from None
    logger.warning("WireGuard interface %s %s with %d peers", interface.name, outcome, len(peers))
    if outcome is Outcome.CREATED:
        _note_all(interface, loaded.rows, {row.id for row in rows})
        shaping.remake(interface, post)
    return outcome


def _start_unit(interface: Interface, post: Station) -> None:
    """An adopted interface of wg-quick: its operator's file and hooks first, then our peers."""
    if not post.look().exists and post.unit is not None:
        post.unit.up()
    post.link.stamp(interface.stamp)
    shaping.remake(interface, post)
    whole.synchronise(interface, post)
    logger.warning("WireGuard interface %s was brought up by wg-quick", interface.name)


def _usable(interface: Interface, loaded: Loaded, row: Row) -> bool:
    return (
        row.live
        and not row.quarantined
        and row.id not in loaded.problems
        and bool(row.config.allowed_ips)
        and row.config.public_key != interface.public_key
    )


def _kept(interface: Interface, loaded: Loaded) -> list[PeerConfig]:
    """Peers of the boot file that no row speaks of, when they are too many to have been meant."""
    spoken = set(Peer.objects.filter(interface=interface).values_list("public_key", flat=True))
    try:
        recorded = bootfile.read(bootfile.path_of(interface)).peers
    except (OSError, InvalidConfig):
        return []
    unknown = [peer.public_key for peer in recorded if peer.public_key not in spoken]
    _, kept = split(
        unknown,
        running=len(recorded),
        live_rows=sum(row.live for row in loaded.rows),
        recorded=unknown,
    )
    return [peer for peer in recorded if peer.public_key in set(kept)]


def _last_seen(interface: Interface, rows: Iterable[Row]) -> dict[str, Endpoint]:
    """Where each client was last seen, for those that had a session: measured 0.12 s, not 15."""
    recent = timezone.now() - timedelta(minutes=5)
    active = set(
        Peer.objects.filter(interface=interface, last_handshake_at__gte=recent).values_list(
            "pk", flat=True
        )
    )
    found = {}
    for row in rows:
        if row.id in active and row.seen_at:
            address, _, port = row.seen_at.rpartition(":")
            found[row.config.public_key] = (address.strip("[]"), int(port))
    return found


def _note_all(interface: Interface, rows: Iterable[Row], up: set[int]) -> None:
    """The applied state of every row after a bring-up: exactly these peers are on it."""
    notes = Notes(seq=interface.apply_seq + 1, at=timezone.now())
    for row in rows:
        if row.id in up:
            notes.present(row, row.config)
        elif row.applied_key:
            notes.absent(row, row.applied_key)
            notes.reached(row)
        elif not row.quarantined:
            notes.reached(row)
    with transaction.atomic():
        Interface.objects.filter(pk=interface.pk).update(
            apply_seq=notes.seq,
            state=Interface.State.UP,
            state_reason="",
            boot_dirty_since=notes.at,
        )
        interface.apply_seq = notes.seq
        notes.write()
