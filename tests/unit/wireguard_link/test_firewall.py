"""The text of the firewall table; what the kernel makes of it is proved in tests/live."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.wireguard_link.recording import Recording
from wireguard import firewall
from wireguard.errors import InvalidConfig

V4 = [IPv4Network("10.252.0.0/16")]
V6 = [IPv6Network("fd25:2::/64")]
NAMES = st.from_regex(r"\A[A-Za-z0-9_=+.][A-Za-z0-9_=+.-]{0,14}\Z").filter(
    lambda name: name not in {".", "..", "all", "default", "lo"}
)


def render(**changes: object) -> str:
    fields: dict[str, object] = {
        "networks4": V4,
        "networks6": V6,
        "nat": True,
        "forward": True,
        **changes,
    }
    return firewall.render_table("vwg_wg0", "wg0", **fields)  # type: ignore[arg-type]


def test_the_whole_table() -> None:
    assert render() == (
        "add table inet vwg_wg0\n"
        "delete table inet vwg_wg0\n"
        "table inet vwg_wg0 {\n"
        "\tchain forward {\n"
        "\t\ttype filter hook forward priority -10; policy accept;\n"
        '\t\tiifname "wg0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu\n'
        '\t\toifname "wg0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu\n'
        '\t\tiifname "wg0" accept\n'
        '\t\toifname "wg0" ct state established,related accept\n'
        "\t}\n"
        "\tchain postrouting {\n"
        "\t\ttype nat hook postrouting priority 100; policy accept;\n"
        '\t\tip saddr { 10.252.0.0/16 } oifname != { "wg0", "lo" } masquerade\n'
        '\t\tip6 saddr { fd25:2::/64 } oifname != { "wg0", "lo" } masquerade\n'
        "\t}\n"
        "}\n"
    )


def test_without_nat_nothing_is_masqueraded() -> None:
    assert "masquerade" not in render(nat=False)
    assert "chain forward" in render(nat=False)


def test_without_forwarding_only_isolation_looks_at_forwarded_packets() -> None:
    assert "hook forward" not in render(forward=False)
    isolated = render(forward=False, isolate=True)
    assert 'iifname "wg0" oifname "wg0" drop' in isolated
    assert "accept;" in isolated
    assert '"wg0" accept' not in isolated


def test_a_family_without_networks_has_no_rule() -> None:
    assert "ip6 saddr" not in render(networks6=[])
    assert "ip saddr" not in render(networks4=[])


def test_overlapping_networks_become_one_which_nft_requires() -> None:
    nested = [*V4, IPv4Network("10.252.7.0/24")]
    assert "ip saddr { 10.252.0.0/16 }" in render(networks4=nested)


def test_nothing_is_ever_flushed() -> None:
    runner = Recording()
    firewall.load(runner, render())
    firewall.remove(runner, "wg0")
    assert runner.calls == [["nft", "-f", "-"]] * 2
    assert not any(b"flush" in text for text in runner.texts)
    assert runner.texts[1] == b"add table inet vwg_wg0\ndelete table inet vwg_wg0\n"


@pytest.mark.parametrize(
    "name",
    ["", "wg0*", 'wg"0', "wg 0", "wg\n0", "wg0\n", "-wg0", "a/b", "..", "all", "x" * 16, "wgé"],
)
def test_a_name_that_a_command_could_mistake_is_refused(name: str) -> None:
    with pytest.raises(InvalidConfig):
        firewall.table_name(name)


@given(NAMES, NAMES)
def test_two_interfaces_never_share_a_table(one: str, other: str) -> None:
    assert (firewall.table_name(one) == firewall.table_name(other)) == (one == other)
