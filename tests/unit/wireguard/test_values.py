"""Networks, endpoints and settings have one spelling; the rest is refused, naming the field."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from wireguard import allowed_ips, values
from wireguard.errors import InvalidConfig


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.1/32", "10.0.0.1/32"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("::1/128", "::1/128"),
        ("FD00:0:0::1", "fd00::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_has_one_spelling(text: str, canonical: str) -> None:
    assert allowed_ips.check_network(text) == canonical
    assert allowed_ips.check_network(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        10,
        b"10.0.0.1/32",
        "10.0.0.1/24",
        "fd00::1/64",
        "010.0.0.1/32",
        "10.0.0.1/032",
        "10.0.0.1/+8",
        "10.0.0.1/33",
        "::1/129",
        "10.0.0/24",
        "10.0.0.0/255.255.255.0",
        " 10.0.0.1/32",
        "10.0.0.1/32\n",
        "10.0.0.1/32\nPostUp=id",
        "\u0661\u0660.0.0.1/32",
        "\uff11\uff10.0.0.1/32",
        "10.0.0.1/\u0663\u0662",
        "fe80::1%eth0/128",
        "::ffff:192.0.2.1/128",
        "::192.0.2.1/128",
        "+10.0.0.1/32",
        "-10.0.0.1/32",
        "10.0.0.1/32,10.0.0.2/32",
    ],
)
def test_what_is_not_exactly_a_network_is_refused(text: object) -> None:
    with pytest.raises(InvalidConfig) as caught:
        allowed_ips.check_network(text)
    assert caught.value.field == "AllowedIPs"


def test_networks_sort_ipv4_first_and_by_number_and_once() -> None:
    wanted = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.2/32", "10.0.0.10/32", "::/0", "fd00::9/128")
    for seed in range(20):
        shuffled = [*wanted, "10.0.0.2", "FD00::9"]
        random.Random(seed).shuffle(shuffled)
        assert allowed_ips.sort_networks(shuffled) == wanted


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1:51820", "192.0.2.1:51820"),
        ("[2001:DB8:0::1]:1", "[2001:db8::1]:1"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
    ],
)
def test_an_endpoint_has_one_spelling(text: str, canonical: str) -> None:
    assert allowed_ips.check_endpoint(text) == canonical
    assert values.check_dialled_endpoint(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "192.0.2.1",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:051820",
        "192.0.2.1:51820\n",
        "192.0.2.256:1",
        "2001:db8::1:51820",
        "[192.0.2.1]:51820",
        "[fe80::1%eth0]:51820",
        "[::ffff:192.0.2.1]:51820",
        "192.0.2.1:\u0661",
    ],
)
def test_what_is_not_exactly_an_endpoint_is_refused(text: object) -> None:
    for check in (allowed_ips.check_endpoint, values.check_dialled_endpoint):
        with pytest.raises(InvalidConfig, match="Endpoint"):
            check(text)


def test_host_names_are_for_the_clients_file_only() -> None:
    assert values.check_dialled_endpoint("vpn.example.com:51820") == "vpn.example.com:51820"
    with pytest.raises(InvalidConfig, match="host names are not resolved"):
        allowed_ips.check_endpoint("vpn.example.com:51820")


@pytest.mark.parametrize(("given", "kept"), [(None, None), (0, None), (1, 1), (65535, 65535)])
def test_keepalive_zero_is_off(given: int | None, kept: int | None) -> None:
    assert allowed_ips.check_keepalive(given) == kept


@pytest.mark.parametrize("seconds", [-1, 65536, True, False, "25", 25.0])
def test_other_keepalives_are_refused(seconds: object) -> None:
    with pytest.raises(InvalidConfig, match="PersistentKeepalive"):
        allowed_ips.check_keepalive(seconds)


def hook(text: object) -> str:
    return values.check_hook(text, "PostUp")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (values.check_listen_port, 51820),
        (values.check_fwmark, 0xFFFFFFFF),
        (values.check_mtu, 1420),
        (values.check_table, "off"),
        (values.check_table, "1000"),
        (values.check_dns, "1.1.1.1"),
        (values.check_dns, "2606:4700:4700::1111"),
        (values.check_dns, "corp.example"),
        (hook, "iptables -A FORWARD -i %i -j ACCEPT; echo a=b"),
        (allowed_ips.check_interface_address, "10.252.0.1/16"),
    ],
)
def test_good_settings_pass_unchanged(check: Callable[[Any], object], value: object) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (values.check_listen_port, 0),
        (values.check_listen_port, 65536),
        (values.check_listen_port, True),
        (values.check_fwmark, -1),
        (values.check_fwmark, 2**32),
        (values.check_mtu, 575),
        (values.check_mtu, "1420"),
        (values.check_table, "a b"),
        (values.check_table, "auto\n"),
        (values.check_dns, "1.1.1"),
        (values.check_dns, "1.1.1.1\n"),
        (values.check_dns, "a,b"),
        (values.check_dns, "a" * 64),
        (values.check_dns, "-x"),
        (values.check_dialled_endpoint, "a b:1"),
        (values.check_dialled_endpoint, "vpn.example.com"),
        (values.check_dialled_endpoint, "vpn.example.com:70000"),
        (hook, ""),
        (hook, " id"),
        (hook, "id # comment"),
        (hook, "id\nPostUp = reboot"),
        (hook, "id\r"),
        (hook, "id\x85reboot"),
        (hook, "id\u2028reboot"),
        (hook, "\ud800"),
        (hook, None),
        (allowed_ips.check_interface_address, "10.252.0.1/16, 10.0.0.1/8"),
    ],
)
def test_bad_settings_name_their_field(check: Callable[[Any], object], value: object) -> None:
    with pytest.raises(InvalidConfig) as caught:
        check(value)
    assert caught.value.field
    assert caught.value.line is None
