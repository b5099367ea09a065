"""Time zones that a person may live in."""

from __future__ import annotations

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_AREAS: Final = frozenset(
    ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
     "Pacific")
)  # fmt: skip


def zone(name: str) -> ZoneInfo | None:
    """The zone of this name; None (the site's own) for none, and for one that this machine's
    tables do not have any more.
    """
    return ZoneInfo(name) if name in available_zones() else None


@cache
def available_zones() -> frozenset[str]:
    """Every name that may stand in an account."""
    return frozenset(available_timezones())


@cache
def inhabited() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The names to choose from, by continent; UTC before them."""
    names = sorted(name for name in available_zones() if name.partition("/")[0] in _AREAS)
    areas = sorted({name.partition("/")[0] for name in names})
    grouped = tuple((area, tuple(n for n in names if n.startswith(f"{area}/"))) for area in areas)
    return (("", ("UTC",)), *grouped)
