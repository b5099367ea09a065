"""A plan is the least change, in an order that no abort and no batch can turn against a client."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireguard.drivers.memory import MemoryDriver
from wireguard.keys import generate_preshared_key
from wireguard.plan import CLEAR, PeerChange, Plan, diff
from wireguard.types import UNKNOWN_ENDPOINT, Applied, PeerConfig, Secret

A, B, C, D = (b64encode(bytes([9]) + bytes(30) + bytes([n])).decode() for n in (1, 2, 3, 4))
ONE, TWO, THREE = "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"
PSK = generate_preshared_key()


def test_nothing_is_done_when_nothing_differs() -> None:
    peer = PeerConfig(A, (ONE,), PSK, 25, "192.0.2.1:9")
    plan = diff({A: peer}, {A: peer.as_applied()})
    assert not plan
    assert len(plan) == 0
    assert list(plan.batches()) == []


def test_a_new_peer_is_stated_whole() -> None:
    peer = PeerConfig(A, (ONE,), PSK, 25, "192.0.2.1:9")
    change = PeerChange(A, (ONE,), PSK, 25, "192.0.2.1:9", is_new=True)
    assert diff({A: peer}, {}) == Plan((), (change,))
    plain = PeerChange(B, (TWO,), is_new=True)
    assert diff({B: PeerConfig(B, (TWO,))}, {}) == Plan((), (plain,))


def test_peers_that_nobody_asked_about_are_left_alone() -> None:
    applied: dict[str, Applied | None] = {
        A: PeerConfig(A, (ONE,)).as_applied(),
        B: None,
    }
    assert not diff({}, applied)
    assert diff({C: PeerConfig(C, (THREE,))}, applied).touched == {C}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (PeerConfig(A, (TWO,), PSK, 25), PeerChange(A, allowed_ips=(TWO,))),
        (PeerConfig(A, (), PSK, 25), PeerChange(A, allowed_ips=())),
        (PeerConfig(A, (ONE,), None, 25), PeerChange(A, preshared_key=CLEAR)),
        (PeerConfig(A, (ONE,), PSK), PeerChange(A, persistent_keepalive=0)),
        (PeerConfig(A, (ONE,), PSK, 15), PeerChange(A, persistent_keepalive=15)),
        (PeerConfig(A, (ONE,), PSK, 25, "192.0.2.1:9"), PeerChange(A, endpoint="192.0.2.1:9")),
    ],
)
def test_only_what_changed_is_sent(wanted: PeerConfig, sent: PeerChange) -> None:
    applied = PeerConfig(A, (ONE,), PSK, 25).as_applied()
    assert diff({A: wanted}, {A: applied}).changes == (sent,)


def test_a_changed_preshared_key_is_sent_alone() -> None:
    new = generate_preshared_key()
    before = PeerConfig(A, (ONE,), PSK).as_applied()
    plan = diff({A: PeerConfig(A, (ONE,), new)}, {A: before})
    assert plan.changes == (PeerChange(A, preshared_key=new),)
    assert new.reveal() not in repr(plan)


@pytest.mark.parametrize("known", ["192.0.2.1:9", UNKNOWN_ENDPOINT])
def test_an_endpoint_that_a_client_may_have_left_is_not_sent_again(known: str) -> None:
    applied = Applied((ONE,), "", None, known)
    assert not diff({A: PeerConfig(A, (ONE,), endpoint="192.0.2.1:9")}, {A: applied})


def test_an_endpoint_that_is_not_wanted_any_more_is_left_alone() -> None:
    applied = Applied((ONE,), "", None, "192.0.2.1:9")
    assert not diff({A: PeerConfig(A, (ONE,))}, {A: applied})


def test_of_an_unknown_peer_everything_is_sent() -> None:
    plan = diff({A: PeerConfig(A, (ONE,)), B: None}, {A: None, B: None})
    assert plan == Plan((B,), (PeerChange(A, (ONE,), CLEAR, 0),))


def test_an_absent_peer_is_neither_removed_nor_blocked() -> None:
    assert not diff({A: None, B: PeerConfig(B, ())}, {})


def test_an_unknown_peer_is_blocked() -> None:
    plan = diff({A: PeerConfig(A, ()), B: PeerConfig(B, (TWO,))}, {A: None})
    assert [change.public_key for change in plan.changes] == [A, B]


def test_removals_come_first_then_losses_then_the_rest() -> None:
    desired = {
        A: PeerConfig(A, (THREE,)),
        B: PeerConfig(B, ()),
        C: PeerConfig(C, (ONE,)),
        D: None,
    }
    applied = {
        B: PeerConfig(B, (ONE,)).as_applied(),
        C: PeerConfig(C, (TWO,)).as_applied(),
        D: PeerConfig(D, (THREE,)).as_applied(),
    }
    plan = diff(desired, applied)
    assert plan.removals == (D,)
    assert [change.public_key for change in plan.changes] == [B, C, A]
    assert [batch.touched for batch in plan.batches(1)] == [{D}, {B}, {C}, {A}]
    assert [len(batch) for batch in plan.batches(3)] == [3, 1]


def test_a_change_without_a_loss_is_not_taken_for_one() -> None:
    desired = {A: PeerConfig(A, (ONE, THREE)), B: PeerConfig(B, ())}
    applied = {
        A: PeerConfig(A, (ONE,)).as_applied(),
        B: PeerConfig(B, (THREE,)).as_applied(),
    }
    assert [change.public_key for change in diff(desired, applied).changes] == [B, A]


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        list(Plan((A,)).batches(0))


KEYS = [b64encode(bytes([9]) + bytes(30) + bytes([n])).decode() for n in range(6)]
ADDRESSES = [f"10.0.0.{n}/32" for n in range(1, 9)]
PSKS = [None, PSK, generate_preshared_key()]

HOLDERS = st.lists(st.sampled_from([None, *KEYS]), min_size=len(ADDRESSES), max_size=len(ADDRESSES))


def _state(
    holders: list[str | None], present: list[bool], psks: list[Secret | None]
) -> dict[str, PeerConfig]:
    """Some of the peers, each holding the addresses that name it, so that no two share one."""
    return {
        key: PeerConfig(
            key,
            tuple(a for a, holder in zip(ADDRESSES, holders, strict=True) if holder == key),
            psk,
        )
        for key, here, psk in zip(KEYS, present, psks, strict=True)
        if here
    }


STATES = st.builds(
    _state,
    HOLDERS,
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.lists(st.sampled_from(PSKS), min_size=6, max_size=6),
)


@given(STATES, STATES, st.integers(1, 4), st.sets(st.sampled_from(KEYS)))
@settings(deadline=None, max_examples=300)
def test_any_state_becomes_any_other_whatever_the_batches(
    before: dict[str, PeerConfig], after: dict[str, PeerConfig], size: int, unknown: set[str]
) -> None:
    driver = MemoryDriver()
    driver.apply(diff(before, {}))
    known = {key: peer.as_applied() for key, peer in driver.read().peers.items()}
    applied = {key: None if key in unknown else state for key, state in known.items()}
    desired = {key: after.get(key) for key in KEYS}
    held = {address: key for key, peer in after.items() for address in peer.allowed_ips}
    for batch in diff(desired, applied).batches(size):
        driver.apply(batch)
    peers = driver.read().peers
    for key, wanted in desired.items():
        if key not in peers:
            assert wanted is None or not wanted.allowed_ips
        else:
            assert wanted is not None
            assert peers[key].allowed_ips == wanted.allowed_ips
            assert peers[key].preshared_key == wanted.preshared_key
    assert held == {a: key for key, peer in peers.items() for a in peer.allowed_ips}
    seen = {key: peer.as_applied() for key, peer in peers.items()}
    assert not diff(desired, seen)
