"""Setting speeds: of new devices before their first packet, of the others with every observation.

Under the interface's host lock. What is set is written down (`quotas.Shape`), and only what differs
from that is sent. What the kernel does not hold as written down (another link, somebody's flush, a
refusal) is made anew, all of it. No error of a driver leaves here: a client is never kept from
connecting because its speed could not be set, and the interface's row says that it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from control.allotted import Allotted, allotted, given, numbered
from control.shapes import cross_out, left_behind, write_down, written_down
from gateways.drivers import SpeedsLike, Station
from gateways.models import Interface
from wireguard.errors import DriverError
from wireguard.shaper import Speed, shard_of

logger = logging.getLogger("WireGuard")

#: After a failure it is tried again so much later.
_AGAIN: Final = timedelta(seconds=60)


def precede(interface: Interface, post: Station, peer_ids: Collection[int]) -> None:
    """Set the speeds of these devices, before their change lets a packet pass."""
    if post.speeds is None or not peer_ids:
        return
    wanted = allotted(interface, peer_ids=peer_ids)
    if not wanted:
        return
    interface.refresh_from_db(fields=["shaping", "stamp"])
    if not _is_of_this_link(interface):
        if _is_due(interface):
            remake(interface, post)
        return
    was = written_down(interface, [row.peer_id for row in wanted])
    differing = [row for row in wanted if row.speed != was.get(row.peer_id)]
    _change(interface, post, post.speeds, differing, was)


def follow(interface: Interface, post: Station) -> None:
    """Bring every speed of the interface up to its rows, and what was flushed back."""
    if post.speeds is None:
        return
    wanted = allotted(interface, changed=True)
    if not interface.shaping and not wanted:
        return
    if not _is_of_this_link(interface):
        if _is_due(interface):
            remake(interface, post)
        return
    try:
        if not post.speeds.intact(interface.shaping["by"]):
            logger.warning("WireGuard interface %s: speeds were removed by others", interface.name)
            remake(interface, post)
            return
    except DriverError as error:
        logger.warning("WireGuard interface %s: speeds not looked at: %s", interface.name, error)
        return
    gone = left_behind(interface)
    wanted += [Allotted(pk, 0, speed.minor, None, None) for pk, speed in gone.items()]
    if wanted:
        was = gone | written_down(interface, [row.peer_id for row in wanted])
        _change(interface, post, post.speeds, wanted, was)


def remake(interface: Interface, post: Station) -> None:
    """Set every speed anew: the link is another one, or nobody knows what is set."""
    if post.speeds is None:
        return
    was = written_down(interface)
    wanted = [row for row in allotted(interface) if row.limited]
    if not wanted and not was and not interface.shaping:
        return
    taken = {speed.minor for speed in was.values()}
    wanted = [row for row in numbered(wanted, taken=taken) if row.minor]
    try:
        if wanted:
            made = post.speeds.remake([row.speed for row in wanted], was.values())
        else:
            post.speeds.clear(was.values())
    except DriverError as error:
        logger.warning("WireGuard interface %s: speeds are not set: %s", interface.name, error)
        with transaction.atomic():
            cross_out(interface)
            _tell(interface, 0, reason=str(error))
        return
    keep = {row.peer_id for row in wanted}
    ended = [Allotted(pk, 0, 0, None, None) for pk in was if pk not in keep]
    changed = [row for row in wanted if was.get(row.peer_id) != row.speed]
    if not wanted:
        _write_down(interface, ended, count=0, by="", reason="")
        return
    logger.info("WireGuard interface %s: %d speeds set", interface.name, len(wanted))
    _write_down(interface, [*ended, *changed], count=len(wanted), by=made.means, reason=made.reason)


def forget(interface: Interface, post: Station) -> None:
    """Take everything away: the interface goes down."""
    if post.speeds is None or not interface.shaping:
        return
    try:
        post.speeds.clear(written_down(interface).values())
    except DriverError as error:
        logger.warning("WireGuard interface %s: speeds not removed: %s", interface.name, error)
    with transaction.atomic():
        cross_out(interface)
        Interface.objects.filter(pk=interface.pk).update(shaping={})
    interface.shaping = {}


def _change(
    interface: Interface,
    post: Station,
    speeds: SpeedsLike,
    wanted: list[Allotted],
    was: Mapping[int, Speed],
) -> None:
    """From what was set of these devices to what is wanted, and nothing else."""
    if not wanted:
        return
    numbers = given(interface)
    wanted = numbered(wanted, taken=numbers)
    before = [was[row.peer_id] for row in wanted if row.peer_id in was]
    after = [row.speed for row in wanted if row.limited and row.minor]
    kept = {shard_of(minor) for minor in numbers - {speed.minor for speed in before}}
    count = len(numbers) - len(before) + len(after)
    try:
        if count:
            speeds.change(interface.shaping["by"], before, after, shards=kept)
        else:
            speeds.clear(before)
    except DriverError as error:
        logger.warning("WireGuard interface %s: speeds are made anew: %s", interface.name, error)
        remake(interface, post)
        return
    told = interface.shaping
    _write_down(
        interface, wanted, count=count, by=told["by"], reason=told["reason"] if count else ""
    )


def _write_down(
    interface: Interface,
    rows: Collection[Allotted],
    *,
    count: int,
    by: str,
    reason: str,
) -> None:
    """The speeds as they are set now, in one transaction with the interface's own line."""
    with transaction.atomic():
        write_down(interface, rows, at=timezone.now())
        _tell(interface, count, by=by, reason=reason)


def _tell(interface: Interface, count: int, *, by: str = "", reason: str = "") -> None:
    """How many speeds are set, by what, and why not, or why not better."""
    now: dict[str, Any] = {}
    if count or reason:
        now = {
            "set": count,
            "by": by,
            "reason": reason[:500],
            "stamp": interface.stamp,
            "at": timezone.now().isoformat(),
        }
    Interface.objects.filter(pk=interface.pk).update(shaping=now)
    interface.shaping = now


def _is_of_this_link(interface: Interface) -> bool:
    """Whether what is written down was set on the link that there is now."""
    told = interface.shaping
    return bool(told.get("by")) and told.get("stamp") == interface.stamp


def _is_due(interface: Interface) -> bool:
    """Whether to try (again); what fails is not tried with every packet of work."""
    told = interface.shaping
    at = parse_datetime(told.get("at") or "")
    return at is None or bool(told.get("by")) or timezone.now() - at > _AGAIN
