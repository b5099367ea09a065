"""The firewall table in a real kernel: what it lets through, and that it is all our own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

import pytest

from tests.live.lab import Lab, Stream, inside
from tests.live.test_link import SERVER4, Bench
from wireguard import firewall
from wireguard.errors import CommandMissing, DriverForbidden, DriverRejected
from wireguard.host import (
    command_prefix,
    default_route_address,
    enable_forwarding,
    forwarding,
    kernel_wireguard_available,
    netns_id,
)
from wireguard.link import LinkSpec
from wireguard.runner import LocalRunner

pytestmark = pytest.mark.wg

RUNNER = LocalRunner()
NETS4 = [IPv4Network("10.252.0.0/16")]
NETS6 = [IPv6Network("fd25:2::/64")]
OTHERS = "table inet others { chain c { type filter hook forward priority 0; policy drop; }; }"


_NO_ICMP_ERRORS = """table inet noicmp { chain c { type filter hook output priority 0;
icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }
"""


def inside_python(netns: str, program: str) -> subprocess.Popen[str]:
    """Run a small program in a namespace."""
    argv = ["ip", "netns", "exec", netns, sys.executable, "-c", program]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("vwb") as lab:
        yield lab


@pytest.fixture
def prefix(lab: Lab) -> tuple[str, ...]:
    return command_prefix(lab.gateway_netns)


def _table(*, nat: bool = True, forward: bool = True, isolate: bool = False) -> str:
    name = firewall.table_name("wg0")
    return firewall.render_table(name, "wg0", NETS4, NETS6, nat, forward, isolate)


@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("nat", [True, False])
def test_nft_takes_every_table_and_loading_again_changes_nothing(
    lab: Lab, prefix: tuple[str, ...], nat: bool, forward: bool, isolate: bool
) -> None:
    text = _table(nat=nat, forward=forward, isolate=isolate)
    firewall.load(RUNNER, text, prefix)
    first = lab.run("nft", "list", "ruleset")
    firewall.load(RUNNER, text, prefix)
    assert lab.run("nft", "list", "ruleset") == first
    assert f"table inet {firewall.table_name('wg0')}" in first
    firewall.remove(RUNNER, "wg0", prefix)
    assert lab.run("nft", "list", "ruleset") == ""
    firewall.remove(RUNNER, "wg0", prefix)


@pytest.mark.parametrize("interface", ["wg-0", "wg_0", "wg.0", "a=b+c.d-e_f"])
def test_unusual_names_have_tables_of_their_own(
    lab: Lab, prefix: tuple[str, ...], interface: str
) -> None:
    name = firewall.table_name(interface)
    firewall.load(RUNNER, firewall.render_table(name, interface, NETS4, NETS6, True, True), prefix)
    assert lab.run("nft", "list", "tables") == f"table inet {name}\n"


def test_nothing_of_others_is_touched(lab: Lab, prefix: tuple[str, ...]) -> None:
    lab.run("nft", "-f", "-", stdin=OTHERS)
    before = lab.run("nft", "list", "ruleset")
    firewall.load(RUNNER, _table(), prefix)
    firewall.remove(RUNNER, "wg0", prefix)
    assert lab.run("nft", "list", "ruleset") == before


def test_a_refused_table_leaves_the_old_one(lab: Lab, prefix: tuple[str, ...]) -> None:
    firewall.load(RUNNER, _table(), prefix)
    before = lab.run("nft", "list", "ruleset")
    broken = _table().replace("masquerade", "masquerade nonsense", 1)
    with pytest.raises(DriverRejected, match=r"^firewall: "):
        firewall.load(RUNNER, broken, prefix)
    assert lab.run("nft", "list", "ruleset") == before


def test_a_chain_that_drops_what_we_accept_is_named(lab: Lab, prefix: tuple[str, ...]) -> None:
    firewall.load(RUNNER, _table(), prefix)
    assert firewall.dropping_chains(RUNNER, prefix) == ()
    lab.run("nft", "-f", "-", stdin=OTHERS)
    assert firewall.dropping_chains(RUNNER, prefix) == ("inet others c",)


def test_without_rights_the_error_says_what_to_give(lab: Lab) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with pytest.raises(DriverForbidden, match="CAP_NET_ADMIN"):
        firewall.load(RUNNER, _table(), nobody)


def test_a_host_without_nft_is_told_so(
    lab: Lab, prefix: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    with monkeypatch.context() as patch:  # the laboratory needs its PATH again
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(CommandMissing, match="nft"):
            firewall.load(RUNNER, _table())


def test_reloading_the_table_loses_no_packet_on_its_way_through_nat(lab: Lab) -> None:
    bench = Bench(lab)
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(lab.beyond_ip)
    ping = client.start_ping(lab.beyond_ip, interval=0.002)
    for _ in range(10):
        bench.link.refresh(bench.spec())
        time.sleep(0.02)
    result = ping.stop()
    assert result.sent > 50
    assert result.received == result.sent


def test_clients_reach_each_other_unless_they_are_isolated(lab: Lab) -> None:
    bench = Bench(lab)
    first, second = bench.add_client(), bench.add_client()
    spec = bench.spec()
    bench.link.bring_up(spec)
    assert second.ping(SERVER4) == 3
    for address in second.tunnel_ips:
        assert first.ping(address) == 3
    bench.link.refresh(LinkSpec(name=spec.name, device=spec.device, stamp=spec.stamp, isolate=True))
    for address in second.tunnel_ips:
        assert first.ping(address, count=2, wait=0.3) == 0
    assert first.ping(SERVER4) == 3
    assert first.ping(lab.beyond_ip) == 3


def test_big_segments_fit_through_the_tunnel(lab: Lab) -> None:
    """A download from a host that never hears of the smaller MTU, because ICMP is filtered."""
    bench = Bench(lab)
    client = bench.add_client()
    bench.link.bring_up(bench.spec(mtu=1380))
    lab.run("nft", "-f", "-", stdin=_NO_ICMP_ERRORS)
    client.wait_until_reaches(lab.beyond_ip)
    inside(client.netns, "ip", "link", "set", client.interface, "mtu", "1500")
    program = """
import socket, sys
with socket.create_server(("10.99.1.2", 8080)) as server:
    print("ready", flush=True)
    connection, _ = server.accept()
    with connection:
        connection.sendall(bytes(200_000))
"""
    fetch = """
import socket
with socket.create_connection(("10.99.1.2", 8080), timeout=5) as connection:
    total = 0
    while data := connection.recv(65536):
        total += len(data)
print(total)
"""
    server = inside_python(lab.beyond_netns, program)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    answer, _ = inside_python(client.netns, fetch).communicate(timeout=20)
    server.communicate(timeout=10)
    assert answer == "200000\n"


def test_a_stream_through_nat_loses_nothing(lab: Lab) -> None:
    bench = Bench(lab)
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(SERVER4)
    with Stream(client, lab.gateway_netns, SERVER4, rate=500) as stream:
        assert client.ping(lab.beyond_ip, count=20, interval=0.01) == 20
    assert stream.result.lost == 0


def test_forwarding_keeps_the_default_route_of_router_advertisements(
    lab: Lab, prefix: tuple[str, ...]
) -> None:
    uplink = "net/ipv6/conf/up0/accept_ra"
    other = "net/ipv6/conf/br0/accept_ra"
    # A new namespace takes IPv4 forwarding over from a host that forwards.
    lab.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
    assert forwarding(RUNNER, prefix) == (False, False)
    assert lab.run("sysctl", "-n", uplink).strip() == "1"
    enable_forwarding(RUNNER, prefix)
    assert forwarding(RUNNER, prefix) == (True, True)
    assert lab.run("sysctl", "-n", uplink).strip() == "2"
    assert lab.run("sysctl", "-n", other).strip() == "1"
    enable_forwarding(RUNNER, prefix)


def test_only_the_families_in_use_are_forwarded(lab: Lab, prefix: tuple[str, ...]) -> None:
    enable_forwarding(RUNNER, prefix, ipv6=False)
    assert forwarding(RUNNER, prefix) == (True, False)


def test_clients_dial_the_address_of_the_default_route(lab: Lab, prefix: tuple[str, ...]) -> None:
    assert default_route_address(RUNNER, prefix) == "10.99.1.1"
    assert default_route_address(RUNNER, prefix, ipv6=True) == "fd99:1::1"
    assert default_route_address(RUNNER, command_prefix(lab.beyond_netns)) is None


def test_a_namespace_has_one_number(lab: Lab) -> None:
    ours = lab.run("stat", "-Lc", "%i", "/proc/self/ns/net").strip()
    assert netns_id(lab.gateway_netns) == int(ours)
    assert netns_id() != netns_id(lab.gateway_netns)


def test_the_kernel_is_asked_by_a_real_try(lab: Lab, prefix: tuple[str, ...]) -> None:
    before = json.loads(lab.run("ip", "-json", "link"))
    can = kernel_wireguard_available(RUNNER, prefix)
    tried = inside(
        lab.beyond_netns, "sh", "-c", "ip link add try type wireguard && echo yes", check=False
    )
    assert can == (tried == "yes\n")
    assert kernel_wireguard_available(RUNNER, prefix, kind="veth") is True
    assert kernel_wireguard_available(RUNNER, prefix, kind="nonsense") is False
    assert json.loads(lab.run("ip", "-json", "link")) == before
