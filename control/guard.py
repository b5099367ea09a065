"""The mass-loss guard. Pure.

vwg takes a peer's access away only for a recorded cause: an open hold, or a deletion. Peers that
run, or ran, and have now neither row nor cause are kept when there are more than a few of them:
a table is emptied sooner by a fault, or by an old backup, than by a wish.
"""

from __future__ import annotations

from collections.abc import Collection

#: So many peers, or this share of those that run, may go without a recorded cause.
PEERS = 3
SHARE = 0.01


def split(
    strays: Collection[str], *, running: int, live_rows: int, recorded: Collection[str]
) -> tuple[list[str], list[str]]:
    """Sort keys without a row into those that may go and those that wait for an operator.

    ``running`` is the number of peers there are. ``recorded`` are keys that vwg is known to have
    applied on this host: while not one row is left, those are kept however few.
    """
    keys = sorted(strays)
    if len(keys) > max(PEERS, int(SHARE * running)):
        return [], keys
    if live_rows:
        return keys, []
    return [key for key in keys if key not in recorded], [key for key in keys if key in recorded]
