"""How fast a client may be. Pure; `control.allotted` asks the same of everybody in SQL."""

from __future__ import annotations


def least(*limits: int | None) -> int | None:
    """The speed that these limits leave (kbit/s); None is no limit."""
    return min((limit for limit in limits if limit is not None), default=None)
