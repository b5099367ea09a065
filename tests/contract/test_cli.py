"""What only the ``wg`` command can show: secrets, rights, time-outs, size. On a real interface."""

from __future__ import annotations

import os
import random
import signal
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence

import pytest

from tests.contract.subjects import PORT, RealSubject, Recorder, real_subject
from tests.processes import stop
from wireguard.drivers.cli import CliDriver
from wireguard.drivers.memory import MemoryDriver
from wireguard.errors import (
    CommandMissing,
    DriverForbidden,
    DriverRejected,
    DriverUnavailable,
    InterfaceMissing,
)
from wireguard.keys import generate_preshared_key, generate_private_key, public_key_of
from wireguard.plan import diff
from wireguard.runner import LocalRunner
from wireguard.types import Applied, DeviceConfig, InterfaceConfig, PeerConfig, PeerStatus, Secret

pytestmark = pytest.mark.wg


@pytest.fixture
def real() -> Iterator[RealSubject]:
    with real_subject() as subject:
        yield subject


def new_key() -> str:
    return public_key_of(generate_private_key())


def test_secrets_go_on_stdin_alone_and_no_verb_resets_counters(real: RealSubject) -> None:
    old, new = generate_preshared_key(), generate_preshared_key()
    peer, other = PeerConfig(new_key(), ("10.97.0.2/32",), old), PeerConfig(new_key(), (), None)
    real.driver.apply(diff({peer.public_key: peer}, {}))
    changed = peer._replace(preshared_key=new, persistent_keepalive=9)
    real.driver.apply(diff({peer.public_key: changed}, {peer.public_key: peer.as_applied()}))
    real.driver.apply(diff({peer.public_key: peer}, {peer.public_key: None}))
    cleared = peer._replace(preshared_key=None)
    real.driver.apply(diff({peer.public_key: cleared}, {peer.public_key: peer.as_applied()}))
    private = generate_private_key()
    real.driver.set_interface(private_key=private)
    real.driver.sync(DeviceConfig(InterfaceConfig(private, PORT), (peer, other)))
    real.driver.read()
    spoken = " ".join(word for argv in real.recorder.argvs for word in argv)
    heard = b"".join(real.recorder.stdins).decode()
    for secret in (old, new, private, real.private_key):
        assert secret.reveal() not in spoken
        assert secret.reveal() in heard
    verbs = {argv[1] for argv in real.recorder.argvs}
    assert verbs == {"show", "set", "addconf", "syncconf"}


def test_a_plan_is_one_call_and_new_secrets_one_more(real: RealSubject) -> None:
    plain = [PeerConfig(new_key(), (f"10.97.1.{n}/32",)) for n in range(20)]
    secret = [
        PeerConfig(new_key(), (f"10.97.2.{n}/32",), generate_preshared_key()) for n in range(20)
    ]
    before = len(real.recorder.argvs)
    real.driver.apply(diff({peer.public_key: peer for peer in [*plain, *secret]}, {}))
    assert [argv[1] for argv in real.recorder.argvs[before:]] == ["set", "addconf"]


def test_a_peer_that_was_not_named_is_not_sent(real: RealSubject) -> None:
    peers = [PeerConfig(new_key(), (f"10.97.1.{n}/32",)) for n in range(3)]
    applied: dict[str, Applied | None] = {peer.public_key: peer.as_applied() for peer in peers}
    real.driver.apply(diff({peer.public_key: peer for peer in peers}, {}))
    one = peers[0]._replace(persistent_keepalive=25)
    real.driver.apply(diff({peer.public_key: peer for peer in [one, *peers[1:]]}, applied))
    assert real.recorder.argvs[-1] == (
        "wg",
        "set",
        real.driver.interface,
        "peer",
        one.public_key,
        "persistent-keepalive",
        "25",
    )


def test_a_stopped_daemon_is_a_time_out_and_its_return_heals(real: RealSubject) -> None:
    driver = CliDriver(real.driver.interface, LocalRunner(), timeout=0.5, sync_timeout=0.5)
    peer = PeerConfig(new_key(), ("10.97.0.2/32",), generate_preshared_key())
    plan = diff({peer.public_key: peer}, {})
    device = DeviceConfig(InterfaceConfig(real.private_key, PORT), (peer,))
    stop(real.pid)
    try:
        for call in (driver.read, lambda: driver.apply(plan), lambda: driver.sync(device)):
            started = time.monotonic()
            with pytest.raises(DriverUnavailable, match="did not answer within") as caught:
                call()
            assert type(caught.value) is DriverUnavailable
            assert time.monotonic() - started < 2
    finally:
        os.kill(real.pid, signal.SIGCONT)
    # What was sent may have arrived or not: its state is unknown, so all of it is sent.
    real.driver.apply(diff({peer.public_key: peer}, {peer.public_key: None}))
    assert real.peer(peer.public_key).as_applied()[:3] == peer.as_applied()[:3]


def test_missing_rights_say_what_is_missing(real: RealSubject) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    driver = CliDriver(real.driver.interface, LocalRunner(nobody))
    peer = PeerConfig(new_key(), ("10.97.0.2/32",))
    for call in (driver.read, lambda: driver.apply(diff({peer.public_key: peer}, {}))):
        with pytest.raises(DriverForbidden, match="CAP_NET_ADMIN"):
            call()
    behind_sudo = CliDriver(real.driver.interface, LocalRunner((*nobody, "sudo", "-n")))
    with pytest.raises(DriverForbidden, match="sudo rule"):
        behind_sudo.read()
    assert real.driver.read().peers == {}


@pytest.mark.parametrize("prefix", [("sudo", "-n"), ("ip", "netns", "exec", "")])
def test_a_prefix_passes_secrets_on(real: RealSubject, prefix: tuple[str, ...]) -> None:
    runner = LocalRunner(tuple(word or real.netns for word in prefix))
    driver = CliDriver(real.driver.interface, runner)
    peer = PeerConfig(new_key(), ("10.97.0.2/32",), generate_preshared_key())
    driver.apply(diff({peer.public_key: peer}, {}))
    changed = peer._replace(preshared_key=generate_preshared_key())
    driver.apply(diff({peer.public_key: changed}, {peer.public_key: peer.as_applied()}))
    assert driver.read().peers[peer.public_key].preshared_key == changed.preshared_key


def test_a_missing_command_or_namespace_is_named() -> None:
    with pytest.raises(CommandMissing, match="vwg-none"):
        CliDriver("vwanone", LocalRunner(), command="vwg-none").read()
    for prefix in (("sudo", "-n"), ("ip", "netns", "exec", "vwanone")):
        runner = LocalRunner(prefix)
        with pytest.raises((CommandMissing, InterfaceMissing)):
            CliDriver("vwanone", runner, command="vwg-none").read()


@pytest.mark.parametrize(
    ("old", "new"),
    [("25", "70000"), ("10.97.0.2/32", "10.97.0.2/99"), ("192.0.2.1:9", "192.0.2.1")],
)
def test_a_refusal_is_told_and_explained(real: RealSubject, old: str, new: str) -> None:
    def tamper(argv: Sequence[str]) -> Sequence[str]:
        return [new if word == old else word for word in argv]

    driver = CliDriver(real.driver.interface, Recorder(tamper=tamper))
    peer = PeerConfig(new_key(), ("10.97.0.2/32",), None, 25, "192.0.2.1:9")
    with pytest.raises(DriverRejected, match=new) as caught:
        driver.apply(diff({peer.public_key: peer}, {}))
    assert caught.value.explained
    assert real.driver.read().peers == {}


def test_ten_thousand_peers_are_read_whole(real: RealSubject) -> None:
    numbers = random.Random(3)
    peers = {
        peer.public_key: peer
        for peer in (
            PeerConfig(
                b64encode(numbers.randbytes(32)).decode(),
                (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}/32", f"fd97::{n + 1:x}/128"),
                Secret(b64encode(numbers.randbytes(32)).decode()) if n % 2 else None,
            )
            for n in range(10_000)
        )
    }
    for batch in diff(peers, {}).batches(500):
        real.driver.apply(batch)
    seen = real.driver.read().peers
    assert {key: peer.as_applied()[:3] for key, peer in seen.items()} == {
        key: peer.as_applied()[:3] for key, peer in peers.items()
    }


def test_memory_and_the_real_thing_agree_on_any_history(real: RealSubject) -> None:
    numbers = random.Random(11)
    keys = [new_key() for _ in range(6)]
    networks = [f"10.97.0.{n}/32" for n in range(1, 7)] + ["10.97.0.0/24", "fd97::/64", "::/0"]
    psks = [None, generate_preshared_key(), generate_preshared_key()]
    memory = MemoryDriver(private_key=real.private_key)
    memory.set_interface(listen_port=PORT)
    for _ in range(60):
        seen = {key: peer.as_applied() for key, peer in memory.read().peers.items()}
        applied = {key: numbers.choice([state, None]) for key, state in seen.items()}
        taken: set[str] = set()
        desired: dict[str, PeerConfig | None] = {}
        for key in numbers.sample(keys, 3):
            peer = PeerConfig(
                key,
                # Never one that another wanted peer has, often one that somebody else holds.
                tuple(net for net in networks if net not in taken and numbers.random() < 0.3),
                numbers.choice(psks),
                numbers.choice([None, 25]),
                numbers.choice([None, "192.0.2.1:9", "[2001:db8::1]:9"]),
            )
            desired[key] = numbers.choice([peer, peer, None])
            taken.update(peer.allowed_ips)
        if numbers.random() < 0.2:
            listed = tuple(peer for peer in desired.values() if peer is not None)
            device = DeviceConfig(InterfaceConfig(real.private_key, PORT), listed)
            memory.sync(device)
            real.driver.sync(device)
        else:
            for batch in diff(desired, applied).batches(2):
                memory.apply(batch)
                real.driver.apply(batch)
        assert _plain(real.driver.read().peers) == _plain(memory.read().peers)


def _plain(peers: dict[str, PeerStatus]) -> dict[str, PeerStatus]:
    """Without the bytes: the real one tries to say hello to the endpoints it is given."""
    return {key: peer._replace(tx_bytes=0) for key, peer in peers.items()}
