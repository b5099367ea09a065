"""The text of the cut-off's table; what the kernel makes of it is proved in tests/live."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nftables import Kernel
from wireguard import cutoff
from wireguard.cutoff import Key, Quota, Shown, Way
from wireguard.errors import InvalidConfig

AVA = Key(7, Way.BOTH)
KIAN = Key(8, Way.DOWN)
TABLE = {
    AVA: Quota(5000, ("10.0.0.7/32", "fd00::7/128", "192.168.7.0/24")),
    KIAN: Quota(1, ("10.0.0.8/32",)),
}


def test_the_whole_table() -> None:
    assert cutoff.render("wg0", TABLE) == (
        "add table inet vwgq_wg0\n"
        "delete table inet vwgq_wg0\n"
        "table inet vwgq_wg0 {\n"
        "\tquota b7 { over 5000 bytes }\n"
        "\tquota d8 { over 1 bytes }\n"
        '\tmap b4 { type ipv4_addr : quota; elements = { 10.0.0.7 : "b7" }; }\n'
        "\tmap b4n { type ipv4_addr : quota; flags interval;"
        ' elements = { 192.168.7.0/24 : "b7" }; }\n'
        '\tmap b6 { type ipv6_addr : quota; elements = { fd00::7 : "b7" }; }\n'
        "\tmap b6n { type ipv6_addr : quota; flags interval; }\n"
        "\tmap u4 { type ipv4_addr : quota; }\n"
        "\tmap u4n { type ipv4_addr : quota; flags interval; }\n"
        "\tmap u6 { type ipv6_addr : quota; }\n"
        "\tmap u6n { type ipv6_addr : quota; flags interval; }\n"
        '\tmap d4 { type ipv4_addr : quota; elements = { 10.0.0.8 : "d8" }; }\n'
        "\tmap d4n { type ipv4_addr : quota; flags interval; }\n"
        "\tmap d6 { type ipv6_addr : quota; }\n"
        "\tmap d6n { type ipv6_addr : quota; flags interval; }\n"
        "\tchain up4 {\n"
        "\t\tquota name ip saddr map @b4 drop\n"
        "\t\tquota name ip saddr map @b4n drop\n"
        "\t\tquota name ip saddr map @u4 drop\n"
        "\t\tquota name ip saddr map @u4n drop\n"
        "\t}\n"
        "\tchain up6 {\n"
        "\t\tquota name ip6 saddr map @b6 drop\n"
        "\t\tquota name ip6 saddr map @b6n drop\n"
        "\t\tquota name ip6 saddr map @u6 drop\n"
        "\t\tquota name ip6 saddr map @u6n drop\n"
        "\t}\n"
        "\tchain up {\n"
        "\t\tmeta nfproto ipv4 goto up4\n"
        "\t\tgoto up6\n"
        "\t}\n"
        "\tchain down4 {\n"
        "\t\tquota name ip daddr map @b4 drop\n"
        "\t\tquota name ip daddr map @b4n drop\n"
        "\t\tquota name ip daddr map @d4 drop\n"
        "\t\tquota name ip daddr map @d4n drop\n"
        "\t}\n"
        "\tchain down6 {\n"
        "\t\tquota name ip6 daddr map @b6 drop\n"
        "\t\tquota name ip6 daddr map @b6n drop\n"
        "\t\tquota name ip6 daddr map @d6 drop\n"
        "\t\tquota name ip6 daddr map @d6n drop\n"
        "\t}\n"
        "\tchain down {\n"
        "\t\tmeta nfproto ipv4 goto down4\n"
        "\t\tgoto down6\n"
        "\t}\n"
        "\tchain forward {\n"
        "\t\ttype filter hook forward priority 10; policy accept;\n"
        '\t\tiifname "wg0" jump up\n'
        '\t\toifname "wg0" jump down\n'
        "\t}\n"
        "\tchain input {\n"
        "\t\ttype filter hook input priority 10; policy accept;\n"
        '\t\tiifname "wg0" jump up\n'
        "\t}\n"
        "\tchain output {\n"
        "\t\ttype filter hook output priority 10; policy accept;\n"
        '\t\toifname "wg0" jump down\n'
        "\t}\n"
        "}\n"
    )


def test_it_says_how_many_rules_it_has() -> None:
    text = cutoff.render("wg0", {})
    assert len(re.findall(r"^\t\t(quota|meta|goto|iifname|oifname)", text, re.M)) == cutoff.RULES


def test_a_limit_that_changes_is_one_line_and_goes_on_counting() -> None:
    new = {**TABLE, AVA: Quota(6000, TABLE[AVA].networks)}
    assert cutoff.change("wg0", TABLE, new) == "add quota inet vwgq_wg0 b7 { over 6000 bytes }\n"


def test_nothing_to_change_is_no_text() -> None:
    assert cutoff.change("wg0", TABLE, dict(TABLE)) == ""


def test_a_fresh_quota_goes_and_comes_in_one_transaction() -> None:
    assert cutoff.change("wg0", TABLE, TABLE, {AVA}) == (
        "delete element inet vwgq_wg0 b4 { 10.0.0.7 }\n"
        "delete element inet vwgq_wg0 b6 { fd00::7 }\n"
        "delete element inet vwgq_wg0 b4n { 192.168.7.0/24 }\n"
        "delete quota inet vwgq_wg0 b7\n"
        "add quota inet vwgq_wg0 b7 { over 5000 bytes }\n"
        'add element inet vwgq_wg0 b4 { 10.0.0.7 : "b7" }\n'
        'add element inet vwgq_wg0 b6 { fd00::7 : "b7" }\n'
        'add element inet vwgq_wg0 b4n { 192.168.7.0/24 : "b7" }\n'
    )


@pytest.mark.parametrize(
    ("left", "percent", "mtu", "limit"),
    [
        (0, 100, 1420, 1),
        (-5, 100, 1420, 1),
        (1, 100, 1420, 1501),
        (1532, 100, 1420, 3001),
        (1_532_000, 100, 1420, 1_501_501),
        (1_532_000, 200, 1420, 751_501),
        (1_532_000, 50, 1420, 3_001_501),
        (9_032_000, 100, 9000, 9_009_001),
    ],
)
def test_the_allowance(left: int, percent: int, mtu: int, limit: int) -> None:
    assert cutoff.allowance(left, percent=percent, mtu=mtu) == limit


PACKETS = st.lists(st.integers(20, 1500), min_size=1, max_size=200)


def billed(size: int, mtu: int = 1500) -> int:
    """What WireGuard counts of a packet: padded to 16 bytes, not beyond the MTU, and 32 more."""
    return min(-(-size // 16) * 16, max(size, mtu)) + 32


@given(PACKETS, st.sampled_from([10, 50, 100, 150, 300]))
def test_what_fits_into_the_rest_is_never_cut_off(packets: list[int], percent: int) -> None:
    left = sum(billed(size) for size in packets) * percent // 100
    assert sum(packets) < cutoff.allowance(max(left, 1), percent=percent, mtu=1420)


@settings(deadline=None)
@given(st.integers(1, 10**5), PACKETS, st.sampled_from([10, 50, 100, 150, 300]))
def test_who_is_cut_off_has_used_up_the_rest(left: int, packets: list[int], percent: int) -> None:
    limit = cutoff.allowance(left, percent=percent, mtu=1420)
    counted = bill = 0
    while True:
        for size in packets:
            counted += size
            if counted >= limit:
                assert bill * percent // 100 >= left
                assert counted - size <= left * 100 / percent + 1500 + 100 / percent
                return
            bill += billed(size)


@pytest.mark.parametrize("bad", ["", "a b", 'wg0"; flush ruleset', "x" * 16])
def test_a_name_that_is_no_interface_never_becomes_text(bad: str) -> None:
    with pytest.raises(InvalidConfig):
        cutoff.render(bad, {})


def test_the_table_is_beside_the_firewalls_for_every_name() -> None:
    assert cutoff.table_name("wg-0") == "vwgq_wg_2d_0"
    assert cutoff.table_name("q_wg0") == "vwgq_q_5f_wg0"


def listing(**changes: object) -> str:
    quota = {"family": "inet", "name": "b7", "table": "vwgq_wg0", "handle": 3}
    quota |= {"bytes": 5000, "used": 120, "inv": True, **changes}
    return json.dumps({"nftables": [{"metainfo": {}}, {"quota": quota}, {"rule": {}}]})


def test_what_the_kernel_shows_is_read() -> None:
    assert cutoff.parse(listing()) == Shown({AVA: 5000}, {AVA: 120}, 1)


def test_a_quota_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError):
        cutoff.parse(listing(name="x7"))


def test_a_table_is_as_it_was_left_only_with_all_quotas_limits_and_rules() -> None:
    limits = {key: quota.limit for key, quota in TABLE.items()}
    assert Shown(limits, {}, cutoff.RULES).holds(TABLE)
    assert not Shown(limits, {}, cutoff.RULES - 1).holds(TABLE)
    assert not Shown({**limits, AVA: 4999}, {}, cutoff.RULES).holds(TABLE)
    assert not Shown({AVA: 5000}, {}, cutoff.RULES).holds(TABLE)
    assert not Shown().holds(TABLE)


def test_networks_of_two_clients_never_overlap() -> None:
    assert cutoff.apart(
        {
            1: ["10.0.0.1/32", "192.168.0.0/16", "192.168.7.0/24", "fd00::1/128"],
            2: ["10.0.0.1/32", "10.0.0.2/32", "192.168.7.0/25", "fd00::/64"],
            3: ["172.16.0.0/12", "fd00:1::/64"],
        }
    ) == {
        1: ("10.0.0.1/32", "192.168.0.0/16", "192.168.7.0/24"),
        2: ("10.0.0.2/32", "fd00::/64"),
        3: ("172.16.0.0/12", "fd00:1::/64"),
    }


# -- changes, carried out one command after another ---------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> dict[Key, Quota]:
    """Clients with devices; an address may go from one client to another between two tables."""
    owners = draw(st.lists(st.integers(1, 4), min_size=6, max_size=6))
    found = {}
    for client in set(owners):
        networks = tuple(
            text
            for number, owner in enumerate(owners)
            if owner == client
            for text in (f"10.0.0.{number}/32", f"fd00::{number}/128", f"10.{number}.0.0/16")
        )
        for way in draw(st.sets(st.sampled_from(Way))):
            found[Key(client, way)] = Quota(draw(st.integers(1, 9)), networks)
    return found


@given(tables(), tables(), st.sets(st.integers(1, 4)))
def test_a_change_makes_the_new_table_of_the_old(
    old: dict[Key, Quota], new: dict[Key, Quota], renewed: set[int]
) -> None:
    kernel, wanted = Kernel(), Kernel()
    kernel.load(cutoff.render("wg0", old))
    wanted.load(cutoff.render("wg0", new))
    for counter in kernel.quotas.values():
        counter.used = 1
    fresh = {key for key in new if key.client in renewed}
    kernel.load(cutoff.change("wg0", old, new, fresh))
    assert kernel.maps == wanted.maps
    assert kernel.limits == wanted.limits
    for key in new:
        kept = key in old and key not in fresh and old[key].networks == new[key].networks
        assert kernel.quotas[key.name].used == kept
