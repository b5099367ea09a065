"""Sending a plan: in batches, halved at a refusal, frozen before a removal."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from control.sending import BATCH, Sent
from control.sending import send as send_with
from tests.make import make_public_key
from wireguard.drivers.memory import MemoryDriver
from wireguard.errors import DriverRejected, DriverUnavailable
from wireguard.plan import PeerChange, Plan
from wireguard.types import PeerStatus


class Reader:
    """Reads, and keeps no books."""

    def __init__(self, driver: MemoryDriver) -> None:
        self.driver = driver

    def running(self) -> Collection[str]:
        return self.driver.read().peers.keys()

    def last(self, gone: Collection[str], blocked: Collection[str]) -> Mapping[str, PeerStatus]:
        peers = self.driver.read().peers
        return {key: peers[key] for key in gone}


def send(driver: MemoryDriver, plan: Plan) -> Sent:
    return send_with(driver, plan, Reader(driver))


def additions(number: int) -> list[PeerChange]:
    return [
        PeerChange(make_public_key(), (f"10.0.{n // 250}.{n % 250 + 1}/32",), is_new=True)
        for n in range(number)
    ]


def test_a_large_plan_takes_one_call_for_each_batch() -> None:
    driver = MemoryDriver()
    sent = send(driver, Plan(changes=additions(2 * BATCH + 1)))
    assert driver.calls == ["apply"] * 3
    assert len(sent.done) == 2 * BATCH + 1


def test_two_bad_peers_among_many_are_found_and_the_rest_is_live() -> None:
    driver = MemoryDriver()
    changes = additions(50)
    driver.refuse_keys = {changes[7].public_key, changes[31].public_key}
    sent = send(driver, Plan(changes=changes))
    assert set(sent.refused) == driver.refuse_keys
    assert len(driver.read().peers) == 48
    assert not sent.unexplained


def test_a_refusal_of_everything_without_a_reason_is_unexplained() -> None:
    driver = MemoryDriver()
    changes = additions(3)
    driver.refuse_keys = {change.public_key for change in changes}
    assert send(driver, Plan(changes=changes)).unexplained
    driver.explained = True
    assert not send(driver, Plan(changes=changes)).unexplained


def test_a_time_out_says_what_was_under_way_and_stops() -> None:
    driver = MemoryDriver()
    changes = additions(BATCH + 5)
    driver.fail_next(DriverUnavailable("late"), after=3)
    sent = send(driver, Plan(changes=changes))
    assert sent.unavailable is not None
    assert sent.unknown == {change.public_key for change in changes[:BATCH]}
    assert not sent.done


def test_a_removal_freezes_and_reads_before_it_removes() -> None:
    driver = MemoryDriver()
    (peer,) = additions(1)
    send(driver, Plan(changes=[peer]))
    driver.report(peer.public_key, rx_bytes=5, tx_bytes=6)
    driver.calls.clear()
    sent = send(driver, Plan(removals=[peer.public_key]))
    assert driver.calls == ["read", "apply", "read", "apply"]
    status = sent.last[peer.public_key]
    assert (status.allowed_ips, status.rx_bytes, status.tx_bytes) == ((), 5, 6)


def test_removing_a_peer_that_is_not_there_never_creates_it() -> None:
    driver = MemoryDriver()
    key = make_public_key()
    sent = send(driver, Plan(removals=[key]))
    assert sent.done == {key}
    assert "apply" not in driver.calls


def test_only_refusals_are_halved() -> None:
    driver = MemoryDriver()
    driver.fail_next(DriverRejected("no", explained=False))
    sent = send(driver, Plan(changes=additions(4)))
    assert len(sent.done) == 4
    assert driver.calls == ["apply", "apply", "apply"]


def test_a_block_is_read_when_nothing_passes_any_more() -> None:
    driver = MemoryDriver()
    one, other = additions(2)
    send(driver, Plan(changes=[one, other]))
    driver.calls.clear()
    block = PeerChange(one.public_key, allowed_ips=())
    sent = send(driver, Plan(changes=[block, PeerChange(other.public_key, ("10.9.0.1/32",))]))
    assert driver.calls == ["apply", "read", "apply"]
    assert sent.done == {one.public_key, other.public_key}


def test_what_is_frozen_and_could_not_be_read_is_sent_anew() -> None:
    driver = MemoryDriver()
    (peer,) = additions(1)
    send(driver, Plan(changes=[peer]))

    class Late(Reader):
        def last(self, *_: Collection[str]) -> Mapping[str, PeerStatus]:
            raise DriverUnavailable("late")

    sent = send_with(driver, Plan(removals=[peer.public_key]), Late(driver))
    assert (sent.done, sent.unknown) == (set(), {peer.public_key})
    assert sent.unavailable is not None
    assert peer.public_key in driver.read().peers
