"""Rows in order of keys: of each key one live row wants it, or nobody does."""

from __future__ import annotations

from typing import Any

from control.work import Row, arrange
from wireguard.types import Applied, PeerConfig

SERVER = "S" * 42 + "A="
ON = Applied(("10.0.0.2/32",), "", None, "")


def a_row(pk: int, key: str = "K", **changes: Any) -> Row:
    fields: dict[str, Any] = {
        "id": pk,
        "config": PeerConfig(key, ("10.0.0.2/32",)),
        "generation": 1,
        "deleted": False,
        "quarantined": False,
        "applied_key": "",
        "applied": Applied((), "", None, ""),
        "seen_at": "",
    }
    return Row(**{**fields, **changes})


def test_a_new_row_is_wanted_and_not_applied() -> None:
    work = arrange([a_row(1)], server_key=SERVER)
    assert work.desired["K"] == PeerConfig("K", ("10.0.0.2/32",))
    assert "K" not in work.applied


def test_a_deleted_row_wants_its_key_gone() -> None:
    work = arrange([a_row(1, deleted=True, applied_key="K", applied=ON)], server_key=SERVER)
    assert work.desired == {"K": None}
    assert work.applied == {"K": ON}


def test_a_live_row_wins_over_a_deleted_one_of_the_same_key() -> None:
    gone = a_row(1, deleted=True, applied_key="K", applied=ON)
    for rows in ([gone, a_row(2)], [a_row(2), gone]):
        work = arrange(rows, server_key=SERVER)
        assert work.desired["K"] is not None
        assert work.wanted_by["K"].id == 2
        assert work.applied["K"] == ON


def test_a_rotated_key_wants_the_old_one_gone() -> None:
    work = arrange([a_row(1, "NEW", applied_key="OLD", applied=ON)], server_key=SERVER)
    assert work.desired["OLD"] is None
    assert work.desired["NEW"] is not None
    assert work.keys_of(work.wanted_by["NEW"]) == {"OLD", "NEW"}


def test_a_row_that_cannot_be_sent_takes_nothing_away() -> None:
    work = arrange(
        [a_row(1, applied_key="K", applied=ON)], server_key=SERVER, problems={1: "no key"}
    )
    assert work.desired == {}
    assert work.refused == {1: "no key"}


def test_the_servers_own_key_is_not_sent() -> None:
    work = arrange([a_row(1, SERVER)], server_key=SERVER)
    assert work.desired == {}
    assert "server's own" in work.refused[1]


def test_a_stray_key_is_removed_unless_a_row_wants_it() -> None:
    work = arrange([a_row(1)], server_key=SERVER, strays=["X", "K"])
    assert work.desired["X"] is None
    assert work.desired["K"] is not None
    assert work.applied["X"] is None


def test_a_peer_that_is_added_back_gets_its_last_endpoint() -> None:
    seen = a_row(1, seen_at="192.0.2.9:700")
    assert arrange([seen], server_key=SERVER).desired["K"].endpoint == "192.0.2.9:700"  # type: ignore[union-attr]
    there = a_row(1, seen_at="192.0.2.9:700", applied_key="K", applied=ON)
    assert arrange([there], server_key=SERVER).desired["K"].endpoint is None  # type: ignore[union-attr]


def test_an_unknown_applied_state_stays_unknown() -> None:
    work = arrange([a_row(1, applied_key="K", applied=None)], server_key=SERVER)
    assert work.applied == {"K": None}
