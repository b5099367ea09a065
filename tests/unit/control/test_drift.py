"""What a dump shows against what was applied."""

from __future__ import annotations

from typing import Any

import pytest

from control.drift import Known, compare
from control.guard import split
from wireguard.types import Applied, PeerStatus

ON = Applied(("10.0.0.2/32",), "", None, "")


def known(pk: int = 1, **changes: Any) -> Known:
    fields: dict[str, Any] = {
        "id": pk,
        "public_key": f"K{pk}",
        "live": True,
        "quarantined": False,
        "applied_key": f"K{pk}",
        "applied": ON,
        "generation": 1,
        "applied_generation": 1,
        "verified_generation": 0,
        "applied_seq": 5,
    }
    return Known(**{**fields, **changes})


def running(*keys: str, **changes: Any) -> dict[str, PeerStatus]:
    status = PeerStatus("", None, None, ("10.0.0.2/32",), 0, 0, 0, None)._replace(**changes)
    return {key: status._replace(public_key=key) for key in keys}


def judge(dump: dict[str, PeerStatus], *rows: Known, seq: int = 9) -> Any:
    return compare(dump, rows, seq=seq, recorded=())


def test_what_was_applied_and_runs_is_verified() -> None:
    drift = judge(running("K1"), known())
    assert not drift
    assert [row.id for row in drift.verified] == [1]


def test_what_was_applied_and_is_gone_is_missing() -> None:
    assert judge({}, known()).counts() == {"missing": 1}


@pytest.mark.parametrize(
    "change",
    [{"allowed_ips": ()}, {"allowed_ips": ("10.0.0.9/32",)}, {"persistent_keepalive": 9}],
)
def test_any_other_setting_is_drift(change: dict[str, Any]) -> None:
    assert judge(running("K1", **change), known()).counts() == {"altered": 1}


def test_an_endpoint_that_roamed_is_not_drift() -> None:
    assert not judge(running("K1", endpoint="192.0.2.1:9"), known())


def test_a_peer_applied_after_the_dump_is_not_judged() -> None:
    assert not judge({}, known(applied_seq=10), seq=9)


def test_a_removed_peer_that_runs_again_is_a_ghost() -> None:
    gone = known(live=False, applied_key="", applied=Applied((), "", None, ""))
    assert judge(running("K1"), gone).counts() == {"ghosts": 1}


def test_a_ghost_of_a_key_that_a_live_row_holds_is_none() -> None:
    gone = known(1, public_key="K2", live=False, applied_key="")
    assert not judge(running("K2"), gone, known(2))


def test_a_quarantined_peer_is_not_missed() -> None:
    assert not judge({}, known(quarantined=True))


def test_a_send_that_was_cut_short_is_judged_by_the_dump() -> None:
    assert judge(running("K1"), known(applied=None)).counts() == {"altered": 1}
    assert judge({}, known(applied=None)).counts() == {"missing": 1}


@pytest.mark.parametrize(
    ("strays", "running", "live", "go", "wait"),
    [(3, 4, 1, 3, 0), (4, 5, 1, 0, 4), (10, 1000, 990, 10, 0), (11, 1000, 989, 0, 11)],
)
def test_strays_above_three_and_one_per_cent_wait(
    strays: int, running: int, live: int, go: int, wait: int
) -> None:
    keys = [f"X{number:03}" for number in range(strays)]
    gone, kept = split(keys, running=running, live_rows=live, recorded=())
    assert (len(gone), len(kept)) == (go, wait)


def test_without_a_single_row_what_was_once_applied_is_kept_however_few() -> None:
    assert split(["A", "B"], running=2, live_rows=0, recorded={"A"}) == (["B"], ["A"])
