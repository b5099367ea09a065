"""What the clock brings about for clients, by the database's clock; and since when nobody did it.

That is told by the clock of the host's boot, which nobody sets: so a clock that has jumped is told
from a worker that was away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

from control.clock import database_now
from peers.services import ends, periods, planning, verdicts
from peers.services.clockwork import ClockDoubted
from wireguard.host import boot_id

#: Whoever came due so long before it was done last is late.
MARGIN: Final = timedelta(minutes=2)
_KEY: Final = "vwg.ends."

#: At a moment, with ``since`` when it was done last: on how many clients it was done.
_Act = Callable[..., int]
#: In this order: a plan that follows spares its client the end.
_OFTEN: Final[dict[str, _Act]] = {"plans": planning.follow_plans, "expired": ends.expire_due}
_SELDOM: Final[dict[str, _Act]] = {"deleted": ends.delete_ended}


def end_due(*, doubting: bool = True) -> dict[str, int]:
    """Plans that follow, ends, and periods that are over; how many clients of each.

    Raises `ClockDoubted` when all that can be believed is done; without ``doubting`` all is.
    """
    at = database_now()
    rolled = {"periods": periods.roll_periods(at=at)}
    return _guarded(_OFTEN, at, doubting) | rolled


def check_all(*, doubting: bool = True) -> dict[str, int]:
    """Everybody's limits, and whoever is deleted so long after his end. Raises `ClockDoubted`."""
    at = database_now()
    dated, judged = periods.date_strays(at=at), verdicts.sweep_quotas(at=at)
    return {"dated": dated, "judged": judged} | _guarded(_SELDOM, at, doubting)


def _guarded(acts: dict[str, _Act], at: datetime, doubting: bool) -> dict[str, int]:
    done, doubts = dict[str, int](), list[ClockDoubted]()
    for name, act in acts.items():
        began = _steady()
        try:
            done[name] = act(at=at, since=_last(name, at) if doubting else None)
        except ClockDoubted as doubt:
            doubts.append(doubt)
        else:
            cache.set(_KEY + name, began, None)
    if doubts:
        raise doubts[0]
    return done


def _steady() -> tuple[str, float]:
    """The clock of this boot: it goes on while the host sleeps, and nobody sets it."""
    return boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME)


def _last(name: str, at: datetime) -> datetime:
    """When it was last done, as the steady clock has it; after a boot: just now."""
    (boot, now), (before, then) = _steady(), cache.get(_KEY + name, ("", 0.0))
    elapsed = now - then if boot == before else 0.0
    return at - timedelta(seconds=max(elapsed, 0.0)) - MARGIN
