"""One contract for every driver: what holds of the real interface holds of the one in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.subjects import PORT, Subject, memory_subject, real_subject, wait_for
from wireguard.drivers.memory import MemoryDriver
from wireguard.errors import InterfaceMissing, WireGuardError
from wireguard.keys import generate_preshared_key, generate_private_key, public_key_of
from wireguard.plan import CLEAR, PeerChange, Plan, diff
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

ONE, TWO, THREE = "10.97.0.1/32", "10.97.0.2/32", "10.97.0.3/32"
ENDPOINT = "192.0.2.1:51820"


@pytest.fixture(params=["memory", pytest.param("cli", marks=pytest.mark.wg)])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        yield memory_subject()
    else:
        with real_subject() as real:
            yield real


def new_key() -> str:
    return public_key_of(generate_private_key())


def add(subject: Subject, *peers: PeerConfig) -> None:
    subject.driver.apply(diff({peer.public_key: peer for peer in peers}, {}))


def device(subject: Subject, *peers: PeerConfig) -> DeviceConfig:
    return DeviceConfig(InterfaceConfig(subject.private_key, PORT), peers)


def test_an_interface_is_read(subject: Subject) -> None:
    dump = subject.driver.read()
    assert dump.interface.private_key == subject.private_key
    assert dump.interface.public_key == public_key_of(subject.private_key)
    assert dump.interface.listen_port == PORT
    assert dump.interface.fwmark is None
    assert dump.peers == {}


def test_what_is_sent_is_read_back(subject: Subject) -> None:
    psk = generate_preshared_key()
    networks = ("10.97.0.0/28", "10.97.1.2/32", "fd97::/64", "fd97:1::2/128")
    full = PeerConfig(new_key(), networks, psk, 25, ENDPOINT)
    v6_endpoint = PeerConfig(new_key(), (ONE,), None, None, "[2001:db8::1]:9")
    bare = PeerConfig(new_key(), (TWO,))
    secret_only = PeerConfig(new_key(), (THREE,), generate_preshared_key())
    peers = (full, v6_endpoint, bare, secret_only)
    add(subject, *peers)
    dump = subject.driver.read()
    assert set(dump.peers) == {peer.public_key for peer in peers}
    for wanted in peers:
        seen = dump.peers[wanted.public_key]
        assert wanted == PeerConfig(
            seen.public_key,
            seen.allowed_ips,
            seen.preshared_key,
            seen.persistent_keepalive,
            seen.endpoint,
        )
        assert (seen.latest_handshake, seen.rx_bytes) == (0, 0)
    assert not diff(
        {peer.public_key: peer for peer in peers},
        {key: peer.as_applied() for key, peer in dump.peers.items()},
    )


def test_applying_twice_is_applying_once(subject: Subject) -> None:
    peer = PeerConfig(new_key(), (ONE,), generate_preshared_key(), 25, ENDPOINT)
    gone = PeerConfig(new_key(), (TWO,))
    add(subject, gone)
    plan = diff({peer.public_key: peer, gone.public_key: None}, {gone.public_key: None})
    subject.driver.apply(plan)
    first = subject.driver.read()
    subject.driver.apply(plan)
    assert subject.driver.read() == first
    assert set(first.peers) == {peer.public_key}


def test_an_empty_plan_does_nothing(subject: Subject) -> None:
    subject.driver.apply(Plan())
    assert subject.driver.read().peers == {}


@pytest.mark.parametrize(
    "change",
    [
        PeerChange("", allowed_ips=(TWO, THREE)),
        PeerChange("", preshared_key=generate_preshared_key()),
        PeerChange("", preshared_key=CLEAR),
        PeerChange("", persistent_keepalive=7),
        PeerChange("", persistent_keepalive=0),
        PeerChange("", endpoint="192.0.2.9:9"),
    ],
)
def test_a_field_that_is_not_sent_stays(subject: Subject, change: PeerChange) -> None:
    key = new_key()
    add(subject, PeerConfig(key, (ONE,), generate_preshared_key(), 25, ENDPOINT))
    before = subject.peer(key)
    subject.driver.apply(Plan((), (change._replace(public_key=key),)))
    expected = before
    if change.allowed_ips is not None:
        expected = expected._replace(allowed_ips=change.allowed_ips)
    if change.preshared_key is CLEAR:
        expected = expected._replace(preshared_key=None)
    if isinstance(change.preshared_key, Secret):
        expected = expected._replace(preshared_key=change.preshared_key)
    if change.persistent_keepalive is not None:
        expected = expected._replace(persistent_keepalive=change.persistent_keepalive or None)
    if change.endpoint is not None:
        expected = expected._replace(endpoint=change.endpoint)
    assert subject.peer(key) == expected


def test_an_address_goes_silently_to_who_claims_it_last(subject: Subject) -> None:
    loser, winner = new_key(), new_key()
    add(subject, PeerConfig(loser, (ONE, TWO)))
    add(subject, PeerConfig(winner, (TWO,)))
    assert subject.peer(loser).allowed_ips == (ONE,)
    assert subject.peer(winner).allowed_ips == (TWO,)


@pytest.mark.parametrize("size", [1, 2, 200])
def test_addresses_that_move_arrive_whatever_the_batches(subject: Subject, size: int) -> None:
    keys = [new_key() for _ in range(3)]
    psk = generate_preshared_key()
    before = [PeerConfig(key, (net,)) for key, net in zip(keys, (ONE, TWO, THREE), strict=True)]
    after = [PeerConfig(key, (net,), psk) for key, net in zip(keys, (TWO, THREE, ONE), strict=True)]
    add(subject, *before)
    plan = diff(
        {peer.public_key: peer for peer in after},
        {peer.public_key: peer.as_applied() for peer in before},
    )
    for batch in plan.batches(size):
        subject.driver.apply(batch)
    for peer in after:
        assert subject.peer(peer.public_key).allowed_ips == peer.allowed_ips
        assert subject.peer(peer.public_key).preshared_key == psk


def test_a_blocked_client_keeps_its_session_and_its_place(subject: Subject) -> None:
    client = generate_private_key()
    key = public_key_of(client)
    wanted = PeerConfig(key, (ONE,))
    add(subject, wanted)
    subject.meet(client)
    before = subject.peer(key)
    blocked = wanted._replace(allowed_ips=())
    subject.driver.apply(diff({key: blocked}, {key: wanted.as_applied()}))
    during = subject.peer(key)
    subject.driver.apply(diff({key: wanted}, {key: blocked.as_applied()}))
    after = subject.peer(key)
    assert (before.allowed_ips, during.allowed_ips, after.allowed_ips) == ((ONE,), (), (ONE,))
    for peer in (during, after):
        assert peer.endpoint == before.endpoint is not None
        assert peer.latest_handshake == before.latest_handshake > 0
        assert peer.rx_bytes >= before.rx_bytes >= 180


def test_bystanders_notice_nothing(subject: Subject) -> None:
    client = generate_private_key()
    bystander = public_key_of(client)
    add(subject, PeerConfig(bystander, (ONE,)))
    subject.meet(client)
    before = subject.peer(bystander)
    others = [
        PeerConfig(new_key(), (f"10.97.1.{n}/32",), generate_preshared_key() if n % 2 else None)
        for n in range(50)
    ]
    desired: dict[str, PeerConfig | None] = {peer.public_key: peer for peer in others}
    add(subject, *others)
    subject.driver.apply(
        diff(
            {peer.public_key: peer._replace(allowed_ips=()) for peer in others},
            {peer.public_key: peer.as_applied() for peer in others},
        )
    )
    subject.driver.apply(diff(dict.fromkeys(desired), dict.fromkeys(desired)))
    after = subject.peer(bystander)
    assert set(subject.driver.read().peers) == {bystander}
    assert after.latest_handshake == before.latest_handshake
    assert after.endpoint == before.endpoint
    assert after.rx_bytes >= before.rx_bytes
    assert after.tx_bytes >= before.tx_bytes


def test_removal_forgets_everything(subject: Subject) -> None:
    client = generate_private_key()
    key = public_key_of(client)
    peer = PeerConfig(key, (ONE,))
    add(subject, peer)
    subject.meet(client)
    assert subject.peer(key).rx_bytes > 0
    subject.driver.apply(Plan((key, new_key())))  # the second was never there
    assert subject.driver.read().peers == {}
    add(subject, peer)
    assert subject.peer(key).tx_bytes == 0


def test_the_interfaces_own_key_adds_no_peer(subject: Subject) -> None:
    own = public_key_of(subject.private_key)
    add(subject, PeerConfig(own, (ONE,)), PeerConfig(new_key(), (TWO,)))
    assert own not in subject.driver.read().peers
    assert len(subject.driver.read().peers) == 1


def test_sync_makes_the_peers_those_listed_and_keeps_their_sessions(subject: Subject) -> None:
    client = generate_private_key()
    kept, blocked, extra, fresh = public_key_of(client), new_key(), new_key(), new_key()
    psk = generate_preshared_key()
    add(
        subject,
        PeerConfig(kept, (ONE,)),
        PeerConfig(blocked, (TWO,), psk, 25),
        PeerConfig(extra, (THREE,)),
    )
    subject.meet(client)
    before = subject.peer(kept)
    wanted = (
        PeerConfig(kept, (ONE, THREE), None, None, "192.0.2.99:9"),
        PeerConfig(blocked, ()),
        PeerConfig(fresh, (TWO,), psk, 25),
    )
    subject.driver.sync(device(subject, *wanted))
    dump = subject.driver.read()
    assert set(dump.peers) == {kept, blocked, fresh}
    for peer in wanted:
        assert dump.peers[peer.public_key].as_applied()[:3] == peer.as_applied()[:3]
    assert dump.peers[kept].endpoint == before.endpoint
    assert dump.peers[kept].latest_handshake == before.latest_handshake
    assert dump.peers[kept].rx_bytes >= before.rx_bytes
    assert dump.interface.listen_port == PORT
    assert dump.interface.private_key == subject.private_key


def test_sync_without_peers_removes_everyone(subject: Subject) -> None:
    add(subject, PeerConfig(new_key(), (ONE,)), PeerConfig(new_key(), (TWO,)))
    subject.driver.sync(device(subject))
    assert subject.driver.read().peers == {}


def test_sync_that_would_reset_the_interface_is_not_sent(subject: Subject) -> None:
    key = new_key()
    add(subject, PeerConfig(key, (ONE,)))
    before = subject.driver.read()
    for interface in (InterfaceConfig(None, PORT), InterfaceConfig(subject.private_key, None)):
        with pytest.raises(WireGuardError):
            subject.driver.sync(DeviceConfig(interface, (PeerConfig(key, (ONE,)),)))
    assert subject.driver.read() == before


def test_only_what_is_given_changes_on_the_interface(subject: Subject) -> None:
    key = new_key()
    add(subject, PeerConfig(key, (ONE,)))
    before = subject.driver.read()
    subject.driver.set_interface()
    assert subject.driver.read() == before
    subject.driver.set_interface(fwmark=0xCA6C)
    assert subject.driver.read().interface == before.interface._replace(fwmark=0xCA6C)
    subject.driver.set_interface(fwmark=0, listen_port=PORT + 5)
    assert subject.driver.read().interface == before.interface._replace(listen_port=PORT + 5)
    private_key = generate_private_key()
    subject.driver.set_interface(private_key=private_key)
    dump = subject.driver.read()
    assert dump.interface.private_key == private_key
    assert dump.interface.public_key == public_key_of(private_key)
    assert set(dump.peers) == {key}


def test_a_peer_that_turns_out_to_be_the_interface_is_dropped(subject: Subject) -> None:
    private_key = generate_private_key()
    add(subject, PeerConfig(public_key_of(private_key), (ONE,)))
    subject.driver.set_interface(private_key=private_key)
    assert subject.driver.read().peers == {}


def test_five_hundred_peers_go_in_one_apply(subject: Subject) -> None:
    peers = [
        PeerConfig(
            new_key(),
            (f"10.97.{n // 250 + 1}.{n % 250}/32", f"fd97::{n + 1:x}/128"),
            generate_preshared_key() if n % 2 else None,
            25,
        )
        for n in range(500)
    ]
    add(subject, *peers)
    seen = subject.driver.read().peers
    assert {key: peer.as_applied()[:3] for key, peer in seen.items()} == {
        peer.public_key: peer.as_applied()[:3] for peer in peers
    }


@pytest.mark.parametrize(
    "bad",
    [
        PeerChange("not a key", (ONE,)),
        PeerChange(new_key() + "\n", (ONE,)),
        PeerChange(new_key(), ("10.97.0.1/24",)),
        PeerChange(new_key(), ("",)),
        PeerChange(new_key(), ("+10.97.0.1/32",)),
        PeerChange(new_key(), ("10.97.0.1/32\nEndpoint = 1.2.3.4:5",), generate_preshared_key()),
        PeerChange(new_key(), (ONE,), Secret("short")),
        PeerChange(new_key(), (ONE,), Secret("A" * 43 + "=")),
        PeerChange(new_key(), (ONE,), persistent_keepalive=65536),
        PeerChange(new_key(), (ONE,), endpoint="host.example:1"),
    ],
)
def test_a_bad_value_is_found_before_anything_is_sent(subject: Subject, bad: PeerChange) -> None:
    for change in (bad, bad._replace(is_new=True)):
        good = PeerChange(new_key(), (TWO,), is_new=True)
        with pytest.raises(WireGuardError) as caught:
            subject.driver.apply(Plan((), (good, change)))
        assert isinstance(caught.value, ValueError)
    assert subject.driver.read().peers == {}


@pytest.mark.parametrize("key", ["", "remove", "x\n"])
def test_a_bad_key_is_not_removed(subject: Subject, key: str) -> None:
    with pytest.raises(WireGuardError):
        subject.driver.apply(Plan((key,)))


def test_a_missing_interface_is_to_be_retried(subject: Subject) -> None:
    missing = type(subject.driver).__new__(type(subject.driver))
    missing.__dict__.update(subject.driver.__dict__, interface="vwanone")
    if isinstance(missing, MemoryDriver):
        missing.exists = False
    peer = PeerConfig(new_key(), (ONE,), generate_preshared_key())
    plain = PeerConfig(new_key(), (TWO,))
    for call in (
        missing.read,
        lambda: missing.apply(diff({peer.public_key: peer}, {})),
        lambda: missing.apply(diff({plain.public_key: plain}, {})),
        lambda: missing.sync(device(subject, peer)),
        lambda: missing.set_interface(fwmark=1),
    ):
        with pytest.raises(InterfaceMissing):
            call()


def test_a_meeting_is_seen(subject: Subject) -> None:
    client = generate_private_key()
    add(subject, PeerConfig(public_key_of(client), (ONE,)))
    subject.meet(client)
    wait_for(lambda: subject.peer(public_key_of(client)).latest_handshake > 0)
