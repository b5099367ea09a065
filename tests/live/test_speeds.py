"""Speeds in a real kernel: exact, for both families and directions, and nobody else notices."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from tests.live.conftest import Figure
from tests.live.lab import Client, Lab, Stream, inside
from tests.live.site import put_first
from tests.live.test_link import SERVER4, SERVER6, Bench
from wireguard.runner import LocalRunner
from wireguard.shaper import FIRST_MINOR, SHARD, UP_SHARDS, Speed, shard_of
from wireguard.speeds import LIMITS, QUEUES, Made, Speeds

pytestmark = pytest.mark.wg

PORT = 5301


class Road(Bench):
    """A link in service with two clients: one to be limited, and a bystander."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.client, self.bystander = self.add_client(), self.add_client()
        self.link.bring_up(self.spec(mtu=1380))
        lab.run("ip", "link", "set", "dev", self.name, "txqueuelen", "4000")
        for one in (self.client, self.bystander):
            one.wait_until_reaches(SERVER4)
        self.speeds = Speeds(LocalRunner(), self.name, lab.gateway_netns)

    def limit(self, kbit: int | None, up: int | None = None) -> list[Speed]:
        """The client at this speed, each way."""
        addresses = tuple(f"{ip}/{128 if ':' in ip else 32}" for ip in self.client.tunnel_ips)
        return [Speed(FIRST_MINOR, kbit if up is None else up, kbit, addresses)]

    def crowd(self, number: int, first: int = FIRST_MINOR) -> list[Speed]:
        """Clients who only exist as speeds, IPv4 and IPv6."""
        base4, base6 = ip_address("10.253.0.0"), ip_address("fd25:3::")
        return [
            Speed(minor, 10_000, 10_000, (f"{base4 + minor}/32", f"{base6 + minor}/128"))
            for minor in range(first, first + number)
        ]

    def measure(
        self, *, down: bool, udp_mbit: int = 0, seconds: int = 5, ipv6: bool = False
    ) -> float:
        """Mbit/s of IP packets that reach the receiver, from the first second on."""
        return self.run(self.client, down, udp_mbit, seconds, ipv6)

    def run(
        self,
        who: Client,
        down: bool,
        udp_mbit: int = 0,
        seconds: int = 2,
        ipv6: bool = False,
        towards: tuple[str, str] | None = None,
    ) -> float:
        """The same of any client; ``towards`` is a namespace and an address in it."""
        netns, address = towards or (self.lab.gateway_netns, SERVER6 if ipv6 else SERVER4)
        server = subprocess.Popen(
            ["ip", "netns", "exec", netns, "iperf3", "-s", "-1", "-p", str(PORT)],
            stdout=subprocess.DEVNULL,
        )
        time.sleep(0.3)
        words = ["-u", "-b", f"{udp_mbit}M", "-l", "1200"] if udp_mbit else []
        words += ["-R"] if down else []
        told = inside(
            who.netns, "iperf3", "-J", "-c", address, "-p", str(PORT),
            "-t", str(seconds), *words, check=False,
        )  # fmt: skip
        server.wait(timeout=20)
        answer = json.loads(told)
        assert "error" not in answer, answer["error"]
        payload = float(answer["end"]["sum_received"]["bits_per_second"]) / 1e6
        headers = (40 if ipv6 else 20) + (8 if udp_mbit else 32)
        size = 1200 if udp_mbit else 1380 - headers
        return payload * (size + headers) / size


@pytest.fixture
def road() -> Iterator[Road]:
    with Lab("vws") as lab:
        yield Road(lab)


@contextmanager
def game(road: Road) -> Iterator[Stream]:
    """A bystander's 2,000 packets a second each way, before whatever else wants the processor."""
    pids = [*road.lab.daemon_pids(), *road.lab.daemon_pids(road.bystander.netns)]
    put_first(pids)
    stream = Stream(road.bystander, road.lab.gateway_netns, SERVER4)
    put_first(end.pid for end in stream._ends)
    with stream:
        yield stream


def within_ten_percent(measured: float, mbit: float) -> None:
    assert abs(measured - mbit) <= mbit / 10, f"{measured:.2f} of {mbit} Mbit/s"


@pytest.mark.parametrize("down", [True, False])
def test_a_speed_is_exact_from_the_first_second(road: Road, figure: Figure, down: bool) -> None:
    assert road.measure(down=down, seconds=1) > 30
    assert road.speeds.remake(road.limit(10_000)) == Made(QUEUES)
    for udp in (0, 20):
        measured = road.measure(down=down, udp_mbit=udp, seconds=2)
        figure(f"speeds.10.{'down' if down else 'up'}.{'udp' if udp else 'tcp'}_2s", measured)
        within_ten_percent(measured, 10)


@pytest.mark.alone
@pytest.mark.proof
@pytest.mark.parametrize("mbit", [10, 50])
def test_speeds_are_within_ten_percent_whatever_is_sent(
    road: Road, figure: Figure, mbit: int
) -> None:
    road.speeds.remake(road.limit(mbit * 1000))
    for down in (True, False):
        for udp in (0, mbit * 2):
            for ipv6 in (False, True):
                measured = road.measure(down=down, udp_mbit=udp, ipv6=ipv6)
                name = f"{'down' if down else 'up'}.{'udp' if udp else 'tcp'}"
                figure(f"speeds.{mbit}.{name}.ipv{6 if ipv6 else 4}", measured)
                within_ten_percent(measured, mbit)


@pytest.mark.alone
@pytest.mark.proof
@pytest.mark.parametrize("down", [True, False])
def test_a_limit_in_the_place_of_a_queue_is_exact_in_the_long_run(
    road: Road, figure: Figure, down: bool
) -> None:
    road.speeds._make(LIMITS, road.limit(10_000))
    for udp in (0,) if down else (0, 20):  # what the gateway itself sends is refused, not lost
        measured = road.measure(down=down, udp_mbit=udp, seconds=20)
        figure(f"speeds.limit.10.{'down' if down else 'up'}.{'udp' if udp else 'tcp'}", measured)
        within_ten_percent(measured, 10)


@pytest.mark.parametrize("down", [True, False])
def test_what_the_gateway_passes_on_is_limited_too(road: Road, down: bool) -> None:
    road.speeds.remake(road.limit(10_000))
    beyond = road.lab.beyond_netns, road.lab.beyond_ip
    for udp in (0, 20):
        within_ten_percent(road.run(road.client, down, udp, towards=beyond), 10)


def test_between_two_clients_the_slower_speed_counts(road: Road) -> None:
    own = road.limit(10_000)
    theirs = tuple(f"{ip}/{128 if ':' in ip else 32}" for ip in road.bystander.tunnel_ips)
    road.speeds.remake([*own, Speed(FIRST_MINOR + 1, None, 5_000, theirs)])
    for ipv6 in (False, True):
        address = road.bystander.tunnel_ips[int(ipv6)]
        there = road.bystander.netns, address
        within_ten_percent(road.run(road.client, False, 20, ipv6=ipv6, towards=there), 5)


def test_changed_and_ended_speeds_hold_at_once(road: Road) -> None:
    slow, fast = road.limit(2_000), road.limit(20_000)
    road.speeds.remake(slow)
    within_ten_percent(road.measure(down=True, seconds=2), 2)
    road.speeds.change(QUEUES, slow, fast, shards=[0])
    within_ten_percent(road.measure(down=True, seconds=2), 20)
    within_ten_percent(road.measure(down=False, seconds=2), 20)
    road.speeds.change(QUEUES, fast, [], shards=[0])
    assert road.measure(down=True, seconds=1) > 30
    assert road.measure(down=False, seconds=1) > 30


def test_a_game_beside_a_full_queue_waits_for_a_moment_only(road: Road, figure: Figure) -> None:
    road.speeds.remake(road.limit(10_000))
    server = road.lab.gateway_netns
    argv = ["ip", "netns", "exec", server, "ping", "-n", "-i", "0.05", "-w", "3"]
    ping = subprocess.Popen([*argv, road.client.tunnel_ips[0]], stdout=subprocess.PIPE, text=True)
    within_ten_percent(road.measure(down=True, seconds=2), 10)
    waits = [float(ms) for ms in re.findall(r"time=([0-9.]+)", ping.communicate(timeout=20)[0])]
    figure("speeds.ping_beside_tcp_median_ms", statistics.median(waits))
    figure("speeds.ping_beside_tcp_max_ms", max(waits))
    assert len(waits) > 40
    assert max(waits) < 500


@pytest.mark.alone
@pytest.mark.parametrize("speeds", [20, pytest.param(200, marks=pytest.mark.proof)])
def test_speeds_of_others_come_change_and_go_and_a_bystander_loses_nothing(
    road: Road, figure: Figure, speeds: int
) -> None:
    road.speeds.remake(road.limit(10_000))
    number = FIRST_MINOR + 1
    with game(road) as stream:
        begin = time.monotonic()
        for one in road.crowd(speeds, first=number):
            changed = one._replace(up_kbit=5_000, down_kbit=20_000)
            moved = changed._replace(addresses=(f"10.254.0.{one.minor & 255}/32",))
            road.speeds.change(QUEUES, [], [one], shards=[0])
            road.speeds.change(QUEUES, [one], [changed], shards=[0])
            road.speeds.change(QUEUES, [changed], [moved], shards=[0])
            road.speeds.change(QUEUES, [moved], [], shards=[0])
        took = time.monotonic() - begin
    figure(f"speeds.bystander.{speeds}.packets", stream.result.up.sent + stream.result.down.sent)
    figure(f"speeds.bystander.{speeds}.lost", stream.result.lost)
    figure(f"speeds.change_ms.{speeds}", took / speeds / 4 * 1000)
    assert stream.result.lost == 0, stream.result


@pytest.mark.alone
@pytest.mark.proof
def test_what_a_bystander_loses_when_the_first_speed_is_set_up(road: Road, figure: Figure) -> None:
    """Once in the life of a link: adding clsact, Linux stops the device for a moment."""
    with game(road) as stream:
        for _ in range(20):
            road.speeds.remake(road.limit(10_000))
            road.speeds.clear(road.limit(10_000))
            road.lab.run("tc", "qdisc", "del", "dev", road.name, "clsact")
    figure("speeds.setups", 20)
    figure("speeds.setups.lost", stream.result.lost)
    assert stream.result.lost <= 20


@pytest.mark.alone
@pytest.mark.proof
def test_a_bystander_is_as_fast_as_before(road: Road, figure: Figure) -> None:
    runs: dict[str, list[float]] = {"alone": [], "beside": []}
    crowd = [*road.limit(10_000), *road.crowd(999, first=FIRST_MINOR + 1)]
    for _ in range(3):
        for name in runs:
            road.speeds.clear(crowd)
            if name == "beside":
                road.speeds.remake(crowd)
            for down in (True, False):
                runs[name].append(road.run(road.bystander, down, seconds=3))
    for name, found in runs.items():
        figure(f"speeds.bystander_mbit.{name}", max(found))
    assert max(runs["beside"]) > max(runs["alone"]) * 0.7


@pytest.mark.alone
@pytest.mark.proof
@pytest.mark.parametrize(("number", "within_s"), [(1_000, 1.0), (10_000, 2.0)])
def test_thousands_of_speeds_load_in_two_seconds(
    road: Road, figure: Figure, number: int, within_s: float
) -> None:
    crowd = road.crowd(number)
    begin = time.monotonic()
    road.speeds.remake(crowd)
    took = time.monotonic() - begin
    figure(f"speeds.load_{number}_s", took)
    one = road.crowd(1, first=FIRST_MINOR + number)
    faster = [one[0]._replace(up_kbit=20_000, down_kbit=20_000)]
    kept = {shard_of(speed.minor) for speed in crowd}
    for name, before, after in (("add", [], one), ("change", one, faster), ("end", faster, [])):
        began = time.monotonic()
        road.speeds.change(QUEUES, before, after, shards=kept)
        figure(f"speeds.{name}_one_of_{number}_ms", (time.monotonic() - began) * 1000)
    began = time.monotonic()
    assert road.speeds.intact(QUEUES)
    figure(f"speeds.look_at_{number}_ms", (time.monotonic() - began) * 1000)
    began = time.monotonic()
    road.speeds.clear(crowd)
    figure(f"speeds.clear_{number}_s", time.monotonic() - began)
    assert took <= within_s


def test_beyond_the_queues_uploads_are_limited_all_the_same(road: Road) -> None:
    speed = road.limit(5_000)[0]._replace(minor=FIRST_MINOR + SHARD * UP_SHARDS)
    road.speeds.remake([speed])
    within_ten_percent(road.measure(down=True, seconds=2), 5)
    assert road.measure(down=False, seconds=4) < 5 * 1.6


def test_nothing_of_an_operators_is_touched(road: Road) -> None:
    run, name = road.lab.run, road.name
    run("tc", "qdisc", "add", "dev", name, "root", "handle", "9:", "htb", "default", "1")
    run("tc", "qdisc", "add", "dev", name, "clsact")
    own = ["filter", "add", "dev", name, "egress", "protocol", "ip", "prio", "5", "u32"]
    run("tc", *own, "match", "ip", "dst", "203.0.113.9/32", "flowid", "9:1")
    run("nft", "-f", "-", stdin="table inet others { chain c { type filter hook forward "
        "priority 0; policy accept; }; }\n")  # fmt: skip
    run("ip", "link", "add", "ifb9", "type", "ifb")

    def seen() -> list[str]:
        return [
            re.sub(r"stat \d+", "", run("tc", "qdisc", "show", "dev", name)),
            run("tc", "filter", "show", "dev", name, "egress", "prio", "5"),
            run("nft", "list", "table", "inet", "others"),
            run("ip", "-br", "link", "show", "ifb9"),
        ]

    before = seen()
    assert road.speeds.remake(road.limit(10_000)) == Made(QUEUES)
    assert seen() == before
    within_ten_percent(road.measure(down=True, seconds=2), 10)
    road.speeds.clear(road.limit(10_000))
    assert seen() == before


def test_beside_an_ingress_qdisc_of_others_limits_drop_and_say_why(road: Road) -> None:
    road.lab.run("tc", "qdisc", "add", "dev", road.name, "ingress")
    made = road.speeds.remake(road.limit(10_000))
    assert made.means == LIMITS
    assert "ingress qdisc" in made.reason
    assert road.measure(down=True, seconds=4) < 15
    assert "ingress" in road.lab.run("tc", "qdisc", "show", "dev", road.name)
    assert road.speeds.intact(LIMITS)


LOSSES = {
    "nftables": "nft flush ruleset",
    "a table": "nft delete table netdev {table}",
    "filters": "tc filter del dev {name} egress",
    "clsact": "tc qdisc del dev {name} clsact",
    "a queue": "tc qdisc del dev {ifb} root",
}


@pytest.mark.parametrize("what", list(LOSSES))
def test_what_others_remove_is_seen_and_made_again(road: Road, what: str) -> None:
    speeds = road.limit(10_000)
    road.speeds.remake(speeds)
    assert road.speeds.intact(QUEUES)
    words = LOSSES[what].format(
        table=road.speeds._table, name=road.name, ifb=f"{road.speeds._prefix}d00"
    )
    road.lab.run(*words.split())
    assert not road.speeds.intact(QUEUES)
    road.speeds.remake(speeds, speeds)
    assert road.speeds.intact(QUEUES)
    within_ten_percent(road.measure(down=False, seconds=2), 10)


def test_all_of_it_goes_and_can_go_twice(road: Road) -> None:
    crowd = [*road.limit(10_000), *road.crowd(600, first=FIRST_MINOR + 1)]
    behind = crowd[5]._replace(minor=5000, addresses=("192.168.77.0/24", "fd77:7::/64"))
    before = road.lab.run("ip", "-br", "link"), road.lab.run("nft", "list", "ruleset")
    road.speeds.remake([*crowd, behind])
    road.speeds.clear([*crowd, behind])
    road.speeds.clear([*crowd, behind])
    assert (road.lab.run("ip", "-br", "link"), road.lab.run("nft", "list", "ruleset")) == before
    assert road.lab.run("tc", "filter", "show", "dev", road.name, "egress") == ""
    road.speeds.remake([*crowd, behind], crowd)
    road.speeds.remake([*crowd, behind], crowd)
    road.link.bring_down(road.spec(mtu=1380))
    road.speeds.clear([*crowd, behind])
    assert "ifb" not in road.lab.run("ip", "-details", "link")
