"""The factories make rows that the database accepts."""

from peers.models import Peer
from tenants.models import Tenant
from tests.make import make_client, make_peer


def test_two_peers_of_one_interface_get_the_first_addresses_of_both_pools(
    alice_peer: Peer, evil: Tenant
) -> None:
    second = make_peer(make_client(evil), alice_peer.interface)
    assert list(alice_peer.addresses.values_list("address", flat=True)) == [
        "10.252.0.2",
        "fd52:7677:6721::2",
    ]
    assert list(second.addresses.values_list("address", flat=True)) == [
        "10.252.0.3",
        "fd52:7677:6721::3",
    ]
