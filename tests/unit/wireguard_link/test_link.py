"""The link's decisions, without a kernel: what is read, what is run, in which order."""

from __future__ import annotations

import json

import pytest

from tests.unit.wireguard_link.recording import Answer, Recording
from wireguard.errors import DriverForbidden, DriverUnavailable, InvalidConfig
from wireguard.host import check_interface_name, command_prefix
from wireguard.link import ForeignInterface, Link, LinkSpec, Outcome
from wireguard.quick import QuickUnit
from wireguard.runner import Completed
from wireguard.surroundings import interface_networks, routed_networks
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

STAMP = "6c1f4a1e-8f0e-4a7e-9a53-0c7f6c1f8d11"
PRIVATE = "oIvRVixK/PRmuTCfWI1SbG/B03h00VvYGFe12l6AInM="
KEYS = [f"{letter * 42}A=" for letter in "BCD"]


def shown(**changes: object) -> bytes:
    link = {
        "ifindex": 7,
        "ifname": "wg0",
        "flags": ["POINTOPOINT", "NOARP", "UP", "LOWER_UP"],
        "mtu": 1420,
        "linkinfo": {"info_kind": "wireguard"},
        "addr_info": [
            {"family": "inet", "local": "10.252.0.1", "prefixlen": 16, "scope": "global"},
            {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ],
        **changes,
    }
    return json.dumps([{}, link]).encode()


def host(**link: object) -> Answer:
    """A host whose wg0 is as described; every other command succeeds."""

    def answer(argv: list[str]) -> Completed:
        if "address" in argv and "show" in argv:
            return Completed(0, shown(**link), b"")
        return Completed(0, b"", b"")

    return answer


def empty_host(argv: list[str]) -> Completed:
    """A host without wg0, whose kernel has WireGuard; forwarding is on."""
    if "address" in argv and "show" in argv:
        return Completed(1, b"", b'Device "wg0" does not exist.')
    return Completed(0, b"1\n" if "sysctl" in argv else b"", b"")


def device(*peers: PeerConfig, **interface: object) -> DeviceConfig:
    fields = {"addresses": ("10.252.0.1/16", "fd25:2::1/64"), **interface}
    return DeviceConfig(
        InterfaceConfig(Secret(PRIVATE), 51820, **fields),  # type: ignore[arg-type]
        peers,
    )


def spec(*peers: PeerConfig, stamp: str = STAMP, **interface: object) -> LinkSpec:
    return LinkSpec(name="wg0", device=device(*peers, **interface), stamp=stamp)


def test_a_kernel_link_is_read() -> None:
    state = Link(Recording(host(ifalias=f"vwg:{STAMP}")), "wg0").state()
    assert state == (
        *(True, True, True, 1420, f"vwg:{STAMP}", STAMP, 7, "kernel"),
        ("10.252.0.1/16",),
        None,
    )


def test_a_tun_device_that_wg_does_not_know_is_no_wireguard() -> None:
    state = Link(Recording(host(linkinfo={"info_kind": "tun"})), "wg0").state()
    assert state.exists
    assert (state.is_wireguard, state.backend) == (False, None)


@pytest.mark.parametrize("alias", ["", "vwg:", "vwg", "my vwg:1", "VWG:1"])
def test_only_our_own_words_are_a_stamp(alias: str) -> None:
    assert Link(Recording(host(ifalias=alias)), "wg0").state().stamp is None


def test_rights_that_are_missing_are_not_a_missing_link() -> None:
    refused = Recording(lambda _: Completed(1, b"", b"sudo: a password is required"))
    with pytest.raises(DriverForbidden):
        Link(refused, "wg0", sudo=True).state()


@pytest.mark.parametrize("alias", ["", "vwg:another", "vwg~another"])
def test_nothing_is_written_to_a_foreign_link(alias: str) -> None:
    runner = Recording(host(ifalias=alias))
    link = Link(runner, "wg0")
    for act in (link.bring_up, link.bring_down):
        with pytest.raises(ForeignInterface):
            act(spec())
    assert {tuple(call[:4]) for call in runner.calls} == {
        ("ip", "-details", "-json", "address"),
    }


def test_our_link_in_service_is_left_alone() -> None:
    runner = Recording(host(ifalias=f"vwg:{STAMP}"))
    assert Link(runner, "wg0").bring_up(spec()) is Outcome.ALREADY
    assert len(runner.calls) == 1


def test_endpoints_are_given_before_the_link_is_up_and_only_to_known_peers() -> None:
    runner = Recording(empty_host)
    sleeper = PeerConfig(KEYS[0], ("10.252.0.2/32",))
    awake = PeerConfig(KEYS[1], ("10.252.0.3/32",), persistent_keepalive=15)
    quiet = PeerConfig(KEYS[2], ("10.252.0.4/32",))
    Link(runner, "wg0").bring_up(
        spec(sleeper, awake, quiet),
        {KEYS[0]: ("192.0.2.7", 4000), KEYS[1]: ("2001:db8::7", 5), "unknown": ("192.0.2.8", 1)},
    )
    texts = [" ".join(call) for call in runner.calls]
    load = texts.index("wg syncconf wg0 /dev/stdin")
    given = texts.index(
        f"wg set wg0 peer {KEYS[0]} endpoint 192.0.2.7:4000 peer {KEYS[1]} endpoint [2001:db8::7]:5"
    )
    up = texts.index("ip link set dev wg0 up")
    ring = texts.index(
        f"wg set wg0 peer {KEYS[0]} persistent-keepalive 25 peer {KEYS[1]} persistent-keepalive 15"
    )
    asleep = texts.index(f"wg set wg0 peer {KEYS[0]} persistent-keepalive 0")
    assert load < given < up < ring < asleep
    assert b"PersistentKeepalive = 15" not in runner.texts[load]
    assert not any("unknown" in text for text in texts)
    assert not any("setconf" in text for text in texts)


def test_a_link_comes_up_even_if_its_clients_cannot_be_woken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(argv: list[str]) -> Completed:
        if argv[:2] == ["wg", "set"]:
            raise DriverUnavailable("wg did not answer within 15 s")
        return empty_host(argv)

    link = Link(Recording(broken), "wg0")
    peer = PeerConfig(KEYS[0], ("10.252.0.2/32",))
    assert link.bring_up(spec(peer), {KEYS[0]: ("192.0.2.7", 4000)}) is Outcome.CREATED
    assert "endpoints: wg did not answer" in caplog.text
    assert "wake: wg did not answer" in caplog.text


def test_the_finished_stamp_comes_last_of_all() -> None:
    runner = Recording(empty_host)
    Link(runner, "wg0").bring_up(spec(post_up=("true",)))
    assert runner.calls[-1] == ["ip", "link", "set", "dev", "wg0", "alias", f"vwg:{STAMP}"]
    made = runner.calls.index(["ip", "link", "add", "dev", "wg0", "type", "wireguard"])
    assert runner.calls[made + 1][-1] == f"vwg~{STAMP}"


def test_every_command_runs_with_sudo_in_the_namespace() -> None:
    runner = Recording(empty_host)
    Link(runner, "wg0", netns="g", sudo=True).bring_up(spec())
    prefix = ["sudo", "-n", "ip", "netns", "exec", "g"]
    assert {tuple(call[:6]) for call in runner.calls} == {tuple(prefix)}


def test_a_specification_of_another_link_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="another link"):
        Link(Recording(empty_host), "wg1").bring_up(spec())
    with pytest.raises(ValueError, match="no stamp"):
        Link(Recording(empty_host), "wg0").bring_up(spec(stamp=""))


def test_routes_are_for_what_the_interface_does_not_cover() -> None:
    peer = PeerConfig(
        KEYS[0], ("10.252.9.9/32", "192.168.7.0/24", "0.0.0.0/0", "fd25:2::9/128", "fd77::/64")
    )
    assert routed_networks(device(peer)) == ("192.168.7.0/24", "fd77::/64")
    assert routed_networks(device(peer, table="51")) == ("192.168.7.0/24", "0.0.0.0/0", "fd77::/64")


def test_networks_are_told_apart_by_family() -> None:
    four, six = interface_networks(["10.252.0.1/16", "fd25:2::1/64"])
    assert [str(network) for network in (*four, *six)] == ["10.252.0.0/16", "fd25:2::/64"]


@pytest.mark.parametrize("name", ["", "a b", "../g", "-x", "g/h", "x\n"])
def test_a_namespace_that_is_a_path_or_an_option_is_refused(name: str) -> None:
    with pytest.raises(InvalidConfig):
        command_prefix(name)


def test_prefixes() -> None:
    assert command_prefix() == ()
    assert command_prefix(sudo=True) == ("sudo", "-n")
    assert command_prefix("g") == ("ip", "netns", "exec", "g")
    assert command_prefix("g", sudo=True) == ("sudo", "-n", "ip", "netns", "exec", "g")


def test_usual_interface_names_are_taken() -> None:
    for name in ("wg0", "wg-office", "a.b", "x" * 15):
        assert check_interface_name(name) == name


def test_wg_quick_is_told_the_name_alone() -> None:
    runner = Recording()
    unit = QuickUnit(runner, "wg0", sudo=True)
    unit.up()
    unit.down()
    assert runner.calls == [
        ["sudo", "-n", "wg-quick", "up", "wg0"],
        ["sudo", "-n", "wg-quick", "down", "wg0"],
    ]
