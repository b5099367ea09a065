"""The mass-loss guard: no access is taken away without a recorded cause."""

from __future__ import annotations

import time

import pytest

from tests.live.site import Site, strange_key

pytestmark = [pytest.mark.wg, pytest.mark.stack]

#: Every table that speaks of clients, as a restored or emptied database would have lost them.
EMPTIED = (
    "DELETE FROM peers_peerkey",
    "DELETE FROM peers_peeraddress",
    "DELETE FROM peers_peernetwork",
    "DELETE FROM gateways_jobitem",
    "DELETE FROM gateways_job",
    "DELETE FROM peers_peer",
    "DELETE FROM quotas_hold",
    "DELETE FROM peers_client",
)
OBSERVATIONS_S = 16.0


def boot_keys(site: Site) -> set[str]:
    text = (site.stack.state / "interfaces" / f"{site.interface}.conf").read_text()
    return {line.partition("= ")[2] for line in text.splitlines() if line.startswith("PublicKey")}


@pytest.mark.parametrize("number", [2, 6])
def test_an_emptied_client_table_removes_nobody(own_site: Site, number: int) -> None:
    """In the very moment of a change, too, when the boot file is about to be written anew."""
    site = own_site
    device = site.connect("Sara")
    keys = {device.public_key}
    for _ in range(number - 1):
        made = site.add_client("Omid")
        keys.add(made["devices"][0]["public_key"])
    before = site.settings()
    site.stack.wait_until(lambda: boot_keys(site) == keys, "the boot file is written")

    site.sql(*EMPTIED, "UPDATE gateways_interface SET boot_dirty_since = '2026-01-01 00:00:00'")
    time.sleep(OBSERVATIONS_S)

    assert site.settings() == before
    assert set(before) == keys
    assert device.ping(site.address()) == 3
    assert boot_keys(site) == keys  # a reboot forgets nobody either
    assert site.status()["drift_detail"] == {"guarded": number}
    assert f"{number} guarded" in site.stack.manage("plan")
    assert "run without a record" in site.stack.manage("doctor", check=False)

    site.stack.manage("adopt")
    assert site.settings() == before
    clients = site.call("GET", "/api/v1/clients").body["results"]
    assert {one["devices"][0]["public_key"] for one in clients} == keys
    site.observe()
    assert site.status()["drift_detail"] == {}


def test_many_strays_are_reported_and_go_when_the_operator_says_so(site: Site) -> None:
    mine = site.add_client("Sara")["devices"][0]["public_key"]
    strays = {strange_key() for _ in range(5)}
    for number, key in enumerate(sorted(strays)):
        site.wg_set("peer", key, "allowed-ips", f"10.252.9.{number + 1}/32")
    before = site.settings()
    time.sleep(OBSERVATIONS_S)

    assert site.settings() == before
    assert site.status()["drift_detail"] == {"guarded": 5}
    assert "5 guarded" in site.stack.manage("plan")

    assert "5 peers" in site.stack.manage("remove_strays")
    site.stack.wait_until(lambda: set(site.peers()) == {mine}, "the strays are gone")
    site.stack.wait_until(lambda: boot_keys(site) == {mine}, "and not in the boot file")
    site.observe()
    assert site.status()["drift_detail"] == {}


def test_a_few_strays_are_drift_and_go_by_themselves(site: Site) -> None:
    before = site.settings()
    site.wg_set("peer", strange_key(), "allowed-ips", "10.252.9.77/32")
    site.stack.wait_until(lambda: site.settings() == before, "it is healed", seconds=15)


def test_an_emptied_table_and_removed_strays_leave_no_one_in_the_boot_file(own_site: Site) -> None:
    """The operator's decision is final: a reboot does not bring them back."""
    site = own_site
    key = site.add_client("Sara")["devices"][0]["public_key"]
    site.stack.wait_until(lambda: boot_keys(site) == {key}, "the boot file is written")
    site.sql(*EMPTIED)
    site.stack.wait_until(
        lambda: site.status()["drift_detail"] == {"guarded": 1}, "it is guarded", seconds=15
    )
    site.stack.manage("remove_strays")
    site.stack.wait_until(lambda: site.peers() == {}, "the stray is gone")
    site.stack.wait_until(lambda: boot_keys(site) == set(), "and not in the boot file")
