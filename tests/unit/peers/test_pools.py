"""Which addresses of a network may be given to clients."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from peers.pools import _span


@pytest.mark.parametrize(
    ("address", "first", "last"),
    [
        ("10.252.0.1/16", "10.252.0.2", "10.252.255.254"),
        ("10.252.255.254/16", "10.252.0.1", "10.252.255.253"),
        ("10.252.7.7/16", "10.252.0.1", "10.252.255.254"),
        ("192.0.2.1/30", "192.0.2.2", "192.0.2.2"),
        ("192.0.2.2/30", "192.0.2.1", "192.0.2.1"),
        ("fd52:7677:6721::1/64", "fd52:7677:6721::2", "fd52:7677:6721:0:1::1"),
        ("fd52:7677:6721::1/112", "fd52:7677:6721::2", "fd52:7677:6721::ffff"),
    ],
)
def test_a_pool_leaves_out_network_broadcast_and_server(
    address: str, first: str, last: str
) -> None:
    own = ip_interface(address)
    span = _span(own.network, own.ip)
    assert span is not None
    assert [str(end) for end in span] == [first, last]


@pytest.mark.parametrize("address", ["10.0.0.1/32", "10.0.0.1/31", "fd00::1/128", "fd00::1/127"])
def test_a_network_without_room_for_a_client_makes_no_pool(address: str) -> None:
    own = ip_interface(address)
    assert _span(own.network, own.ip) is None


def test_a_pool_of_ipv6_has_at_most_2_to_the_48_addresses() -> None:
    own = ip_interface("fd52:7677:6721::1/64")
    span = _span(own.network, own.ip)
    assert span is not None
    assert int(span[1]) - int(span[0]) + 1 == 2**48
