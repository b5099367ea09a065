"""What an Apply would change, told to a person: `control.preview` with names, counts and ages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from control.preview import Preview, preview
from gateways.models import Interface
from peers.models import Peer
from portal import formats
from portal.status.wording import STALE_SECONDS, drift_size

#: So many changes are named one by one; the rest are counted.
LISTED = 50
KINDS = ("added", "changed", "unblocked", "blocked", "removed")


@dataclass(frozen=True)
class Change:
    """One device that an Apply would touch."""

    words: str
    name: str
    public_key: str


@dataclass(frozen=True)
class Plan:
    """The answer to "what would happen now, and to whom?" for one interface.

    ``alone`` is true only when the plan proves that nobody else is touched, and the observation
    it leans on is young.
    """

    interface: Interface
    counts: tuple[tuple[int, str], ...]
    changes: tuple[Change, ...]
    total: int
    untouched: int
    set_aside: int
    drift: int
    guarded: int
    tier: int | None
    refused: str
    alone: bool
    observed_at: datetime | None

    @property
    def unlisted(self) -> int:
        """Changes beyond those named one by one."""
        return self.total - len(self.changes)


def plan_of(interface: Interface, now: datetime) -> Plan:
    """What an Apply of this interface would do, as far as the rows and the last dump tell."""
    found = preview(interface)
    mine = Peer.objects.filter(interface=interface, deleted_at__isnull=True)
    read_age = formats.age(interface.observed_at, now)
    young = read_age is not None and read_age <= STALE_SECONDS
    touched = found.total - len(found.removed)
    return Plan(
        interface=interface,
        counts=tuple(
            (len(found.peers(kind)), _sentence(kind, len(found.peers(kind)))) for kind in KINDS
        ),
        changes=_named(found),
        total=found.total,
        untouched=max(0, mine.count() - touched),
        set_aside=mine.exclude(quarantine_reason="").count(),
        drift=drift_size(found.drift),
        guarded=len(interface.guard_keys),
        tier=found.tier,
        refused=_refusal(found),
        alone=found.others_untouched and young,
        observed_at=found.observed_at,
    )


def _refusal(found: Preview) -> str:
    """Why an Apply would not be done; "" when it would."""
    if not found.interface.enabled:
        return gettext("The interface is switched off.")
    if found.interface.state == Interface.State.FOREIGN:
        return gettext("vwg did not bring this interface up, and writes nothing to it.")
    return found.obstacle


def _named(found: Preview) -> tuple[Change, ...]:
    listed = [(kind, key) for kind in KINDS for key in found.peers(kind)][:LISTED]
    keys = [key for _, key in listed]
    rows = Peer.objects.filter(interface=found.interface, public_key__in=keys)
    names = dict(rows.order_by("pk").values_list("public_key", "client__name"))
    return tuple(Change(_verb(kind), names.get(key, ""), key) for kind, key in listed)


def _verb(kind: str) -> str:
    words: Mapping[str, str] = {
        "added": gettext("is added"),
        "changed": gettext("is changed"),
        "unblocked": gettext("is switched on"),
        "blocked": gettext("is switched off"),
        "removed": gettext("is removed"),
    }
    return words[kind]


def _sentence(kind: str, count: int) -> str:
    words: Mapping[str, str] = {
        "added": ngettext("peer is added", "peers are added", count),
        "changed": ngettext("peer is changed", "peers are changed", count),
        "unblocked": ngettext("peer is switched on", "peers are switched on", count),
        "blocked": ngettext("peer is switched off", "peers are switched off", count),
        "removed": ngettext("peer is removed", "peers are removed", count),
    }
    return words[kind]
