"""The texts of speeds: exactly the difference, in an order that a kernel takes."""

from __future__ import annotations

import re

import pytest

from wireguard.errors import InvalidConfig
from wireguard.shaper import (
    DOWN_SHARDS,
    FIRST_MINOR,
    SHARD,
    UP_SHARDS,
    QueueShaper,
    Speed,
    Texts,
    device_prefix,
    limit_shaper,
    shard_of,
    table_name,
)

SHAPER = QueueShaper("wg0")
SPEED = Speed(16, 10_000, 50_000, ("10.8.0.2/32", "fd25::2/128"))


def change(before: list[Speed], after: list[Speed]) -> Texts:
    return SHAPER.change(before, after, shards={0})


def test_a_new_client_is_led_to_its_two_queues() -> None:
    texts = change([], [SPEED])
    prefix = device_prefix("wg0")
    assert texts.devices == ""
    assert texts.queues.splitlines() == [
        "filter add dev wg0 egress protocol ip prio 22103 handle 100:2:a08 u32 ht 100:2:"
        f" match ip dst 10.8.0.2/32 action mirred egress redirect dev {prefix}d00",
        "filter add dev wg0 egress protocol ipv6 prio 22104 handle 200:2:"
        f"{_node(texts.queues)} u32 ht 200:2:"
        f" match ip6 dst fd25::2/128 action mirred egress redirect dev {prefix}d00",
        f"class add dev {prefix}u00 parent 5657: classid 5657:10 htb rate 10000kbit"
        " burst 12500 cburst 12500 quantum 3000",
        f"class add dev {prefix}d00 parent 5657: classid 5657:10 htb rate 50000kbit"
        " burst 62500 cburst 62500 quantum 3000",
    ]
    assert texts.table.splitlines() == [
        "add element netdev vwgs_wg0 class_host4 { 10.8.0.2 : 5657:10 }",
        f'add element netdev vwgs_wg0 device_host4 {{ 10.8.0.2 : "{prefix}u00" }}',
        "add element netdev vwgs_wg0 class_host6 { fd25::2 : 5657:10 }",
        f'add element netdev vwgs_wg0 device_host6 {{ fd25::2 : "{prefix}u00" }}',
        "add element inet vwgs_wg0 class_host4 { 10.8.0.2 : 5657:10 }",
        "add element inet vwgs_wg0 class_host6 { fd25::2 : 5657:10 }",
    ]


def _node(queues: str) -> str:
    [node] = re.findall(r"handle 200:2:([0-9a-f]+) ", queues)
    assert 0 < int(node, 16) <= 0xFFF
    return str(node)


def test_another_rate_alone_touches_the_class_alone() -> None:
    texts = change([SPEED], [SPEED._replace(down_kbit=20_000)])
    assert texts.queues.splitlines() == [
        f"class change dev {device_prefix('wg0')}d00 parent 5657: classid 5657:10"
        " htb rate 20000kbit burst 25000 cburst 25000 quantum 3000"
    ]
    assert (texts.devices, texts.table) == ("", "")


def test_nothing_differs_nothing_is_said() -> None:
    assert change([SPEED], [SPEED]) == Texts()


def test_what_is_added_is_taken_away_again() -> None:
    there, back = change([], [SPEED]), change([SPEED], [])
    for text, again in ((there.queues, back.queues), (there.table, back.table)):
        for line in text.splitlines():
            assert _place(line) in {_place(other) for other in again.splitlines()}
    assert all(" del " in line for line in back.queues.splitlines())
    assert all(line.startswith("delete ") for line in back.table.splitlines())


def _place(line: str) -> str:
    """What a line adds or deletes, without what it is worth."""
    line = re.sub(r" (parent 5657: |htb .*| u32.*)", " ", f"{line} ")
    line = re.sub(r"handle (\S+) .*", r"handle \1", line)
    line = re.sub(r" : [^ ]+ }", " }", line)
    return re.sub(r"\b(add|delete|del)\b", "", line).strip()


def test_another_address_keeps_the_class() -> None:
    texts = change([SPEED], [SPEED._replace(addresses=("10.8.0.3/32", "fd25::2/128"))])
    assert "class" not in texts.queues
    assert [line.split()[1] for line in texts.queues.splitlines()] == ["del", "add"]
    deleted = [line for line in texts.table.splitlines() if line.startswith("delete")]
    assert len(deleted) == 3
    assert all("10.8.0.2" in line for line in deleted)


def test_two_who_change_their_addresses_with_one_another() -> None:
    other = Speed(16 + SHARD, 1000, 1000, ("10.8.0.3/32",))
    mine = SPEED._replace(addresses=("10.8.0.2/32",))
    texts = SHAPER.change(
        [mine, other],
        [mine._replace(addresses=other.addresses), other._replace(addresses=mine.addresses)],
        shards={0, 1},
    )
    acts = [line.split()[0] for line in texts.table.splitlines()]
    assert acts == sorted(acts, reverse=True)  # away before anything comes
    acts = [line.split()[1] for line in texts.queues.splitlines()]
    assert acts == ["del", "del", "add", "add"]


def test_one_direction_alone() -> None:
    texts = change([], [SPEED._replace(up_kbit=None)])
    assert "netdev" not in texts.table
    texts = change([], [SPEED._replace(down_kbit=None)])
    assert "filter" not in texts.queues
    assert "inet" not in texts.table


def test_networks_behind_a_device_are_limited_with_it() -> None:
    texts = change([], [SPEED._replace(addresses=("192.168.7.0/24", "192.168.9.0/24"))])
    filters = [line for line in texts.queues.splitlines() if line.startswith("filter")]
    assert [line.split(" action")[0].split("ip prio ")[1] for line in filters] == [
        "32784 u32 match ip dst 192.168.7.0/24",
        "32784 u32 match ip dst 192.168.9.0/24",
    ]
    assert "class_net4 { 192.168.7.0/24 : 5657:10, 192.168.9.0/24 : 5657:10 }" in texts.table
    away = change([SPEED._replace(addresses=("192.168.7.0/24", "192.168.9.0/24"))], [])
    [line] = [line for line in away.queues.splitlines() if line.startswith("filter")]
    assert line == "filter del dev wg0 egress protocol ip prio 32784"


def test_a_shard_is_made_for_its_first_client_alone() -> None:
    far = SPEED._replace(minor=FIRST_MINOR + SHARD)
    texts = SHAPER.change([], [SPEED, far], shards={0})
    made = re.findall(r"link add name (\S+)", texts.devices)
    assert made == [f"{device_prefix('wg0')}{way}01" for way in "ud"]
    assert [line.split()[3] for line in texts.queues.splitlines()[:2]] == made
    assert SHAPER.change([], [far], shards={0, 1}).devices == ""


def test_beyond_the_queues_and_without_them_a_limit_drops() -> None:
    minor = FIRST_MINOR + SHARD * UP_SHARDS
    texts = SHAPER.change([], [SPEED._replace(minor=minor)], shards={shard_of(minor)})
    assert f"add limit netdev vwgs_wg0 u{minor} " in texts.table
    assert texts.queues.count("class add") == 1
    texts = limit_shaper("wg0").change([], [SPEED])
    assert (texts.devices, texts.queues) == ("", "")
    assert "add limit inet vwgs_wg0 d16 { rate over 6250000 bytes/second" in texts.table
    slower = limit_shaper("wg0").change([SPEED], [SPEED._replace(up_kbit=800)])
    acts = [" ".join(line.split()[:2]) for line in slower.table.splitlines()]
    assert list(dict.fromkeys(acts)) == [
        "delete element",
        "delete limit",
        "add limit",
        "add element",
    ]
    assert "inet" not in slower.table


@pytest.mark.parametrize("kbit", [1, 64, 1000, 10_000, 50_000, 1_000_000])
def test_a_rate_is_exact_from_the_first_second(kbit: int) -> None:
    texts = change([], [SPEED._replace(up_kbit=None, down_kbit=kbit)])
    [burst] = re.findall(r" burst (\d+) ", texts.queues)
    rate = max(kbit, 8)
    assert f"rate {rate}kbit" in texts.queues
    assert int(burst) == max(2000, rate * 125 // 100)


@pytest.mark.parametrize("kbit", [100_000_001, 400_000_000, 10**9, 2**62])
def test_no_speed_is_more_than_tc_and_nftables_reckon_with(kbit: int) -> None:
    """One client of 400 Gbit/s would take everybody's queues: bfifo's limit has 32 bits."""
    texts = change([], [SPEED._replace(up_kbit=kbit, down_kbit=kbit)])
    assert set(re.findall(r"rate (\d+)kbit", texts.queues)) == {"100000000"}
    assert all(int(size) < 2**32 for size in re.findall(r"(?:burst|limit) (\d+)", texts.queues))
    [rate, _] = re.findall(r"rate over (\d+) ", limit_shaper("wg0").change(
        [], [SPEED._replace(up_kbit=kbit, down_kbit=kbit)]).table)  # fmt: skip
    assert int(rate) * 10**9 < 2**64  # as nft_limit_init multiplies them


def test_slow_and_fast_clients_have_queues_of_their_own_length() -> None:
    for kbit, limit in ((500, 15_000), (4000, 50_000), (200_000, 2_500_000)):
        texts = change([], [SPEED._replace(up_kbit=None, down_kbit=kbit)])
        assert f"5657:10 bfifo limit {limit}\n" in texts.queues
    slow = change([SPEED], [SPEED._replace(down_kbit=1000)])
    assert "qdisc replace" in slow.queues


def test_names_fit_and_are_shared_by_no_two_interfaces() -> None:
    names = {device_prefix(name, netns) for name in ("wg0", "wg1", "w0") for netns in ("", "a")}
    assert len(names) == 6
    far = SPEED._replace(minor=FIRST_MINOR + SHARD * DOWN_SHARDS - 1)
    texts = QueueShaper("a" * 15).change([], [far])
    assert all(len(name) <= 15 for name in re.findall(r"link add name (\S+)", texts.devices))
    assert table_name("wg-0") != table_name("wg_0")
    with pytest.raises(InvalidConfig):
        QueueShaper("-x")


def test_addresses_that_share_a_bucket_are_told_apart() -> None:
    many = ["10.8.3.7/32", "10.9.3.7/32", "172.16.3.7/32", "192.168.3.7/32", "100.64.3.7/32"]
    speeds = [Speed(16 + n, None, 1000, (text,)) for n, text in enumerate(many)]
    handles = re.findall(r"handle (103:7:\S+)", change([], speeds).queues)
    assert len(set(handles)) == len(many)


def test_setup_shares_a_clsact_of_others_and_touches_no_root_queue() -> None:
    own, shared = SHAPER.setup(clsact=False), SHAPER.setup(clsact=True)
    assert own.queues == "qdisc add dev wg0 clsact\n" + shared.queues
    assert "root" not in own.queues
    assert all(" egress " in line for line in shared.queues.splitlines())


def test_clearing_names_our_own_preferences_and_devices_alone() -> None:
    behind = SPEED._replace(addresses=("192.168.7.0/24",))
    texts = SHAPER.clear([behind], [f"{device_prefix('wg0')}u00", "ifb0"])
    assert texts.devices == f"link del dev {device_prefix('wg0')}u00\n"
    assert [line.split(" prio ")[1] for line in texts.queues.splitlines()] == [
        "22102",
        "22103",
        "22104",
        "32784",
    ]
    assert "clsact" not in texts.queues
    assert set(re.findall(r"delete table (\S+ \S+)", texts.table)) == {
        "inet vwgs_wg0",
        "netdev vwgs_wg0",
    }


def test_ten_thousand_are_one_text_of_each() -> None:
    speeds = [
        Speed(16 + n, 10_000, 10_000, (f"10.8.{n >> 8}.{n & 255}/32",)) for n in range(10_000)
    ]
    texts = SHAPER.change([], speeds)
    assert texts.queues.count("class add") == 10_000 + SHARD * UP_SHARDS
    assert texts.table.count("add limit") == 10_000 - SHARD * UP_SHARDS
    assert len([line for line in texts.table.splitlines() if "element" in line]) == 4
