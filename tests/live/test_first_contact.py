"""An interface that vwg did not bring up is not written to before an operator adopts it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.lab import Client, generate_keys, inside, sh
from tests.live.site import Site, strange_key

pytestmark = [pytest.mark.wg, pytest.mark.stack]

PORT = 51999


class Foreign:
    """Somebody's own interface of the same name, with a customer who is connected through it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        private, public = generate_keys()
        inside(site.stack.netns, "wireguard-go", site.interface)
        sh("wg", "set", site.interface, "listen-port", str(PORT), "private-key", "/dev/stdin",
           stdin=private)  # fmt: skip
        for words in (
            ("address", "add", "10.252.0.1/16", "dev", site.interface),
            ("link", "set", "dev", site.interface, "up"),
        ):
            site.lab.run("ip", *words)
        self.customer = self._customer(public, "10.252.3.3/32")
        self.others = [strange_key() for _ in range(4)]
        for number, key in enumerate(self.others):
            networks = f"10.252.4.{number + 1}/32,192.168.{number}.0/24"
            site.wg_set("peer", key, "allowed-ips", networks, "persistent-keepalive", "25")
        self.customer.wait_until_reaches("10.252.0.1")

    def _customer(self, server_key: str, address: str) -> Client:
        preshared = sh("wg", "genpsk").strip()
        device = self.site.lab.add_client(
            server_key=server_key, port=PORT, addresses=[address], preshared_key=preshared
        )
        sh("wg", "set", self.site.interface, "peer", device.public_key,
           "preshared-key", "/dev/stdin", "allowed-ips", address, stdin=preshared)  # fmt: skip
        return device

    @property
    def keys(self) -> set[str]:
        return {self.customer.public_key, *self.others}

    def footprint(self) -> list[str]:
        """All that a write would change: what traffic counts is left out."""
        name = self.site.interface
        return [
            # wireguard-go shows its peers in any order.
            str(sorted(sh("wg", "showconf", name).strip().split("\n\n"))),
            self.site.lab.run("ip", "-details", "address", "show", "dev", name),
            self.site.lab.run("nft", "list", "ruleset"),
            str(self.site.lab.daemon_pids()),
        ]


def test_a_foreign_interface_is_refused_until_it_is_adopted(own_site: Site) -> None:
    site = own_site
    with site.without_workers():
        site.delete_link()
        site.lab.run("nft", "delete", "table", "inet", f"vwg_{site.interface}")
        foreign = Foreign(site)
        before = foreign.footprint()
        refused = site.stack.manage("link_up", check=False)
        assert "up" not in refused
        assert foreign.footprint() == before

    _refused_everywhere(site)
    assert foreign.footprint() == before
    assert foreign.customer.ping("10.252.0.1") == 3

    handshake = foreign.customer.handshakes()
    printed = site.stack.manage("adopt")

    assert f"adopted interface and {len(foreign.keys)} peers" in printed
    after = foreign.footprint()
    assert after[0] == before[0]
    assert f"alias vwg:{_stamp(site)}" in after[1]
    assert after[2:] == before[2:]
    assert foreign.customer.handshakes() == handshake
    _adopted_peers_are_clients(site, foreign)
    _changes_work(site, foreign)


def _refused_everywhere(site: Site) -> None:
    """The worker has seen it: status, job, plan and doctor all say whose it is."""
    answer = site.call("POST", "/api/wg/add-peer", {"public_key": strange_key()}, wait=20)
    assert answer.status == 502, answer
    assert "was not brought up by vwg" in answer.body["message"]
    job = site.call("GET", answer.body["job"]["href"]).body
    assert job["status"] == "failed"
    assert "`manage.py adopt" in job["items"][0]["message"]
    assert site.status()["status"] == "foreign"
    assert site.status()["active"] is False
    assert "adopt" in site.status()["reason"]
    assert "nothing would be done" in site.stack.manage("plan")
    assert "manage.py adopt" in site.stack.manage("doctor", check=False)
    site.act("POST", "/api/wg/remove-peer", {"public_key": _only_key(site)}, wait=0)


def _only_key(site: Site) -> str:
    [client] = site.call("GET", "/api/v1/clients").body["results"]
    return str(client["devices"][0]["public_key"])


def _stamp(site: Site) -> str:
    return site.python("print('STAMP', interface.stamp)").split()[-1]


def _adopted_peers_are_clients(site: Site, foreign: Foreign) -> None:
    devices = {one["public_key"]: one for one in _devices(site)}
    assert set(devices) == foreign.keys
    first = devices[foreign.others[0]]
    assert first["addresses"] == ["10.252.4.1/32"]
    assert first["networks"] == ["192.168.0.0/24"]
    assert first["persistent_keepalive"] == 25
    assert devices[foreign.customer.public_key]["preshared_key_set"] is True
    assert devices[foreign.customer.public_key]["addresses"] == ["10.252.3.3/32"]


def _devices(site: Site) -> list[Any]:
    clients = site.call("GET", "/api/v1/clients").body["results"]
    return [device for client in clients for device in client["devices"]]


def _changes_work(site: Site, foreign: Foreign) -> None:
    before = site.settings()
    site.observe()
    assert site.status()["status"] == "active"
    assert site.status()["drift_detail"] == {}
    assert site.settings() == before

    key = strange_key()
    site.act("POST", "/api/wg/add-peer", {"public_key": key})
    site.act("POST", "/api/wg/remove-peer", {"public_key": foreign.others[0]})
    expected = {one: shown for one, shown in before.items() if one != foreign.others[0]}
    shown = site.settings()
    assert set(shown) == set(expected) | {key}
    assert {one: shown[one] for one in expected} == expected
    assert foreign.customer.ping("10.252.0.1") == 3


def test_a_foreign_interface_that_appears_while_the_stack_runs_is_not_written_to(
    own_site: Site,
) -> None:
    """Nobody deletes vwg's link here but the operator, who then makes one by hand."""
    site = own_site
    mine = site.add_client("Sara")
    site.stack.manage("link_down")
    foreign = Foreign(site)
    before = foreign.footprint()
    assert "up" not in site.stack.manage("link_up", check=False)
    site.sql("UPDATE gateways_interface SET enabled = true")
    site.stack.wait_until(
        lambda: site.status()["status"] == "foreign", "the status says so", seconds=15
    )
    _fails(site, "PATCH", f"/api/v1/clients/{mine['id']}", {"persistent_keepalive": 21})
    _fails(site, "DELETE", f"/api/v1/clients/{mine['id']}", None)
    _fails(site, "POST", "/api/apply-wg-config", {})
    assert foreign.footprint() == before
    for command in ("link_restart", "link_down"):
        site.stack.manage(command, check=False)
        assert foreign.footprint() == before


def _fails(site: Site, method: str, path: str, body: object) -> None:
    answer = site.call(method, path, body, wait=20)
    assert answer.status == 502, answer
    assert "was not brought up by vwg" in answer.text
