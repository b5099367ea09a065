"""The interface is gone, by a reboot or by somebody's hand: who comes back, and who brings it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.conftest import Figure
from tests.live.site import Site

pytestmark = [pytest.mark.wg, pytest.mark.stack]


def key_of(client: Any) -> str:
    return str(client["devices"][0]["public_key"])


def usable(site: Site) -> set[str]:
    """Who can send and receive: on the interface with addresses of its own."""
    return {key for key, shown in site.peers().items() if shown.allowed_ips != "(none)"}


def stamp_of(site: Site) -> str:
    """The link's alias; vwg sets it last, when a bring-up is complete."""
    shown = site.lab.run("ip", "link", "show", "dev", site.interface, check=False)
    _, _, alias = shown.partition("alias vwg:")
    return alias.strip()


@pytest.fixture(autouse=True)
def empty(site: Site) -> Iterator[None]:
    """Every test begins without clients."""
    yield
    for client in site.call("GET", "/api/v1/clients").body["results"]:
        site.act("DELETE", f"/api/v1/clients/{client['id']}")
    site.stack.wait_until(lambda: site.peers() == {}, "nobody is left")


def drift(site: Site) -> Any:
    return site.status()["drift_detail"]


def wait_for_boot_file(site: Site) -> float:
    """Until the boot file is as new as the rows (design: within 2 s); the seconds."""
    text = "assert interface.boot_dirty_since is None"
    begin = time.monotonic()
    site.stack.wait_until(
        lambda: "no" not in site.python(f"try:\n    {text}\nexcept AssertionError: print('no')"),
        "the boot file is written",
    )
    return time.monotonic() - begin


def test_a_reboot_brings_exactly_the_entitled_back(site: Site) -> None:
    made = [site.add_client(f"client {number}") for number in range(6)]
    blocked, deleted, entitled = made[:2], made[2], made[3:]
    for client in blocked:
        site.act("POST", f"/api/v1/clients/{client['id']}/disable")
    site.act("DELETE", f"/api/v1/clients/{deleted['id']}")
    wait_for_boot_file(site)
    wanted = {key: one for key, one in site.settings().items() if key in map(key_of, entitled)}

    with site.without_workers():
        site.delete_link()
        assert not site.link_exists()
        site.stack.manage("link_up", "--boot")
        assert site.settings() == wanted
        assert set(wanted) == {key_of(client) for client in entitled}
        site.observe()
        site.observe()
        assert drift(site) == {}
        assert site.settings() == wanted
        assert "nothing to do" in site.stack.manage("plan")

    device = site.lab.add_client(site.config_of(entitled[0]))
    device.wait_until_reaches(site.address())
    device.wait_until_reaches(site.lab.beyond_ip)
    for client in blocked:  # who was away may come back, and only then is on the interface
        site.act("POST", f"/api/v1/clients/{client['id']}/enable")
        assert key_of(client) in usable(site)


def test_a_reboot_starts_from_the_file_where_the_settings_say_it_is(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The founding system kept it in /etc/wireguard/wg0.conf, and the global setting still can."""
    path = tmp_path_factory.mktemp("etc") / "wg0.conf"
    site.set_config_file_path(str(path))
    client = site.add_client("Leila")
    site.stack.wait_until(
        lambda: path.exists() and key_of(client) in path.read_text(), "it is written there"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    with site.without_workers():
        site.delete_link()
        site.stack.manage("link_up", "--boot")
        assert set(site.peers()) == {key_of(client)}
    site.set_config_file_path("")


def test_the_running_stack_brings_a_deleted_interface_back(site: Site, figure: Figure) -> None:
    device = site.connect("Sara")
    other = site.add_client("Omid")
    site.act("POST", f"/api/v1/clients/{other['id']}/disable")
    site.observe()

    begin, stamp = time.monotonic(), stamp_of(site)
    site.delete_link()
    site.stack.wait_until(
        lambda: site.link_exists() and stamp_of(site) not in ("", stamp), "it is back", seconds=15
    )
    figure("reboot.brought_back_by_the_stack_s", time.monotonic() - begin)
    device.wait_until_reaches(site.address(), within_s=20)
    figure("reboot.client_talks_again_s", time.monotonic() - begin)

    device.wait_until_reaches(site.lab.beyond_ip)
    assert usable(site) == {device.public_key}
    site.observe()
    assert drift(site) == {}


def test_with_the_policy_never_it_is_left_to_the_operator(site: Site) -> None:
    site.sql("UPDATE gateways_interface SET restart_policy = 'never'")
    site.delete_link()
    site.stack.wait_until(
        lambda: site.status()["status"] == "inactive", "the status says so", seconds=15
    )
    made = site.call("POST", "/api/v1/clients", {"name": "Late"})
    assert made.status == 201
    time.sleep(12)

    assert not site.link_exists()
    job = site.call("GET", made.body["job"]["href"]).body
    assert job["status"] in ("pending", "running")
    assert "`never`" in job["message"]
    assert "nothing would be done" in site.stack.manage("plan")

    site.stack.manage("link_up")
    assert key_of(made.body) in usable(site)
    site.stack.wait_until(
        lambda: site.call("GET", made.body["job"]["href"]).body["status"] == "succeeded",
        "what waited is done",
        seconds=20,
    )
    site.sql("UPDATE gateways_interface SET restart_policy = 'auto'")
