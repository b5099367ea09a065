"""Texts for each reader: what is written is read back, and nothing else can be written."""

import random
from base64 import b64encode
from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireguard.allowed_ips import sort_networks
from wireguard.config import (
    KEY_PLACE,
    parse,
    render_client,
    render_peers,
    render_quick,
    render_sync,
)
from wireguard.errors import InvalidConfig, WireGuardError
from wireguard.keys import check_public_key, generate_preshared_key, generate_private_key
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
OTHER = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="


def _usable(key: str) -> bool:
    try:
        return bool(check_public_key(key))
    except WireGuardError:
        return False


KEYS = st.binary(min_size=32, max_size=32).map(lambda raw: b64encode(raw).decode()).filter(_usable)
SECRETS = KEYS.map(Secret)
V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: str(IPv4Network((pair[0], pair[1]), strict=False))
)
V6 = st.tuples(st.integers(2**32, 2**128 - 1), st.integers(96, 128)).map(
    lambda pair: str(IPv6Network((pair[0] | 1 << 127, pair[1]), strict=False))
)
NETWORKS = st.lists(V4 | V6, max_size=5).map(sort_networks)
PORTS = st.integers(1, 65535)
ENDPOINTS = st.builds(
    lambda address, port: f"{address}:{port}", st.ip_addresses(v=4), PORTS
) | PORTS.map(lambda port: f"[2001:db8::1]:{port}")
WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="#"), min_size=1, max_size=9
)
HOOKS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(str.isprintable)
LINES = st.lists(HOOKS, max_size=3).map(tuple)
PEERS = st.builds(
    PeerConfig,
    KEYS,
    NETWORKS,
    st.none() | SECRETS,
    st.none() | st.integers(1, 65535),
    st.none() | ENDPOINTS,
)
INTERFACES = st.builds(
    InterfaceConfig,
    private_key=st.none() | SECRETS,
    listen_port=st.none() | PORTS,
    fwmark=st.none() | st.integers(1, 2**32 - 1),
    addresses=st.lists(st.sampled_from(["10.252.0.1/16", "fd00::1/64", "10.1.2.3/32"])).map(tuple),
    dns=st.lists(st.sampled_from(["1.1.1.1", "2606:4700::1111", "corp.example"])).map(tuple),
    mtu=st.none() | st.integers(576, 65535),
    table=st.none() | st.sampled_from(["off", "auto", "1000", "main"]),
    pre_up=LINES,
    post_up=LINES,
    pre_down=LINES,
    post_down=LINES,
)
DEVICES = st.builds(
    DeviceConfig,
    INTERFACES,
    st.lists(PEERS, max_size=4, unique_by=lambda peer: peer.public_key).map(tuple),
)


@given(DEVICES)
@settings(deadline=None)
def test_the_boot_file_reads_back_as_it_was(device: DeviceConfig) -> None:
    assert parse(render_quick(device)) == device


@given(DEVICES, SECRETS, PORTS)
@settings(deadline=None)
def test_the_sync_text_reads_back_without_what_it_leaves_out(
    device: DeviceConfig, private_key: Secret, port: int
) -> None:
    interface = device.interface._replace(private_key=private_key, listen_port=port)
    left = DeviceConfig(
        InterfaceConfig(private_key, port, interface.fwmark),
        tuple(peer._replace(endpoint=None) for peer in device.peers),
    )
    assert parse(render_sync(DeviceConfig(interface, device.peers))) == left


GOOD_STARTS = st.sampled_from(["", "id", "off", "1.1.1.1", "10.0.0.1/32", "192.0.2.1:1"])
TEXTS = st.builds(str.__add__, GOOD_STARTS, st.text() | st.sampled_from(["", "\nTable = off"]))


@given(TEXTS, st.sampled_from(["hook", "dns", "table", "address", "network", "endpoint"]))
@settings(deadline=None, max_examples=400)
def test_no_text_brings_a_line_of_its_own(text: str, place: str) -> None:
    interface, peer = InterfaceConfig(), PeerConfig(KEY)
    match place:
        case "hook":
            interface = interface._replace(post_up=(text,))
        case "dns":
            interface = interface._replace(dns=(text,))
        case "table":
            interface = interface._replace(table=text)
        case "address":
            interface = interface._replace(addresses=(text,))
        case "network":
            peer = peer._replace(allowed_ips=(text,))
        case _:
            peer = peer._replace(endpoint=text)
    device = DeviceConfig(interface, (peer,))
    try:
        rendered = render_quick(device)
    except InvalidConfig:
        return
    assert len(rendered.splitlines()) == 5
    assert len(parse(rendered).peers) == 1


@pytest.mark.parametrize(
    "bad", ["\n", "\r", "\x00", "\nPostUp = id", "\x1b", "\x85", "\u2028", "#"]
)
def test_a_control_character_anywhere_is_refused(bad: str) -> None:
    device = DeviceConfig(InterfaceConfig(Secret(KEY), 1), (PeerConfig(KEY),))
    peer, interface = device.peers[0], device.interface
    broken = [
        (interface._replace(private_key=Secret(KEY + bad)), peer),
        (interface._replace(addresses=("10.0.0.1/32" + bad,)), peer),
        (interface._replace(dns=("1.1.1.1" + bad,)), peer),
        (interface._replace(table="off" + bad), peer),
        (interface._replace(pre_up=("id" + bad,)), peer),
        (interface._replace(post_up=("id" + bad,)), peer),
        (interface._replace(pre_down=("id" + bad,)), peer),
        (interface._replace(post_down=("id" + bad,)), peer),
        (interface, peer._replace(public_key=KEY + bad)),
        (interface, peer._replace(preshared_key=Secret(KEY + bad))),
        (interface, peer._replace(allowed_ips=("10.0.0.1/32" + bad,))),
        (interface, peer._replace(endpoint="192.0.2.1:1" + bad)),
    ]
    for bad_interface, bad_peer in broken:
        with pytest.raises(WireGuardError) as caught:
            render_quick(DeviceConfig(bad_interface, (bad_peer,)))
        assert KEY not in str(caught.value)


def test_the_sync_text_states_everything_and_no_endpoint() -> None:
    private, psk = generate_private_key(), generate_preshared_key()
    device = DeviceConfig(
        InterfaceConfig(private, 51820, addresses=("10.0.0.1/24",), mtu=1420, post_up=("id",)),
        (
            PeerConfig(KEY, ("10.0.0.2/32", "fd00::2/128"), psk, 25, "192.0.2.1:9"),
            PeerConfig(OTHER),
        ),
    )
    assert render_sync(device) == (
        f"[Interface]\nPrivateKey = {private.reveal()}\nListenPort = 51820\nFwMark = off\n\n"
        f"[Peer]\nPublicKey = {KEY}\nPresharedKey = {psk.reveal()}\n"
        f"AllowedIPs = 10.0.0.2/32, fd00::2/128\nPersistentKeepalive = 25\n\n"
        f"[Peer]\nPublicKey = {OTHER}\nPresharedKey = {'A' * 43}=\nPersistentKeepalive = off\n"
    )


@pytest.mark.parametrize(
    ("interface", "field"),
    [
        (InterfaceConfig(listen_port=51820), "PrivateKey"),
        (InterfaceConfig(private_key=Secret(KEY)), "ListenPort"),
    ],
)
def test_a_sync_text_that_would_reset_the_interface_is_refused(
    interface: InterfaceConfig, field: str
) -> None:
    with pytest.raises(InvalidConfig) as caught:
        render_sync(DeviceConfig(interface, (PeerConfig(KEY, ("10.0.0.2/32",)),)))
    assert caught.value.field == field


def test_a_peer_is_written_once() -> None:
    twice = (PeerConfig(KEY), PeerConfig(KEY))
    with pytest.raises(InvalidConfig, match="twice"):
        render_peers(twice)


def test_peers_alone_are_written_with_their_endpoints() -> None:
    assert render_peers([PeerConfig(KEY, ("10.0.0.2/32",), None, 25, "192.0.2.1:9")]) == (
        f"[Peer]\nPublicKey = {KEY}\nAllowedIPs = 10.0.0.2/32\nPersistentKeepalive = 25\n"
        "Endpoint = 192.0.2.1:9\n"
    )
    assert render_peers([]) == ""


def test_a_host_name_is_not_written_for_a_server() -> None:
    with pytest.raises(InvalidConfig, match="Endpoint"):
        render_peers([PeerConfig(KEY, endpoint="vpn.example.com:1")])


@pytest.mark.parametrize("private_key", [None, Secret(OTHER)])
def test_the_customers_file_has_what_it_needs_and_no_more(private_key: Secret | None) -> None:
    psk = generate_preshared_key()
    text = render_client(
        private_key=private_key,
        addresses=("10.0.0.2/32", "fd00::2/128"),
        dns=("1.1.1.1",),
        mtu=1420,
        server_public_key=KEY,
        preshared_key=psk,
        routes=("0.0.0.0/0", "::/0"),
        endpoint="vpn.example.com:51820",
        persistent_keepalive=25,
    )
    own = f"PrivateKey = {OTHER}\n" if private_key else f"{KEY_PLACE}\n"
    assert text == (
        f"[Interface]\n{own}Address = 10.0.0.2/32, fd00::2/128\nDNS = 1.1.1.1\nMTU = 1420\n\n"
        f"[Peer]\nPublicKey = {KEY}\nPresharedKey = {psk.reveal()}\nAllowedIPs = 0.0.0.0/0, ::/0\n"
        "PersistentKeepalive = 25\nEndpoint = vpn.example.com:51820\n"
    )
    assert parse(text).peers[0].endpoint == "vpn.example.com:51820"


def test_handwritten_text_is_understood() -> None:
    text = f"""
    # a comment
    [interface]
    privatekey={KEY}
    LISTENPORT = 51820   # another
    FwMark = 0xff
    Address = 10.0.0.1/24, fd00::1/64
    Address = 10.1.0.1
    PostUp = echo a=b, c
    PostUp = true
    saveconfig = false

    [PEER]
    PublicKey = {OTHER}
    AllowedIPs = fd00::2/128
    AllowedIPs = 10.0.0.2, 10.0.0.1/32
    PersistentKeepalive = off
    PresharedKey = {"A" * 43}=
    """.replace("\n", "\r\n")
    assert parse(text) == DeviceConfig(
        InterfaceConfig(
            Secret(KEY),
            51820,
            255,
            ("10.0.0.1/24", "fd00::1/64", "10.1.0.1/32"),
            post_up=("echo a=b, c", "true"),
        ),
        (PeerConfig(OTHER, ("10.0.0.1/32", "10.0.0.2/32", "fd00::2/128")),),
    )


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("ListenPort = 1\n", 1, ""),
        ("[Interface]\nnonsense\n", 2, ""),
        ("[Interface]\nPublicKey = x\n", 2, ""),
        ("[Interface]\n\n[Interface]\n", 3, ""),
        (f"[Peer]\nPublicKey = {KEY}\nPostUp = id\n", 3, ""),
        (f"[Peer]\nPublicKey = {KEY}\n# Name\nName = x\n", 4, ""),
        (f"[Peer]\nPublicKey = {KEY}x\n", 2, "PublicKey"),
        ("[Peer]\nAllowedIPs = 10.0.0.1/32\n", 1, "PublicKey"),
        (f"[Peer]\nPublicKey = {KEY}\nAllowedIPs = 10.0.0.1/24\n", 3, "AllowedIPs"),
        (f"[Peer]\nPublicKey = {KEY}\nAllowedIPs = 10.0.0.1/32,\n", 3, "AllowedIPs"),
        (f"[Peer]\nPublicKey = {KEY}\nEndpoint = 192.0.2.1\n", 3, "Endpoint"),
        (f"[Peer]\nPublicKey = {KEY}\n[Peer]\nPublicKey = {KEY}\n", 3, ""),
        (f"[Peer]\nPublicKey = {KEY}\nPublicKey = {OTHER}\n", 3, "PublicKey"),
        ("[Interface]\nListenPort = 1\nListenPort = 2\n", 3, "ListenPort"),
        ("[Interface]\nListenPort = +1\n", 2, "ListenPort"),
        ("[Interface]\nMTU = 1_420\n", 2, "MTU"),
        ("[Interface]\nFwMark = 0x1ffffffff\n", 2, "FwMark"),
        ("[Interface]\nPrivateKey =\n", 2, "PrivateKey"),
        ("[Interface]\nSaveConfig = true\n", 2, "SaveConfig"),
        ("[Interface]\nDNS = 1.1.1.1\x00\n", 2, ""),
    ],
)
def test_a_wrong_line_is_named(text: str, line: int, field: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        parse(text)
    assert (caught.value.line, caught.value.field) == (line, field)
    assert KEY not in str(caught.value)


def test_ten_thousand_peers_are_read_back() -> None:
    numbers = random.Random(7)
    peers = tuple(
        PeerConfig(
            b64encode(numbers.randbytes(32)).decode(),
            (f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}/32", f"fd00::{index + 1:x}/128"),
        )
        for index in range(10_000)
    )
    device = DeviceConfig(InterfaceConfig(Secret(KEY), 51820), peers)
    assert parse(render_quick(device)) == device
