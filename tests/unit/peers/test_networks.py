"""Routed networks: bounds that SQL can compare, and what is refused."""

from __future__ import annotations

import pytest

from peers.networks import MAX_NETWORKS, bounds, check_networks
from rest.errors import Invalid


def test_bounds_are_the_first_and_last_address_in_16_bytes() -> None:
    start, end = bounds("192.168.7.0/24")
    assert start.hex() == "00000000000000000000ffffc0a80700"
    assert end.hex() == "00000000000000000000ffffc0a807ff"
    start, end = bounds("2001:db8::/32")
    assert start.hex() == "20010db8" + "0" * 24
    assert end.hex() == "20010db8" + "f" * 24


def test_networks_come_back_canonical_and_in_order() -> None:
    given = ["2001:DB8:1::/48", "192.168.7.0/24", "10.9.0.0/16"]
    found = check_networks(given, field="networks")
    assert found == ("10.9.0.0/16", "192.168.7.0/24", "2001:db8:1::/48")


@pytest.mark.parametrize(
    "networks",
    [
        ["10.66.0.5/24"],
        ["010.66.0.0/24"],
        ["10.6/16"],
        ["\uff11\uff10.66.0.0/24"],
        ["1e1/8"],
        ["10.66.0.0/24 "],
        ["10.66.0.0/24\n"],
        ["10.66.0.0/33"],
        ["::ffff:10.66.0.0/120"],
        ["fe80::1%eth0/128"],
        ["fe80::/64"],
        ["0.0.0.0/0"],
        ["::/0"],
        ["::/8"],
        ["127.0.0.0/8"],
        ["224.0.0.0/4"],
        ["192.168.0.0/16", "192.168.7.0/24"],
        ["192.168.7.0/24", "192.168.7.0/24"],
        [7],
        [None],
    ],
)
def test_what_cannot_be_routed_is_refused_and_the_field_is_named(networks: list[object]) -> None:
    with pytest.raises(Invalid) as refusal:
        check_networks(networks, field="networks")
    assert refusal.value.field == "networks"


def test_neighbours_do_not_overlap() -> None:
    assert len(check_networks(["192.168.6.0/24", "192.168.7.0/24"], field="networks")) == 2


def test_more_networks_than_the_limit_are_refused() -> None:
    networks = [f"10.{number}.0.0/16" for number in range(MAX_NETWORKS + 1)]
    assert len(check_networks(networks[:-1], field="networks")) == MAX_NETWORKS
    with pytest.raises(Invalid) as refusal:
        check_networks(networks, field="networks")
    assert refusal.value.code == "too_many"
