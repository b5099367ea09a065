"""Who may connect, as sections of the boot file, each rendered once and kept.

The file is written within seconds of every change, and to render 10,000 peers from nothing takes
0.6 s of CPU, nine tenths of it for secrets and addresses that did not change. So a process keeps
each peer's section under a mark of what it was made from, and makes only those whose mark is new.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any, Final

from control.desired import load_all, load_for
from control.work import Row
from gateways.models import Interface
from peers.models import Peer
from wireguard.config import render_peers
from wireguard.errors import InvalidConfig

logger = logging.getLogger("WireGuard")

#: Addresses and networks are in the mark by the row's generation alone, and a restored backup may
#: count a generation twice: nothing is kept for longer than this (seconds).
KEEP_S: Final = 300.0
#: From so many new marks on, all rows are read at once.
_MANY: Final = 200

_Mark = tuple[Any, ...]


@dataclass
class _Kept:
    """The sections of one interface by peer row; "" for a row that must not be in the file."""

    server_key: str
    until: float
    sections: dict[int, tuple[_Mark, str]] = field(default_factory=dict)


_kept: dict[int, _Kept] = {}


def entitled(interface: Interface) -> list[str]:
    """The section of every peer that may connect: live, not blocked, not quarantined.

    In the order of the rows; each ends with a newline and holds the preshared key.
    """
    kept = _kept.get(interface.pk)
    if kept is None or kept.server_key != interface.public_key or kept.until < time.monotonic():
        kept = _Kept(interface.public_key, time.monotonic() + KEEP_S)
    marks = _marks(interface)
    new = {pk for pk, mark in marks.items() if kept.sections.get(pk, ("",))[0] != mark}
    made = _render(interface, new) if new else {}
    kept.sections = {
        pk: (mark, made.get(pk, "")) if pk in new else kept.sections[pk]
        for pk, mark in marks.items()
    }
    _kept[interface.pk] = kept
    return [text for _, text in kept.sections.values() if text]


def _marks(interface: Interface) -> dict[int, _Mark]:
    """What each section is made from, read before the sections are: never newer than they."""
    rows = Peer.objects.filter(
        interface=interface, deleted_at=None, blocked=False, quarantine_reason=""
    ).order_by("pk")
    fields = "public_key", "preshared_key", "persistent_keepalive", "endpoint"
    return {pk: tuple(mark) for pk, *mark in rows.values_list("pk", "generation", *fields)}


def _render(interface: Interface, ids: set[int]) -> dict[int, str]:
    loaded = (
        load_all(interface) if len(ids) >= _MANY else load_for(interface, peer_ids=ids, keys=())
    )
    return {
        row.id: _section(row)
        for row in loaded.rows
        if row.id in ids
        and row.live
        and not row.quarantined
        and row.id not in loaded.problems
        and row.config.allowed_ips
        and row.config.public_key != interface.public_key
    }


def _section(row: Row) -> str:
    """One bad row hurts itself only: it is left out of the file."""
    try:
        return render_peers([row.config])
    except InvalidConfig as error:
        logger.error("WireGuard boot file: a peer is left out: %s", error)
        return ""
