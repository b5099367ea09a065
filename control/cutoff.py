"""The kernel cut-off: clients near a limit are armed in nftables, and cut at the byte.

With every observation, from the ledger: what is left of each limit becomes that much more for the
quota in the kernel to count (`wireguard.cutoff.allowance`), so that the two approach each other
however much they differ on the way, and a client that the kernel has cut below its limit goes on
with the rest. The ledger stays the bill, and its verdict the reason why somebody is off.

The nearer somebody is to a limit, the more often the ledger is kept; and it is kept at once when
the kernel has cut somebody off, for what he goes on sending is billed until he is held.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.utils import timezone

from control import armed
from control.armed import Note
from control.clock import database_now
from control.nearing import CLOSE_TICKS, Near, near, next_look, tick_bytes
from gateways.drivers import NftLike, Station, lock_dir
from gateways.models import Interface
from wireguard import cutoff
from wireguard.cutoff import Key, Quota, Shown, Table
from wireguard.errors import DriverError, DriverRejected
from wireguard.host import netns_id
from wireguard.lock import HostLock, LockBusy

logger = logging.getLogger("WireGuard")

_LOCK_TIMEOUT_S: Final = 2.0
#: Quotas of a table that is read with every dump, and how often a longer one is.
_LONG: Final = 1000
_EVERY: Final = 6
_RESTORED: Final = 100
SWITCHED_OFF: Final = "switched off (VWG_CUTOFF)"


class Look(NamedTuple):
    """What the kernel had counted when a dump was taken, and of which note that is."""

    serial: int = -1
    shown: Shown | None = None


def look(interface: Interface, post: Station, *, number: int) -> Look:
    """Read what was counted, right after dump ``number``.

    That takes 15 ms for 1,000 and 140 for 10,000. A long table is read only if somebody in it is
    close to a limit, or has not been looked at for long: what a tunnel loses (its other end is
    away) is counted all the same, and may cut off who has much left.
    """
    if post.nft is None or not settings.VWG_CUTOFF:
        return Look()
    note = armed.read(interface)
    if not note.table or (len(note.table) > _LONG and not _is_due(interface, note, number)):
        return Look()
    try:
        listing = post.nft.list_table(cutoff.table_name(interface.name))
        return Look(note.serial, cutoff.parse(listing) if listing else Shown())
    except (DriverError, ValueError, KeyError) as error:
        logger.warning("WireGuard interface %s: cut-off not read: %s", interface.name, error)
        return Look()


def has_cut(interface: Interface, post: Station) -> bool:
    """Whether the kernel has cut somebody off of whom the ledger does not know it yet."""
    if post.nft is None or not settings.VWG_CUTOFF:
        return False
    note = armed.read(interface)
    waiting = [key for key in note.table if note.left.get(key, 0) > 0]
    if not waiting:
        return False
    try:
        listing = post.nft.list_table(cutoff.table_name(interface.name))
        used = cutoff.parse(listing).used if listing else {}
    except (DriverError, ValueError, KeyError) as error:
        logger.warning("WireGuard interface %s: cut-off not read: %s", interface.name, error)
        return False
    return any(used.get(key, 0) >= note.table[key].limit for key in waiting)


def _is_due(interface: Interface, note: Note, number: int) -> bool:
    return number % _EVERY == 0 or _is_close(interface, note.left.values())


def _is_close(interface: Interface, left: Iterable[int]) -> bool:
    close = tick_bytes(interface, CLOSE_TICKS)
    return any(one <= close for one in left)


def follow(
    interface: Interface, post: Station, seen: Look, *, number: int, taken_at: datetime
) -> None:
    """Arm, re-arm and disarm after the books of dump ``number`` are kept. Raises no driver's error.

    An older dump than the last is passed over: what is left was less by then. One that is older by
    far is of a database that was restored.
    """
    if post.nft is None:
        return
    try:
        with _alone(interface):
            note = armed.read(interface)
            if not 0 <= note.number - number < _RESTORED:
                _follow(interface, post.nft, note, seen, number, taken_at)
    except LockBusy:
        logger.info("WireGuard interface %s: cut-off is being set already", interface.name)
    except (DriverError, OSError) as error:
        logger.warning("WireGuard interface %s: no cut-off: %s", interface.name, error)


def _follow(
    interface: Interface, nft: NftLike, note: Note, seen: Look, number: int, taken_at: datetime
) -> None:
    wanted = near(interface)
    if not wanted and not note.table and not note.left:
        _tell(interface, 0, "" if settings.VWG_CUTOFF else SWITCHED_OFF)
        return
    left = {key: one.left for key, one in wanted.items()}
    now = replace(note, left=left, number=number, at=taken_at.timestamp())
    why_not = "" if settings.VWG_CUTOFF else SWITCHED_OFF
    table: Table = {}
    if not why_not or note.table:
        shown = seen.shown if seen.serial == note.serial else None
        try:
            table = _arm(interface, nft, note, {} if why_not else wanted, shown)
        except DriverError as error:
            why_not = str(error)
    armed.write(interface, replace(now, table=table))
    look_at = _look_at(note, wanted, taken_at)
    watched = _is_watched(interface, table, left)
    _tell(interface, len({key.client for key in table}), why_not, look_at, watched)


def _look_at(note: Note, wanted: Mapping[Key, Near], taken_at: datetime) -> datetime | None:
    """When to observe again, by the database's clock, if that is before the next time."""
    if not note.at:
        return None
    now = database_now()
    seconds, took = taken_at.timestamp() - note.at, (now - taken_at).total_seconds()
    wait = next_look(note.left, wanted, seconds=seconds, took=took)
    return None if wait is None else now + timedelta(seconds=wait)


def _is_watched(interface: Interface, table: Table, left: Mapping[Key, int]) -> bool:
    """Whether the kernel is asked with every sweep: it is quick, and somebody is close."""
    return 0 < len(table) <= _LONG and _is_close(interface, left.values())


def _arm(
    interface: Interface,
    nft: NftLike,
    note: Note,
    wanted: Mapping[Key, Near],
    shown: Shown | None,
    touch: bool = True,
) -> Table:
    """Make the kernel's table what is wanted; returns it. Raises DriverError.

    A table that is not as it was left (somebody flushed the ruleset) is made anew; ``touch``: see
    that it is there, even if nothing changes.
    """
    if not wanted:
        if note.table:
            nft.load(cutoff.remove(interface.name))
        return {}
    percent, mtu = interface.gateway.usage_percent, interface.mtu or 0
    if note.table and (shown is None or shown.holds(note.table)):
        table, fresh = plan(note, wanted, shown, percent=percent, mtu=mtu)
        text = cutoff.change(interface.name, note.table, table, fresh)
        if not text and shown is None and touch:
            text = cutoff.touch(interface.name)
        try:
            if text:
                nft.load(text)
            return table
        except DriverRejected as error:
            logger.warning("WireGuard interface %s: cut-off made anew: %s", interface.name, error)
    table, _ = plan(Note(), wanted, None, percent=percent, mtu=mtu)
    nft.load(cutoff.render(interface.name, table))
    return table


def plan(
    note: Note, wanted: Mapping[Key, Near], shown: Shown | None, *, percent: int, mtu: int
) -> tuple[dict[Key, Quota], set[Key]]:
    """The next table, and which of its quotas count from 0 again.

    A quota goes on counting where it can, for then no packet between reading and writing it is
    forgotten; but one that is used up also counts what it drops, and is made anew for the rest.
    """
    table: dict[Key, Quota] = {}
    fresh: set[Key] = set()
    for key, one in wanted.items():
        had = note.table.get(key)
        limit = cutoff.allowance(one.left, percent=percent, mtu=mtu)
        if had is not None and had.networks == one.networks and one.left > 0:
            if one.left > note.left.get(key, 0):  # topped up, or another period
                fresh.add(key)
            elif shown is None:
                limit = had.limit
            elif shown.used[key] >= had.limit:
                fresh.add(key)
            else:
                limit += shown.used[key]
        table[key] = Quota(limit, one.networks)
    return table, fresh


def relax(interface: Interface, post: Station, *, peers: Collection[int] = ()) -> None:
    """Let go at once who has more left than when armed (a reset, a top-up, another plan), and arm
    at once whose ``peers`` may send from now on, so that no byte passes before.

    It is cheap when nobody is armed. Raises no driver's error: the next observation does it too.
    """
    if post.nft is None or not settings.VWG_CUTOFF:
        return
    if not armed.read(interface).table and not (peers and near(interface, peers=peers)):
        return
    try:
        with _alone(interface):
            note = armed.read(interface)
            wanted = near(interface, among={key.client for key in note.table}, peers=peers)
            table = _arm(interface, post.nft, note, wanted, None, touch=False)
            left = {key: one.left for key, one in wanted.items()}
            armed.write(interface, replace(note, table=table, left=left))
            if _is_watched(interface, table, left):
                _watch(interface)
    except (LockBusy, DriverError, OSError) as error:
        logger.warning("WireGuard interface %s: cut-off not relaxed: %s", interface.name, error)


def _watch(interface: Interface) -> None:
    """From now on, and not from the next observation on."""
    row = Interface.objects.filter(pk=interface.pk)
    was = row.values_list("cutoff", flat=True).get()
    if not was.get("watched"):
        row.update(cutoff={**was, "watched": True})


def forget(interface: Interface, post: Station) -> None:
    """Take the table away: the interface is switched off."""
    if post.nft is None or not armed.read(interface).table:
        return
    try:
        with _alone(interface):
            post.nft.load(cutoff.remove(interface.name))
            armed.write(interface, replace(armed.read(interface), table={}, left={}))
    except (LockBusy, DriverError, OSError) as error:
        logger.warning("WireGuard interface %s: cut-off not removed: %s", interface.name, error)


def _alone(interface: Interface) -> AbstractContextManager[object]:
    """One writer of an interface's table at a time; nothing else waits for it."""
    inode = netns_id(interface.gateway.netns or None)
    return HostLock(lock_dir() / "cutoff", inode, interface.name, timeout_s=_LOCK_TIMEOUT_S)


def _tell(
    interface: Interface,
    clients: int,
    why_not: str,
    look_at: datetime | None = None,
    watched: bool = False,
) -> None:
    """Write down what is armed, when that differs."""
    was = interface.cutoff
    since = None
    if clients:
        since = was.get("since") if was.get("armed") else None
        since = since or timezone.now().isoformat()
    now = {
        "armed": clients,
        "since": since,
        "why_not": why_not,
        "look_at": look_at and look_at.isoformat(),
        "watched": watched,
    }
    if now != was:
        Interface.objects.filter(pk=interface.pk).update(cutoff=now)
        interface.cutoff = now
