"""Which device counts what a dump shows, and that what rests is left alone."""

from __future__ import annotations

from typing import Any

from control.samples import Counted, samples
from tests.make import make_public_key
from wireguard.types import PeerStatus

KEY = make_public_key()


def row(pk: int, **fields: Any) -> Counted:
    whole: dict[str, Any] = {
        "public_key": KEY, "live": True, "applied_key": "", "going": False, "off": False,
        "applied_seq": 0, "run": None, "rx": 0, "tx": 0, "billing": None,
    }  # fmt: skip
    return Counted(pk, **{**whole, **fields})


def status(rx: int, tx: int) -> dict[str, PeerStatus]:
    return {KEY: PeerStatus(KEY, None, None, ("10.0.0.1/32",), 0, rx, tx, None)}


def counted(*rows: Counted, rx: int = 5, tx: int = 6, run: int = 1, **more: Any) -> list[Any]:
    takes = samples(status(rx, tx), rows, run=run, apply_seq=9, **{"latest": 9, **more})
    return [(one.peer_id, one.rx, one.tx, one.billing) for one in takes]


def test_who_had_the_key_applied_counts_it() -> None:
    old = row(1, live=False, applied_key=KEY, going=True)
    assert counted(row(2), old) == [(1, 5, 6, None)]
    assert counted(old, row(2)) == [(1, 5, 6, None)]


def test_a_send_that_was_not_written_down_is_of_who_is_still_to_go() -> None:
    assert counted(row(1, live=False, going=True), row(2)) == [(1, 5, 6, None)]
    assert counted(row(1, live=False), row(2)) == [(2, 5, 6, None)]
    assert counted(row(1, live=False), row(3, live=False)) == [(3, 5, 6, None)]


def test_a_row_with_another_key_applied_does_not_count_the_new_one() -> None:
    assert counted(row(1, applied_key=make_public_key())) == []


def test_at_rest_nothing_is_counted() -> None:
    rests = row(1, applied_key=KEY, run=1, rx=5, tx=6, billing=True)
    assert counted(rests) == []
    assert counted(rests, run=2) == [(1, 5, 6, None)]  # the same, in another life
    assert counted(rests, row(2), resting={KEY}) == []


def test_a_block_that_was_cut_short_is_made_good() -> None:
    rests = row(1, applied_key=KEY, run=1, rx=5, tx=6, billing=True, off=True)
    assert counted(rests) == [(1, 5, 6, False)]
    assert counted(rests._replace(off=False, billing=False)) == [(1, 5, 6, True)]
    assert counted(rests._replace(applied_seq=10)) == []  # blocked after this dump


def test_a_dump_from_before_a_peer_was_added_says_nothing_of_it() -> None:
    """Its key may have been another's then, whose bytes are counted already."""
    assert counted(row(1), latest=10) == []
    assert counted(row(1, applied_key=KEY, applied_seq=10), latest=10) == []
    assert counted(row(1, applied_key=KEY, applied_seq=9), latest=10) == [(1, 5, 6, None)]
    assert counted(row(1, applied_key=KEY, applied_seq=10, run=1), latest=10) == [(1, 5, 6, None)]
