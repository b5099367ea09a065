"""The link on a real host: wireguard-go in namespaces, real packets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.lab import ROOT, SOCKETS, Client, Lab, Stream, generate_keys, inside, is_alive, sh
from wireguard import firewall
from wireguard.errors import DriverError, DriverRejected, DriverUnavailable, InterfaceMissing
from wireguard.link import ForeignInterface, Link, LinkSpec, Outcome
from wireguard.runner import Completed, LocalRunner
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret

pytestmark = pytest.mark.wg

PORT = 51820
SERVER4, SERVER6 = "10.252.0.1", "fd25:2::1"
ADDRESSES = (f"{SERVER4}/16", f"{SERVER6}/64")


SHUT = """table inet shut { chain in { type filter hook input priority 0; iif eth0 drop; };
chain out { type filter hook output priority 0; oif eth0 drop; }; }
"""


class Bench:
    """A laboratory with a link under test and the customers' keys."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.name = lab.unique_name()
        self.stamp = str(uuid.uuid4())
        self.private, self.public = generate_keys()
        self.link = Link(LocalRunner(), self.name, netns=lab.gateway_netns)
        self.peers: list[PeerConfig] = []

    def spec(self, **changes: object) -> LinkSpec:
        fields: dict[str, object] = {
            "private_key": Secret(self.private),
            "listen_port": PORT,
            "addresses": ADDRESSES,
            **changes,
        }
        interface = InterfaceConfig(**fields)  # type: ignore[arg-type]
        return LinkSpec(
            name=self.name,
            device=DeviceConfig(interface, tuple(self.peers)),
            stamp=self.stamp,
        )

    def add_client(self, keepalive: int = 0, *routed: str) -> Client:
        number = 100 + len(self.peers)
        own = (f"10.252.1.{number}/32", f"fd25:2::{number}/128")
        client = self.lab.add_client(
            server_key=self.public, port=PORT, addresses=own, keepalive=keepalive
        )
        self.peers.append(PeerConfig(client.public_key, (*sorted(own), *routed)))
        return client

    def endpoint(self, client: Client) -> dict[str, tuple[str, int]]:
        for line in self.lab.run("wg", "show", self.name, "endpoints").splitlines():
            key, _, where = line.partition("\t")
            if key == client.public_key:
                host, _, port = where.rpartition(":")
                return {key: (host.strip("[]"), int(port))}
        raise AssertionError("the client has no endpoint")

    def remains(self) -> list[str]:
        """Whatever is left of the interface on the machine."""
        left = [str(pid) for pid in self.lab.daemon_pids()]
        if (SOCKETS / f"{self.name}.sock").exists():
            left.append("socket")
        links = self.lab.run("ip", "-json", "link", "show")
        left += [link["ifname"] for link in json.loads(links) if link["ifname"] == self.name]
        return left + self.lab.run("nft", "list", "tables").split()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Lab("vwb") as lab:
        yield Bench(lab)


def test_bring_up_gives_addresses_of_both_families_mtu_stamp_and_port(bench: Bench) -> None:
    assert bench.link.state().exists is False
    assert bench.link.bring_up(bench.spec(mtu=1380, fwmark=51966)) is Outcome.CREATED
    state = bench.link.state()
    assert state.exists
    assert state.is_wireguard
    assert state.up
    assert state.backend == "userspace"
    assert state.mtu == 1380
    assert state.stamp == bench.stamp
    assert state.unfinished is None
    assert set(state.addresses) == set(ADDRESSES)
    assert bench.lab.run("wg", "show", bench.name, "listen-port").strip() == str(PORT)
    assert bench.lab.run("wg", "show", bench.name, "fwmark").strip() == "0xcafe"


def test_a_client_reaches_the_gateway_and_through_nat_the_host_beyond(bench: Bench) -> None:
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    for address in (SERVER4, SERVER6, bench.lab.beyond_ip, bench.lab.beyond_ip6):
        assert client.ping(address) == 3, address
    assert client.handshakes()[bench.public] > 0
    assert all(count > 0 for count in client.counters()[bench.public])


def test_without_nat_the_host_beyond_cannot_answer(bench: Bench) -> None:
    """The control of the test above: it is NAT that lets the client out."""
    client = bench.add_client()
    spec = bench.spec()
    bench.link.bring_up(LinkSpec(name=spec.name, device=spec.device, stamp=spec.stamp, nat=False))
    assert client.ping(SERVER4) == 3
    assert client.ping(bench.lab.beyond_ip, count=2, wait=0.3) == 0
    assert client.ping(bench.lab.beyond_ip6, count=2, wait=0.3) == 0


def test_a_second_bring_up_does_nothing_and_no_packet_is_lost(bench: Bench) -> None:
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    before, pids = bench.link.state(), bench.lab.daemon_pids()
    assert client.ping(SERVER4) == 3
    ping = client.start_ping(SERVER4, interval=0.002)
    for _ in range(10):
        assert bench.link.bring_up(bench.spec(mtu=1300)) is Outcome.ALREADY
    result = ping.stop()
    assert result.sent > 50
    assert result.received == result.sent
    assert bench.link.state() == before
    assert bench.lab.daemon_pids() == pids


def _footprint(bench: Bench) -> tuple[str, str, str, str]:
    """All that a foreign interface could lose."""
    return (
        bench.lab.run("ip", "-details", "address", "show", "dev", bench.name),
        bench.lab.run("wg", "showconf", bench.name),
        bench.lab.run("nft", "list", "ruleset"),
        bench.lab.run("sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"),
    )


@pytest.mark.parametrize("alias", ["", "office tunnel", f"vwg:{uuid.uuid4()}"])
def test_a_foreign_interface_is_refused_and_untouched(bench: Bench, alias: str) -> None:
    inside(bench.lab.gateway_netns, "wireguard-go", bench.name)
    bench.lab.run("wg", "set", bench.name, "listen-port", "4444")
    if alias:
        bench.lab.run("ip", "link", "set", "dev", bench.name, "alias", alias)
    before = _footprint(bench)
    with pytest.raises(ForeignInterface):
        bench.link.bring_up(bench.spec())
    with pytest.raises(ForeignInterface):
        bench.link.bring_down(bench.spec())
    if not alias.startswith("vwg:"):
        for write in (
            lambda: bench.link.set_mtu(1300),
            lambda: bench.link.refresh(bench.spec()),
            lambda: bench.link.bring_down(),
        ):
            with pytest.raises(ForeignInterface):
                write()
    assert _footprint(bench) == before


def test_an_adopted_interface_is_ours(bench: Bench) -> None:
    inside(bench.lab.gateway_netns, "wireguard-go", bench.name)
    bench.link.stamp(bench.stamp)
    assert bench.link.state().stamp == bench.stamp
    bench.link.set_mtu(1400)
    assert bench.link.state().mtu == 1400


def test_what_is_no_wireguard_is_not_adopted(bench: Bench) -> None:
    bridge = Link(LocalRunner(), "br0", netns=bench.lab.gateway_netns)
    assert bridge.state().exists
    assert bridge.state().is_wireguard is False
    with pytest.raises(InterfaceMissing):
        bridge.stamp(bench.stamp)
    assert bridge.state().alias == ""


class Failing:
    """Runs commands, but breaks the first whose words contain ``what``."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._runner = LocalRunner()

    def run(
        self,
        argv: object,
        *,
        stdin: bytes = b"",
        timeout: float = 5.0,
        pass_fds: object = (),
    ) -> Completed:
        words = list(argv)  # type: ignore[call-overload]
        if self._what and self._what in " ".join(words):
            self._what = ""
            return Completed(1, b"", b"broken on purpose")
        return self._runner.run(words, stdin=stdin, timeout=timeout)


@pytest.mark.parametrize(
    ("broken", "step"),
    [
        ("alias vwg~", "stamp"),
        ("syncconf", "load"),
        ("ip -batch", "addresses"),
        (" mtu ", "mtu"),
        ("nft -f", "firewall"),
        ("link set dev NAME up", "up"),
        ("/bin/sh -c exit 3", "PostUp hook 1"),
        ("alias vwg:", "stamp"),
    ],
)
def test_a_failed_bring_up_names_its_step_and_leaves_nothing(
    bench: Bench, broken: str, step: str
) -> None:
    client = bench.add_client()
    link = Link(
        Failing(broken.replace("NAME", bench.name)), bench.name, netns=bench.lab.gateway_netns
    )
    hooks = {"post_up": ("exit 3",)} if "sh -c" in broken else {}
    with pytest.raises(DriverRejected, match=rf"^{step}: "):
        link.bring_up(bench.spec(**hooks), {client.public_key: (client.underlay_ip, 4711)})
    assert bench.remains() == []


def test_a_failed_bring_up_runs_down_hooks_only_if_up_hooks_began(
    bench: Bench, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    hooks = {
        "pre_up": (f"echo preup %i >> {note}",),
        "pre_down": (f"echo predown >> {note}",),
        "post_down": (f"echo postdown >> {note}",),
    }
    link = Link(Failing("syncconf"), bench.name, netns=bench.lab.gateway_netns)
    with pytest.raises(DriverRejected):
        link.bring_up(bench.spec(**hooks))
    assert note.read_text() == f"preup {bench.name}\n"
    note.unlink()
    with pytest.raises(DriverRejected, match="PostUp hook 1"):
        bench.link.bring_up(bench.spec(**hooks, post_up=("echo no >&2; false",)))
    assert note.read_text() == f"preup {bench.name}\npredown\npostdown\n"


def test_hooks_run_in_the_order_of_wg_quick(bench: Bench, tmp_path: Path) -> None:
    note = tmp_path / "note"
    flag = "ip -json link show dev %i 2>/dev/null | grep -c '\"UP\"'"
    hooks = {
        key: (f"echo {key} $({flag}) >> {note}",)
        for key in ("pre_up", "post_up", "pre_down", "post_down")
    }
    bench.link.bring_up(bench.spec(**hooks))
    bench.link.bring_down(bench.spec(**hooks))
    assert note.read_text().split() == [
        *("pre_up", "0", "post_up", "1", "pre_down", "1", "post_down", "0")
    ]
    assert bench.remains() == []


def test_a_bring_up_that_was_killed_half_way_is_done_again(bench: Bench) -> None:
    """The unfinished stamp tells a half-made link from a foreign one and from one in service."""
    inside(bench.lab.gateway_netns, "wireguard-go", bench.name)
    bench.lab.run("ip", "link", "set", "dev", bench.name, "alias", f"vwg~{bench.stamp}")
    assert bench.link.state().unfinished == bench.stamp
    client = bench.add_client()
    assert bench.link.bring_up(bench.spec()) is Outcome.CREATED
    assert bench.link.state().stamp == bench.stamp
    assert client.ping(SERVER4) == 3


def test_a_link_of_ours_that_was_set_down_comes_back_with_its_counters(bench: Bench) -> None:
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    assert client.ping(SERVER4) == 3
    before = bench.lab.run("wg", "show", bench.name, "transfer").split()
    bench.lab.run("ip", "link", "set", "dev", bench.name, "down")
    assert bench.link.bring_up(bench.spec()) is Outcome.REVIVED
    after = bench.lab.run("wg", "show", bench.name, "transfer").split()
    assert int(after[1]) >= int(before[1]) > 0
    assert set(bench.link.state().addresses) == set(ADDRESSES)
    client.wait_until_reaches(SERVER6)


def test_the_tunnel_survives_the_death_of_the_process_that_made_it(
    bench: Bench, tmp_path: Path
) -> None:
    client = bench.add_client()
    held = tmp_path / "held"
    program = f"""
import os, signal
from wireguard.link import Link, LinkSpec
from wireguard.runner import LocalRunner
from wireguard.types import DeviceConfig, InterfaceConfig, PeerConfig, Secret
os.set_inheritable(os.open({str(held)!r}, os.O_RDWR | os.O_CREAT), True)
peer = PeerConfig({client.public_key!r}, {bench.peers[0].allowed_ips!r})
spec = LinkSpec(
    name={bench.name!r}, stamp={bench.stamp!r},
    device=DeviceConfig(
        InterfaceConfig(Secret({bench.private!r}), {PORT}, addresses={ADDRESSES!r}), (peer,)
    ),
)
Link(LocalRunner(), {bench.name!r}, {bench.lab.gateway_netns!r}).bring_up(spec)
os.killpg(0, signal.SIGKILL)
"""
    starter = subprocess.run(  # would not return while somebody held its output
        [sys.executable, "-"],
        input=program,
        capture_output=True,
        text=True,
        cwd=ROOT,
        start_new_session=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert starter.returncode == -signal.SIGKILL, starter.stderr
    [pid] = bench.lab.daemon_pids()
    process = Path(f"/proc/{pid}")
    assert os.getsid(pid) != os.getsid(0)
    assert (process / "cwd").readlink() == Path("/")
    assert {(process / "fd" / n).readlink() for n in "012"} == {Path("/dev/null")}
    assert held not in {link.readlink() for link in (process / "fd").iterdir()}
    assert client.ping(SERVER4) == 3
    assert bench.link.bring_up(bench.spec()) is Outcome.ALREADY


def test_bring_down_leaves_nothing(bench: Bench) -> None:
    bench.link.bring_up(bench.spec())
    assert bench.remains() != []
    assert bench.link.bring_down(bench.spec()) is True
    assert bench.remains() == []
    assert bench.link.bring_down(bench.spec()) is False
    assert bench.link.bring_down() is False


def test_bring_down_ends_a_daemon_that_hangs(bench: Bench) -> None:
    bench.link.bring_up(bench.spec())
    [pid] = bench.lab.daemon_pids()
    os.kill(pid, signal.SIGSTOP)
    assert bench.link.state().stamp == bench.stamp
    assert bench.link.bring_down() is True
    assert bench.remains() == []


def test_bring_up_follows_the_death_of_the_daemon(bench: Bench) -> None:
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    [pid] = bench.lab.daemon_pids()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while bench.link.state().exists and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bench.link.state().exists is False
    bench.stamp = str(uuid.uuid4())
    assert bench.link.bring_up(bench.spec()) is Outcome.CREATED
    assert client.ping(SERVER4) == 3


def test_networks_behind_devices_are_routed_and_a_default_route_is_not(bench: Bench) -> None:
    site = bench.add_client(0, "192.168.77.0/24", "fd77::/64", "0.0.0.0/0")
    bench.lab._addresses(site.netns, "lo", "192.168.77.1/32", "fd77::1/128")
    bench.link.bring_up(bench.spec())
    assert bench.lab.run("ip", "route", "show", "default").startswith("default via 10.99.1.2")
    site.wait_until_reaches(SERVER4)
    for address in ("192.168.77.1", "fd77::1"):
        output = bench.lab.run("ping", "-n", "-q", "-c", "2", "-i", "0.05", "-W", "1", address)
        assert "2 received" in output
    device = bench.spec().device
    bare = PeerConfig(site.public_key, ("192.168.78.0/24",))
    bench.link.set_routes(DeviceConfig(device.interface, (bare,)))
    routes = bench.lab.run("ip", "route", "show", "dev", bench.name)
    assert "192.168.78.0/24" in routes
    assert "192.168.77.0/24" not in routes
    assert "10.252.0.0/16" in routes


def test_table_off_makes_no_routes(bench: Bench) -> None:
    bench.add_client(0, "192.168.77.0/24")
    bench.link.bring_up(bench.spec(table="off"))
    assert "192.168.77" not in bench.lab.run("ip", "route", "show", "table", "all")


def test_mtu_and_addresses_change_without_a_lost_packet(bench: Bench) -> None:
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(SERVER4)
    with Stream(client, bench.lab.gateway_netns, SERVER4) as stream:
        time.sleep(0.5)
        for mtu in (1400, 1350, 1420):
            bench.link.set_mtu(mtu)
        bench.link.refresh(bench.spec(addresses=(*ADDRESSES, "10.252.0.2/16")))
        bench.link.refresh(bench.spec())
        time.sleep(0.5)
    assert stream.result.lost == 0
    assert set(bench.link.state().addresses) == set(ADDRESSES)


def test_the_first_address_of_a_network_goes_without_the_others(bench: Bench) -> None:
    """Linux takes the other addresses of a network away with its first one."""
    bench.link.bring_up(bench.spec())
    bench.link.refresh(bench.spec(addresses=("10.252.0.9/16", ADDRESSES[1])))
    assert set(bench.link.state().addresses) == {"10.252.0.9/16", ADDRESSES[1]}
    assert "10.252.0.0/16" in bench.lab.run("ip", "route", "show", "dev", bench.name)


def _outage_of_restart(bench: Bench, client: Client, *, given_back: bool) -> float:
    """Seconds without an answer around a restart of the interface, for a client that talks."""
    spec = bench.spec()
    bench.link.bring_up(spec)
    client.wait_until_reaches(SERVER4, within_s=30)
    with Stream(client, bench.lab.gateway_netns, SERVER4, rate=200) as stream:
        time.sleep(0.5)
        endpoints = bench.endpoint(client) if given_back else {}
        bench.link.bring_down(spec)
        bench.link.bring_up(spec, endpoints)
        time.sleep(1.5 if given_back else 20.0)
    return max(stream.result.up.longest_gap_s, stream.result.down.longest_gap_s)


@pytest.mark.parametrize("keepalive", [None, 20])
def test_a_restart_that_gives_endpoints_back_is_short_and_leaves_no_drift(
    bench: Bench, keepalive: int | None
) -> None:
    client = bench.add_client()
    bench.peers[0] = bench.peers[0]._replace(persistent_keepalive=keepalive)
    outage = _outage_of_restart(bench, client, given_back=True)
    print(f"\noutage of a restart, endpoints given back: {outage:.3f} s")
    assert outage <= 0.5
    keepalives = bench.lab.run("wg", "show", bench.name, "persistent-keepalive")
    assert keepalives.split() == [client.public_key, str(keepalive or "off")]


def test_a_client_that_only_asks_is_woken_after_a_restart(bench: Bench) -> None:
    """Nothing goes down to it, so that only the waking can begin its new session."""
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(SERVER4)
    endpoints = bench.endpoint(client)
    bench.link.bring_down(bench.spec())
    bench.link.bring_up(bench.spec(), endpoints)
    assert client.wait_until_reaches(SERVER4) < 1.0


@pytest.mark.proof
def test_a_restart_without_endpoints_is_long(bench: Bench) -> None:
    """Why endpoints are given back: the client must first give its old session up."""
    client = bench.add_client()
    outage = _outage_of_restart(bench, client, given_back=False)
    print(f"\noutage of a restart, endpoints not given back: {outage:.1f} s")
    assert outage > 5


def test_the_laboratory_loses_no_packet_by_itself(bench: Bench) -> None:
    """The control run of every test that counts packets: nothing happens, nothing is lost."""
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(SERVER4)
    seconds = float(os.environ.get("VWG_CONTROL_S", "5"))
    with Stream(client, bench.lab.gateway_netns, SERVER4) as stream:
        time.sleep(seconds)
    result = stream.result
    print(f"\ncontrol: {result}")
    assert result.up.sent >= 2000 * seconds * 0.98
    assert result.down.sent >= 2000 * seconds * 0.98
    assert result.lost == 0


def test_the_stream_counts_what_is_lost_exactly(bench: Bench) -> None:
    """The stream itself must see a loss: the tunnel is shut for a moment, both ways."""
    client = bench.add_client()
    bench.link.bring_up(bench.spec())
    client.wait_until_reaches(SERVER4)
    with Stream(client, bench.lab.gateway_netns, SERVER4, rate=1000) as stream:
        time.sleep(0.4)
        inside(client.netns, "nft", "-f", "-", stdin=SHUT)
        time.sleep(0.3)
        inside(client.netns, "nft", "delete", "table", "inet", "shut")
        time.sleep(0.6)
    for way in (stream.result.up, stream.result.down):
        assert 0.29 < way.longest_gap_s < 0.6
        assert 290 < way.lost < 600
        [(_, count)] = way.missing
        assert count == way.lost


def test_a_missing_namespace_is_said_and_is_no_missing_link(bench: Bench) -> None:
    link = Link(LocalRunner(), bench.name, netns="vwb-not-there")
    with pytest.raises(DriverUnavailable, match="network namespace"):
        link.state()


def test_a_kernel_link_on_a_kernel_without_wireguard_is_refused(bench: Bench) -> None:
    if Path("/sys/module/wireguard").exists():  # the machine can: then it must
        bench.link.bring_up(_with_backend(bench.spec(), "kernel"))
        assert bench.link.state().backend == "kernel"
        return
    with pytest.raises(DriverError, match="no wireguard"):
        bench.link.bring_up(_with_backend(bench.spec(), "kernel"))
    assert bench.remains() == []


def _with_backend(spec: LinkSpec, backend: str) -> LinkSpec:
    return LinkSpec(
        name=spec.name,
        device=spec.device,
        stamp=spec.stamp,
        backend=backend,  # type: ignore[arg-type]
    )


def test_the_private_key_is_in_no_command_line(bench: Bench) -> None:
    seen: list[str] = []

    class Recording(LocalRunner):
        def run(self, argv, **rest):  # type: ignore[no-untyped-def]  # as LocalRunner.run
            seen.append(" ".join(argv))
            return super().run(argv, **rest)

    client = bench.add_client()
    link = Link(Recording(), bench.name, netns=bench.lab.gateway_netns)
    link.bring_up(bench.spec(), {client.public_key: (client.underlay_ip, 4711)})
    assert any("syncconf" in words for words in seen)
    assert not any(bench.private in words for words in seen)
    assert f"table inet {firewall.table_name(bench.name)}" in bench.lab.run("nft", "list", "tables")


def _failing_laboratory(found: dict[str, object]) -> None:
    with Lab("vwb") as lab:
        bench = Bench(lab)
        client = bench.add_client()
        bench.link.bring_up(bench.spec())
        found["names"] = {bench.name, client.interface}
        found["pids"] = [*lab.daemon_pids(), *lab.daemon_pids(client.netns)]
        found["netns"] = lab.gateway_netns
        raise ZeroDivisionError


def test_the_laboratory_leaves_nothing_even_after_a_failure() -> None:
    found: dict[str, Any] = {}
    with pytest.raises(ZeroDivisionError):
        _failing_laboratory(found)
    assert len(found["pids"]) == 2
    assert not any(is_alive(pid) for pid in found["pids"])
    assert not {entry.stem for entry in SOCKETS.iterdir()} & found["names"]
    assert found["netns"] not in sh("ip", "netns", "list")
