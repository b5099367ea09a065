"""Operators edit interfaces in service: what an edit says of itself is what bystanders notice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.conftest import Figure
from tests.live.lab import Client, sh
from tests.live.site import Site, Witness, control_run

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]


@pytest.fixture(scope="module")
def bystanders(site: Site) -> list[Client]:
    return [site.connect("Ava's console"), site.connect("Kian's laptop")]


def the_interface(site: Site) -> Any:
    (found,) = site.call("GET", "/api/v1/interfaces").body["results"]
    return found


def edit(site: Site, **changes: object) -> Any:
    """Edit the interface; live when it returns."""
    return site.act("PATCH", f"/api/v1/interfaces/{the_interface(site)['id']}", changes)


def link_of(site: Site, name: str = "") -> Any:
    [link] = json.loads(
        site.lab.run("ip", "-json", "address", "show", "dev", name or site.interface)
    )
    return link


def head_of(site: Site) -> tuple[str, int, str]:
    """Public key, port and mark as `wg` shows them."""
    _, key, port, mark = sh("wg", "show", site.interface, "dump").splitlines()[0].split("\t")
    return key, int(port), mark


def test_live_edits_lose_nothing(site: Site, bystanders: list[Client], figure: Figure) -> None:
    control = control_run(site, bystanders, 3.0)
    with Witness(site, bystanders) as witness:
        said = [
            edit(site, mtu=1380)["preview"],
            edit(site, firewall_mark=51820)["preview"],
            edit(site, nat=False)["preview"],
            edit(site, nat=True, firewall_mark=None)["preview"],
        ]
    figure("edits.live_packets", witness.sent)
    figure("edits.live_lost", witness.lost)
    figure("edits.live_control_lost", control.lost)
    assert all(preview["live"] and not preview["rebinds_socket"] for preview in said)
    assert link_of(site)["mtu"] == 1380
    assert head_of(site)[2] == "off"
    assert witness.sampler.injuries == []
    assert witness.lost == 0


def test_a_new_port_costs_a_moment_and_no_session(
    site: Site, bystanders: list[Client], figure: Figure
) -> None:
    before, (key, port, _) = site.peers(), head_of(site)
    with Witness(site, bystanders) as witness:
        assert edit(site, listen_port=port + 1)["preview"]["rebinds_socket"] is True
    after = site.peers()
    figure("edits.port_packets", witness.sent)
    figure("edits.port_lost", witness.lost)
    figure("edits.port_longest_gap_s", witness.longest_gap_s)
    assert head_of(site)[:2] == (key, port + 1)
    assert {k: v.settings for k, v in after.items()} == {k: v.settings for k, v in before.items()}
    assert witness.longest_gap_s < 1.0
    assert witness.sampler.injuries == []


def test_a_port_that_an_outsider_changed_comes_back(site: Site, bystanders: list[Client]) -> None:
    _, port, _ = head_of(site)
    site.wg_set("listen-port", str(port + 7))
    site.stack.wait_until(lambda: head_of(site)[1] == port, "the port is healed", seconds=20)
    bystanders[0].wait_until_reaches(site.address())


def test_another_network_is_another_address(site: Site) -> None:
    found = the_interface(site)
    pool = site.call(
        "POST", "/api/v1/pools", {"interface_id": found["id"], "network": "10.77.0.0/24"}
    )
    assert pool.status == 201
    job = pool.body["job"]["href"]
    site.stack.wait_until(
        lambda: site.call("GET", job).body["status"] == "succeeded", "it is there", seconds=10
    )
    locals_ = {entry["local"] for entry in link_of(site)["addr_info"]}
    assert "10.77.0.1" in locals_
    assert site.call("DELETE", f"/api/v1/pools/{pool.body['id']}").status == 204
    site.stack.wait_until(
        lambda: "10.77.0.1" not in {e["local"] for e in link_of(site)["addr_info"]},
        "it is gone",
        seconds=10,
    )


def test_an_interface_comes_and_goes(site: Site) -> None:
    name = f"{site.interface}b"
    made = site.call(
        "POST",
        "/api/v1/interfaces",
        {"gateway": "local", "name": name, "addresses": ["10.78.0.1/24"], "listen_port": 45678},
    )
    assert made.status == 201, made
    here = f"/api/v1/interfaces/{made.body['id']}"
    site.stack.wait_until(lambda: site.call("GET", here).body["up"], "it is up", seconds=20)
    assert {entry["local"] for entry in link_of(site, name)["addr_info"]} >= {"10.78.0.1"}
    assert site.call("DELETE", here).status == 409
    assert site.call("PATCH", here, {"enabled": False}, wait=20).status == 200
    assert not site.lab.run("ip", "link", "show", "dev", name, check=False)
    assert site.call("DELETE", here).status == 204
    assert site.link_exists()


def test_another_key_ends_every_session_and_files_are_made_anew(site: Site) -> None:
    found, before = the_interface(site), set(site.peers())
    rotated = site.act("POST", f"/api/v1/interfaces/{found['id']}/rotate-key")
    assert head_of(site)[0] == rotated["public_key"] != found["public_key"]
    assert set(site.peers()) == before
    site.connect("who has a file of the new key")
