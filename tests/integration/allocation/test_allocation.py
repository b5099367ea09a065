"""Addresses: given lowest first, at the same cost in an empty and a full pool, held by one."""

from __future__ import annotations

import threading
from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateways.models import AddressPool, GlobalSetting, Interface, Job
from peers import allocation
from peers.models import Peer, PeerAddress, PeerNetwork
from peers.pools import make_pools
from peers.services.clients import Created, create_client, delete_client, update_client
from rest.errors import Conflict, Invalid
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.integration.allocation.conftest import caller_for
from tests.make import make_interface, make_tenant

NOW = timezone.now()


def create(caller: Caller, *addresses: str, at: object = None, **details: object) -> Created:
    if addresses:
        details["addresses"] = addresses
    return create_client(caller=caller, name="Sara", at=at or NOW, **details)  # type: ignore[arg-type]


def held(created: Created) -> list[str]:
    return list(created.view.devices[0].addresses)


def test_the_first_free_address_of_each_pool_is_given(
    as_alice: Caller, interface: Interface
) -> None:
    assert held(create(as_alice)) == ["10.252.0.2/32", "fd52:7677:6721::2/128"]
    assert held(create(as_alice)) == ["10.252.0.3/32", "fd52:7677:6721::3/128"]


def test_an_address_claimed_by_name_is_skipped_later(
    as_alice: Caller, interface: Interface
) -> None:
    create(as_alice, "10.252.0.3")
    given = [held(create(as_alice))[0] for _ in range(3)]
    assert given == ["10.252.0.2/32", "10.252.0.4/32", "10.252.0.5/32"]


def test_a_long_run_of_claimed_addresses_is_skipped(as_alice: Caller, interface: Interface) -> None:
    first = create(as_alice)
    pool = AddressPool.objects.get(family=4)
    base = ip_address(pool.first)
    PeerAddress.objects.bulk_create(
        PeerAddress(
            gateway=interface.gateway,
            tenant=first.client.tenant,
            pool=pool,
            address=str(base + number),
            family=4,
            peer=first.peer,
        )
        for number in range(1, 1000)
    )
    assert held(create(as_alice))[0] == f"{base + 1000}/32"
    assert AddressPool.objects.get(family=4).next_offset == 1001


def test_a_full_16_costs_as_many_queries_as_an_empty_one(
    as_alice: Caller, interface: Interface
) -> None:
    create(as_alice)  # caches of content types and the like
    with CaptureQueriesContext(
        connection,
    ) as empty:
        create(as_alice)
    _fill(interface, leave=1)
    with CaptureQueriesContext(connection) as full:
        last = create(as_alice)
    assert held(last)[0] == "10.252.255.254/32"
    assert len(full) == len(empty)
    with pytest.raises(Conflict) as refusal, CaptureQueriesContext(connection) as refused:
        create(as_alice)
    assert refusal.value.code == "pool_exhausted"
    assert len(refused) <= len(empty)


@pytest.fixture
def no_undo(db: None) -> None:
    """A deletion is for good at once: addresses are released with it."""
    GlobalSetting.objects.update(undelete_seconds=0)


@pytest.mark.usefixtures("no_undo")
def test_in_a_full_16_the_released_address_is_found_without_a_scan(
    as_alice: Caller, interface: Interface
) -> None:
    gone = create(as_alice)
    with CaptureQueriesContext(connection) as empty:
        create(as_alice)
    _fill(interface, leave=0)
    delete_client(caller=as_alice, client_id=gone.client.uuid, at=NOW)
    with CaptureQueriesContext(connection) as full:
        again = create(as_alice, at=NOW + timedelta(days=2))
    assert held(again)[0] == held(gone)[0]
    assert len(full) <= len(empty)


def _fill(interface: Interface, *, leave: int) -> None:
    """Have every IPv4 address but the last few held, as sequential use would."""
    pool = AddressPool.objects.get(interface=interface, family=4)
    peer = Peer.objects.order_by("-pk").first()  # not the one that is deleted
    assert peer is not None
    base = ip_address(pool.first)
    PeerAddress.objects.bulk_create(
        (
            PeerAddress(
                gateway=interface.gateway,
                tenant=peer.tenant,
                pool=pool,
                address=str(base + number),
                family=4,
                peer=peer,
            )
            for number in range(pool.next_offset, pool.size - leave)
        ),
        batch_size=2000,
    )
    AddressPool.objects.filter(pk=pool.pk).update(next_offset=pool.size - leave)


@pytest.mark.usefixtures("no_undo")
def test_a_released_address_is_held_back_from_others_for_a_day(
    as_alice: Caller, as_mallory: Caller, interface: Interface
) -> None:
    gone = create(as_alice)
    delete_client(caller=as_alice, client_id=gone.client.uuid, at=NOW)
    assert held(create(as_mallory, at=NOW + timedelta(hours=23)))[0] == "10.252.0.3/32"
    with pytest.raises(Conflict):
        create(as_mallory, "10.252.0.2", at=NOW + timedelta(hours=23))
    assert held(create(as_mallory, at=NOW + timedelta(hours=25)))[0] == "10.252.0.2/32"


@pytest.mark.usefixtures("no_undo")
def test_the_hold_back_time_is_a_global_setting(as_alice: Caller, interface: Interface) -> None:
    GlobalSetting.objects.update(address_hold_seconds=60)
    gone = create(as_alice)
    delete_client(caller=as_alice, client_id=gone.client.uuid, at=NOW)
    assert held(create(as_alice, at=NOW + timedelta(seconds=59)))[0] == "10.252.0.3/32"
    assert held(create(as_alice, at=NOW + timedelta(seconds=61)))[0] == "10.252.0.2/32"


def test_the_tenant_that_released_an_address_may_have_it_back_at_once(
    as_alice: Caller, interface: Interface
) -> None:
    gone = create(as_alice, "10.252.0.77")
    delete_client(caller=as_alice, client_id=gone.client.uuid, at=NOW)
    assert held(create(as_alice, "10.252.0.77", at=NOW)) == ["10.252.0.77/32"]
    assert PeerAddress.objects.filter(address="10.252.0.77").count() == 1


@pytest.mark.parametrize("lost", [4, 6])
def test_who_loses_one_of_two_addresses_keeps_neither_and_tries_again(
    as_alice: Caller,
    as_mallory: Caller,
    interface: Interface,
    monkeypatch: pytest.MonkeyPatch,
    lost: int,
) -> None:
    """As if another transaction had been faster with that address."""
    taken = create(as_mallory)
    real = allocation._choose
    chosen: list[list[allocation._Chosen]] = []
    left: list[PeerAddress] = []

    def stale(pools: list[AddressPool], own: set[str]) -> list[allocation._Chosen]:
        found = real(pools, own)
        if not chosen:
            gone = PeerAddress.objects.get(peer=taken.peer, family=lost)
            for one in found:
                if one.pool.family == lost:
                    one.address = gone.address
        else:
            left.extend(PeerAddress.objects.exclude(peer=taken.peer))
        chosen.append(found)
        return found

    monkeypatch.setattr(allocation, "_choose", stale)
    assert held(create(as_alice)) == ["10.252.0.3/32", "fd52:7677:6721::3/128"]
    assert (len(chosen), left) == (2, [])


def test_released_addresses_are_taken_over_together_or_not_at_all(
    as_alice: Caller, interface: Interface
) -> None:
    gone, heir = create(as_alice), create(as_alice)
    rows = list(PeerAddress.objects.filter(peer=gone.peer).values_list("pk", flat=True))
    PeerAddress.objects.filter(pk=rows[0]).update(peer=None, free_at=NOW)
    assert not allocation._take_over(heir.peer, rows)
    assert PeerAddress.objects.filter(peer=heir.peer).count() == 2
    assert not allocation._take_over(heir.peer, rows[1:])
    PeerAddress.objects.filter(pk=rows[1]).update(peer=None, free_at=NOW)
    assert allocation._take_over(heir.peer, rows)
    assert PeerAddress.objects.filter(peer=heir.peer, free_at=None).count() == 4


@pytest.mark.usefixtures("no_undo")
def test_the_oldest_released_address_is_given_first(as_alice: Caller, interface: Interface) -> None:
    clients = [create(as_alice) for _ in range(3)]
    for hours, number in enumerate([1, 2, 0]):
        delete_client(
            caller=as_alice,
            client_id=clients[number].client.uuid,
            at=NOW + timedelta(hours=hours),
        )
    later = NOW + timedelta(days=3)
    assert [held(create(as_alice, at=later))[0] for _ in range(3)] == [
        held(clients[number])[0] for number in [1, 2, 0]
    ]


def test_a_taken_address_is_refused_in_the_same_words_to_its_tenant_and_to_others(
    as_alice: Caller, as_mallory: Caller, interface: Interface
) -> None:
    create(as_alice, "10.252.0.2")
    texts = []
    for caller in (as_alice, as_mallory):
        with pytest.raises(Conflict) as refusal:
            create(caller, "10.252.0.2")
        assert refusal.value.code == "address_taken"
        assert refusal.value.field == "addresses"
        texts.append(refusal.value.message)
    assert texts == ["10.252.0.2 is taken. The next free one is 10.252.0.3."] * 2


@pytest.mark.parametrize(
    "address",
    [
        "10.252.0.1",
        "10.252.0.0",
        "10.252.255.255",
        "10.253.0.2",
        "fd52:7677:6721::1",
        "fd52:7677:6721::",
        "fd52:7677:6722::2",
    ],
)
def test_an_address_that_is_no_clients_is_refused(
    address: str, as_alice: Caller, interface: Interface
) -> None:
    with pytest.raises(Invalid) as refusal:
        create(as_alice, address)
    assert refusal.value.field == "addresses"
    assert not Peer.objects.exists()
    assert not Job.objects.exists()


def test_the_servers_address_in_the_middle_of_a_pool_is_never_given(
    as_alice: Caller, db: None
) -> None:
    interface = make_interface(addresses=[])
    interface.addresses = ["192.0.2.3/29"]
    interface.save()
    make_pools(interface, interface.addresses)
    given = [held(create(as_alice))[0] for _ in range(5)]
    assert given == [f"192.0.2.{number}/32" for number in (1, 2, 4, 5, 6)]
    with pytest.raises(Conflict) as refusal:
        create(as_alice)
    assert refusal.value.code == "pool_exhausted"
    with pytest.raises(Invalid):
        create(as_alice, "192.0.2.3")


def test_an_address_of_another_interface_of_the_gateway_is_refused(
    as_alice: Caller, interface: Interface
) -> None:
    other = make_interface(
        name="wg1", listen_port=51821, addresses=["10.99.0.1/24"], is_default=False
    )
    with pytest.raises(Invalid):
        create(as_alice, "10.99.0.2")
    assert held(create(as_alice, "10.99.0.2", interface=other)) == ["10.99.0.2/32"]


def test_pools_may_not_overlap(interface: Interface) -> None:
    with pytest.raises(Conflict):
        make_pools(interface, ["10.252.128.1/24"])


def test_pools_may_not_overlap_a_routed_network(as_alice: Caller, interface: Interface) -> None:
    create(as_alice, networks=["192.168.0.0/16"])
    with pytest.raises(Conflict):
        make_pools(interface, ["192.168.7.1/24"])


def test_a_routed_network_may_overlap_nothing_that_is_taken(
    as_alice: Caller, as_mallory: Caller, interface: Interface
) -> None:
    create(as_alice, networks=["192.168.4.0/22", "2001:db8:7::/48"])
    for network in ("192.168.7.0/24", "192.168.0.0/16", "192.168.4.0/22", "2001:db8:7:8::/64"):
        for caller in (as_alice, as_mallory):
            with pytest.raises(Conflict) as refusal:
                create(caller, networks=[network])
            assert refusal.value.code == "network_taken"
    create(as_mallory, networks=["192.168.8.0/22", "2001:db8:8::/48"])


@pytest.mark.parametrize(
    "network", ["10.252.0.0/16", "10.252.7.0/24", "10.0.0.0/8", "10.252.0.1/32"]
)
def test_a_routed_network_may_not_cover_pools_or_servers(
    network: str, as_alice: Caller, interface: Interface
) -> None:
    with pytest.raises(Conflict) as refusal:
        create(as_alice, networks=[network])
    assert refusal.value.code == "network_reserved"
    assert not PeerNetwork.objects.exists()


def test_a_device_may_change_its_networks_to_overlapping_ones_of_its_own(
    as_alice: Caller, interface: Interface
) -> None:
    made = create(as_alice, networks=["192.168.4.0/22"])
    update_client(
        caller=as_alice,
        client_id=made.client.uuid,
        changes={"networks": ["192.168.0.0/16"]},
        at=NOW,
    )
    assert list(PeerNetwork.objects.values_list("network", flat=True)) == ["192.168.0.0/16"]


@pytest.mark.django_db(transaction=True)
def test_parallel_creators_fill_a_28_exactly_and_share_no_address() -> None:
    tenant = make_tenant("racers")
    interface = make_interface(addresses=["10.77.0.1/28"])
    outcomes: list[str] = []

    def work() -> None:
        for _ in range(4):
            try:
                outcomes.append(held(create(caller_for(tenant), interface=interface))[0])
            except Conflict as refusal:
                outcomes.append(refusal.code)
        connections.close_all()

    _run(work, threads=8)
    given = [outcome for outcome in outcomes if "/" in outcome]
    assert sorted(given) == sorted(f"10.77.0.{number}/32" for number in range(2, 15))
    assert outcomes.count("pool_exhausted") == 32 - 13
    assert Peer.objects.count() == 13


@pytest.mark.django_db(transaction=True)
def test_of_parallel_claims_of_one_address_one_wins() -> None:
    tenants = [make_tenant() for _ in range(6)]
    interface = make_interface()
    outcomes: list[str] = []
    waiting = iter(tenants)

    def work() -> None:
        tenant: Tenant = next(waiting)
        try:
            outcomes.append(held(create(caller_for(tenant), "10.252.0.9", interface=interface))[0])
        except Conflict as refusal:
            outcomes.append(refusal.code)
        connections.close_all()

    _run(work, threads=6)
    assert sorted(outcomes) == ["10.252.0.9/32"] + ["address_taken"] * 5


@pytest.mark.django_db(transaction=True)
def test_of_parallel_claims_of_overlapping_networks_one_wins() -> None:
    interface = make_interface()
    networks = [["192.168.0.0/16"], ["192.168.7.0/24"], ["192.168.7.128/25"], ["192.168.6.0/23"]]
    outcomes: list[str] = []
    tenant = make_tenant("routers")
    waiting = iter(networks)

    def work() -> None:
        wanted = next(waiting)
        try:
            create(caller_for(tenant), interface=interface, networks=wanted)
            outcomes.append("made")
        except Conflict as refusal:
            outcomes.append(refusal.code)
        connections.close_all()

    _run(work, threads=4)
    assert sorted(outcomes) == ["made"] + ["network_taken"] * 3


def _run(work: object, *, threads: int) -> None:
    crashes: list[BaseException] = []

    def guarded() -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            crashes.append(error)
            connections.close_all()

    running = [threading.Thread(target=guarded) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    assert not crashes, crashes
