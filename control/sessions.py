"""Sessions: from a device's first handshake after a silence to its last sign of life before one.

WireGuard knows no connection. Who talks makes a new handshake every two minutes, and a key is good
for three (REKEY_AFTER_TIME 120 s, REJECT_AFTER_TIME 180 s: the WireGuard paper, section 6.1, and
messages.h of the kernel's driver). So a device whose last handshake is older than that, and a
little, is disconnected: no byte can pass.

Only an observed silence ends a session. Handshakes far apart with nobody looking in between (a
gateway that was cut off, a worker that was away), or an interface that began anew, do not. What
WireGuard says of handshakes is by the gateway's clock, and so are the silences; how long ago the
interface was looked at last is by the database's.

Every step looks again at what there is: safe twice, late, and with an old dump.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from django.db import connection
from django.db.models import F, Q

from control.many import Update, db_time
from control.presence import Shown
from gateways.models import Interface
from peers.models import Peer
from quotas.models import Session
from wireguard.types import PeerStatus

#: WireGuard uses no key that is older.
REJECT_AFTER: Final = timedelta(seconds=180)
#: Besides: what a lost message of a handshake (5 s each) and the time between two looks cost.
SILENCE: Final = REJECT_AFTER + timedelta(seconds=15)
_CHUNK: Final = 1000

T = TypeVar("T")

_END: Final = Update(
    "quotas_session",
    "ended_at = {ended}, up = {up}, down = {down}",
    "id = {row} AND ended_at IS NULL",
    {"ended": "timestamptz", "up": "bigint", "down": "bigint", "row": "bigint"},
)


class Came(NamedTuple):
    """A device that made a handshake since the last look."""

    peer_id: int
    handshake: int
    endpoint: str


def follow(
    interface: Interface,
    running: Mapping[str, PeerStatus],
    shown: Collection[Shown],
    *,
    at: datetime,
) -> tuple[int, int]:
    """Begin and end the sessions that a dump tells of, before its bytes are counted.

    ``at`` is when the dump was taken, by the database's clock; ``interface`` still says when the
    one before was. Returns how many sessions began and how many ended.
    """
    silent = _host_now() - SILENCE.total_seconds()
    looked = interface.observed_at
    before = silent - (at - looked).total_seconds() if looked else 0.0
    came, went = _changes(running, shown, silent=silent, before=before)
    return begin(came), end(_in_session(interface, went))


def _host_now() -> float:
    """This host's clock, which WireGuard tells handshakes by."""
    return time.time()


def _changes(
    running: Mapping[str, PeerStatus], shown: Collection[Shown], *, silent: float, before: float
) -> tuple[list[Came], list[int]]:
    """Who made a handshake, and who went silent, was blocked or was taken off, since the look
    before this one. ``silent``: a handshake from then is too old now, ``before``: was so then.
    """
    came, went = [], []
    for row in shown:
        status = running.get(row.key)
        handshake = max(status.latest_handshake, row.handshake) if status else row.handshake
        if handshake <= silent:
            if row.handshake > before:
                went.append(row.id)
        elif status is None or not status.allowed_ips:
            went.append(row.id)
        elif handshake > row.handshake:
            came.append(Came(row.id, handshake, status.endpoint or row.endpoint))
    return came, went


def _in_session(interface: Interface, went: list[int]) -> list[int]:
    """Of many, those that a session is open of: most that are blocked were so before, too."""
    if len(went) <= _CHUNK:
        return went
    rows = Session.objects.filter(ended_at__isnull=True, peer__interface=interface)
    open_ones = set(rows.values_list("peer_id", flat=True))
    return [pk for pk in went if pk in open_ones]


def begin(came: Collection[Came]) -> int:
    """Begin a session for each of them that is in none; returns how many."""
    began = 0
    for some in _chunks({one.peer_id: one for one in came}):
        open_ones = Session.objects.filter(ended_at__isnull=True, peer__in=some)
        new = some.keys() - set(open_ones.values_list("peer_id", flat=True))
        rows = Peer.objects.filter(pk__in=new, deleted_at__isnull=True).values_list(
            "pk", "tenant_id", "meter__raw_up", "meter__raw_down"
        )
        made = [
            Session(
                peer_id=pk,
                tenant_id=tenant_id,
                began_at=datetime.fromtimestamp(some[pk].handshake, UTC),
                endpoint=some[pk].endpoint,
                base_up=up or 0,
                base_down=down or 0,
            )
            for pk, tenant_id, up, down in (rows if new else ())
        ]
        Session.objects.bulk_create(made, ignore_conflicts=True)
        began += len(made)
    return began


def end(went: Collection[int]) -> int:
    """End the open sessions of these devices, each with its last sign of life; returns how many.

    That is the last handshake, or the last byte that was counted while its key was good.
    """
    ended = 0
    for some in _chunks(dict.fromkeys(went)):
        rows = Session.objects.filter(ended_at__isnull=True, peer__in=some).values_list(
            "pk", "began_at", "base_up", "base_down", "peer__last_handshake_at",
            "peer__meter__sampled_at", "peer__meter__raw_up", "peer__meter__raw_down",
        )  # fmt: skip
        values = [
            (db_time(_last(began_at, handshake, counted)), (up or base_up) - base_up,
             (down or base_down) - base_down, pk)
            for pk, began_at, base_up, base_down, handshake, counted, up, down in rows
        ]  # fmt: skip
        with connection.cursor() as cursor:
            _END.run(cursor, values)
        ended += len(values)
    return ended


def _last(began_at: datetime, handshake: datetime | None, counted: datetime | None) -> datetime:
    """A device's last sign of life."""
    last = max(began_at, handshake or began_at)
    return max(last, min(counted or last, last + REJECT_AFTER))


def end_forgotten() -> int:
    """End what no dump will tell of: sessions of devices that are off their interface, or were
    silent long before it was last read. Returns how many.
    """
    off = Q(peer__applied_key="", peer__observed_present=False)
    silent = Q(peer__interface__observed_at__gt=F("peer__last_handshake_at") + 2 * SILENCE)
    rows = Session.objects.filter(off | silent, ended_at__isnull=True)
    return end(list(rows.values_list("peer_id", flat=True)))


def _chunks(rows: dict[int, T]) -> Iterator[dict[int, T]]:
    left = iter(rows.items())
    while some := dict(islice(left, _CHUNK)):
        yield some
