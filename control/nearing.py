"""Who is near a limit: what is left of it, and how soon it is reached. The ledger's word alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Least
from django.utils.dateparse import parse_datetime

from gateways.models import Interface
from peers.models import Peer
from peers.sold import MAX_BYTES
from quotas.models import Plan
from wireguard.cutoff import Key, Way, apart

#: Who could use up the rest of a limit within so many observations at full speed is near it;
#: within so many of them, close: a missed observation leaves one before it is reached.
NEAR_TICKS: Final = 3
CLOSE_TICKS: Final = 2
SHORTEST_S: Final = 1.0
#: Looking takes at most a fifth of the time, however close somebody is.
_SHARE: Final = 5

_UP = Coalesce(F("client__usage__billed_up") - F("client__usage__base_up"), 0)
_DOWN = Coalesce(F("client__usage__billed_down") - F("client__usage__base_down"), 0)
#: As much as a number of the database's holds: more was never used.
_EXTRA = Least(
    Coalesce(F("client__usage__extra_bytes"), 0), Value(MAX_BYTES) - F("client__quota_bytes")
)
_LEFT: Final = {
    Way.BOTH: F("client__quota_bytes") + _EXTRA - _UP - _DOWN,
    Way.UP: F("client__upload_quota_bytes") - _UP,
    Way.DOWN: F("client__download_quota_bytes") - _DOWN,
}


class Near(NamedTuple):
    """Billed bytes that are left of a limit (none: 0 or less), and where they may be used."""

    left: int
    networks: tuple[str, ...]


def tick_bytes(interface: Interface, ticks: int) -> int:
    """What is billed of so many observations' time at the fastest a client can be."""
    a_second = settings.VWG_CUTOFF_MBIT * 125_000
    percent = interface.gateway.usage_percent
    return int(a_second * settings.VWG_OBSERVE_SECONDS * ticks * percent // 100)


def near(
    interface: Interface,
    *,
    among: Collection[int] | None = None,
    peers: Collection[int] | None = None,
) -> dict[Key, Near]:
    """The limits that may soon be reached on this interface, those that are reached included.

    Of clients that can send something there (what is blocked has no allowed-ips) and whose limit
    cuts them off; ``among`` these clients and those with these ``peers`` if given. One query.
    """
    within = tick_bytes(interface, NEAR_TICKS)
    if not within:  # nothing of this gateway is billed
        return {}
    rows = (
        Peer.objects.filter(interface=interface, client__at_limit=Plan.AtLimit.DISCONNECT)
        .exclude(applied_allowed_ips="")
        .annotate(**{f"left_{way.name}": left for way, left in _LEFT.items()})
        .filter(Q(left_BOTH__lte=within) | Q(left_UP__lte=within) | Q(left_DOWN__lte=within))
        .order_by("client_id", "pk")
    )
    if among is not None or peers is not None:
        owners = Peer.objects.filter(pk__in=peers or ()).values("client_id")
        rows = rows.filter(Q(client__in=among or ()) | Q(client__in=owners))
    names = [f"left_{way.name}" for way in Way]
    left: dict[Key, int] = {}
    networks: dict[int, list[str]] = {}
    for client, texts, *lefts in rows.values_list("client_id", "applied_allowed_ips", *names):
        networks.setdefault(client, []).extend(texts.split(","))
        left |= {
            Key(client, way): rest
            for way, rest in zip(Way, lefts, strict=True)
            if rest is not None and rest <= within
        }
    own = apart(networks)
    return {key: Near(rest, own[key.client]) for key, rest in left.items()}


def next_look(
    before: Mapping[Key, int], now: Mapping[Key, Near], *, seconds: float, took: float
) -> float | None:
    """Seconds until somebody reaches a limit as fast as they went since ``before``, if that is
    sooner than the next observation. ``took``: how long one takes, of which there are not more
    than a second and a fifth of the time allow.
    """
    soonest = min(_times_left(before, now, seconds), default=None)
    if soonest is None:
        return None
    wait = max(soonest, SHORTEST_S, _SHARE * took)
    return wait if wait < settings.VWG_OBSERVE_SECONDS else None


def _times_left(
    before: Mapping[Key, int], now: Mapping[Key, Near], seconds: float
) -> Iterator[float]:
    for key, (left, _) in now.items():
        used = before.get(key, left) - left
        if left > 0 and used > 0:
            yield left / used * seconds


class Due(NamedTuple):
    """Interfaces that want to be observed by now, each told once; and of the others those whose
    kernel wants to be asked whether it has cut somebody off.
    """

    looks: list[int]
    watches: list[int]


def due(*, at: datetime) -> Due:
    """What the sweep has to do for who is near a limit. One query, and one for each look."""
    rows = Interface.objects.filter(enabled=True, simulated=False).exclude(cutoff={})
    found = Due([], [])
    for pk, cutoff in rows.values_list("pk", "cutoff"):
        moment = parse_datetime(cutoff.get("look_at") or "")
        if moment is not None and moment <= at:
            rows.filter(pk=pk).update(cutoff={**cutoff, "look_at": None})
            found.looks.append(pk)
        elif cutoff.get("watched"):
            found.watches.append(pk)
    return found
