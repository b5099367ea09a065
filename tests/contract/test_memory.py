"""The knobs of the driver in memory do what tests rely on."""

import pytest

from wireguard.drivers.memory import MemoryDriver
from wireguard.errors import DriverRejected, DriverUnavailable
from wireguard.keys import generate_private_key, public_key_of
from wireguard.plan import Plan, diff
from wireguard.types import PeerConfig


def peers(count: int) -> dict[str, PeerConfig]:
    keys = [public_key_of(generate_private_key()) for _ in range(count)]
    return {key: PeerConfig(key, (f"10.97.0.{n}/32",)) for n, key in enumerate(keys, start=1)}


def test_a_failure_comes_once_and_leaves_the_first_part_in_force() -> None:
    driver, wanted = MemoryDriver(), peers(3)
    driver.fail_next(DriverUnavailable("late"), after=2)
    with pytest.raises(DriverUnavailable, match="late"):
        driver.apply(diff(wanted, {}))
    assert list(driver.read().peers) == list(wanted)[:2]
    driver.apply(diff(wanted, {}))
    assert list(driver.read().peers) == list(wanted)


def test_a_failure_after_the_last_peer_is_one_too() -> None:
    driver, wanted = MemoryDriver(), peers(2)
    driver.fail_next(DriverUnavailable("late"), after=9)
    with pytest.raises(DriverUnavailable):
        driver.apply(diff(wanted, {}))
    assert len(driver.read().peers) == 2
    driver.fail_next(DriverUnavailable("late"))
    with pytest.raises(DriverUnavailable):
        driver.apply(Plan(tuple(wanted)))
    assert len(driver.read().peers) == 2


def test_a_refused_key_stops_the_plan_where_it_stands() -> None:
    driver, wanted = MemoryDriver(), peers(3)
    driver.refuse_keys = {list(wanted)[1]}
    driver.explained = True
    with pytest.raises(DriverRejected) as caught:
        driver.apply(diff(wanted, {}))
    assert caught.value.explained
    assert list(driver.read().peers) == list(wanted)[:1]
    assert driver.calls == ["apply", "read"]


def test_a_dump_is_a_snapshot() -> None:
    driver, wanted = MemoryDriver(), peers(1)
    driver.apply(diff(wanted, {}))
    before = driver.read()
    driver.report(next(iter(wanted)), rx_bytes=9)
    assert before != driver.read()
    assert before.peers[next(iter(wanted))].rx_bytes == 0
