"""Speeds as they are sold: through the API and the workers, on a real interface."""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import Any

import pytest

from tests.live.conftest import Figure
from tests.live.lab import Client, inside
from tests.live.site import Site, tunnel_address

pytestmark = [pytest.mark.wg, pytest.mark.stack]

#: An observation every 5 s, and what a busy machine adds.
TICK_S = 12.0


def rates(site: Site) -> list[str]:
    """The rates of all classes there are, up and down."""
    found = []
    for link in json.loads(site.lab.run("ip", "-json", "link", "show", "type", "ifb") or "[]"):
        if link:
            shown = site.lab.run("tc", "class", "show", "dev", link["ifname"])
            found += re.findall(r" rate (\S+) ", shown)
    return sorted(found)


def shaping(site: Site) -> Any:
    return json.loads(site.python("import json; print(json.dumps(interface.shaping))"))


def sold(site: Site, client: Any, **fields: object) -> None:
    site.act("PATCH", f"/api/v1/clients/{client['id']}", fields)


def test_a_client_has_what_it_was_sold_from_its_first_packet(site: Site) -> None:
    made = site.add_client("Sara", upload_kbit=5_000, download_kbit=20_000)
    assert rates(site) == ["20Mbit", "5Mbit"]
    table = site.lab.run("nft", "list", "tables")
    assert table.count(f"vwgs_{site.interface}") == 2
    shown = site.lab.run("nft", "list", "map", "inet", f"vwgs_{site.interface}", "class_host4")
    assert tunnel_address(made) in shown
    assert {"set": 1, "by": "htb", "reason": ""}.items() <= shaping(site).items()

    sold(site, made, download_kbit=30_000)
    site.stack.wait_until(
        lambda: rates(site) == ["30Mbit", "5Mbit"], "it is faster", seconds=TICK_S
    )
    site.act("POST", f"/api/v1/clients/{made['id']}/disable")
    assert rates(site) == []
    site.act("POST", f"/api/v1/clients/{made['id']}/enable")
    assert rates(site) == ["30Mbit", "5Mbit"]
    site.act("DELETE", f"/api/v1/clients/{made['id']}")
    assert rates(site) == []
    assert "ifb" not in site.lab.run("ip", "-details", "link")
    assert shaping(site) == {}


def test_at_the_limit_a_client_is_slow_within_a_tick_and_fast_after_a_reset(
    site: Site, figure: Figure
) -> None:
    device = site.connect(
        "Omid", quota_bytes=2_000_000, at_limit="throttle", throttle_kbit=500, download_kbit=50_000
    )
    assert rates(site) == ["50Mbit"]
    assert upload(site, device, seconds=1) > 10
    begin = time.monotonic()
    site.stack.wait_until(
        lambda: rates(site) == ["500Kbit", "500Kbit"], "it is slow", seconds=TICK_S
    )
    figure("speeds.throttled_after_s", time.monotonic() - begin)
    assert upload(site, device, seconds=3) < 1.2
    [client] = site.call("GET", "/api/v1/clients").body["results"]
    site.act("POST", f"/api/v1/clients/{client['id']}/reset-usage")
    begin = time.monotonic()
    site.stack.wait_until(lambda: rates(site) == ["50Mbit"], "it is fast", seconds=TICK_S)
    figure("speeds.fast_again_after_s", time.monotonic() - begin)
    site.act("DELETE", f"/api/v1/clients/{client['id']}")


def upload(site: Site, device: Client, *, seconds: int) -> float:
    """Mbit/s that reach the gateway in so many seconds."""
    server = subprocess.Popen(
        ["ip", "netns", "exec", site.stack.netns, "iperf3", "-s", "-1", "-p", "5301"],
        stdout=subprocess.DEVNULL,
    )
    time.sleep(0.3)
    told = inside(
        device.netns, "iperf3", "-J", "-c", site.address(), "-p", "5301", "-t", str(seconds),
        check=False,
    )  # fmt: skip
    server.wait(timeout=30)
    answer = json.loads(told)
    assert "error" not in answer, answer["error"]
    return float(answer["end"]["sum_received"]["bits_per_second"]) / 1e6


def test_speeds_come_back_after_a_restart_and_after_a_flush_and_go_with_the_link(
    own_site: Site,
) -> None:
    site = own_site
    site.add_client("Sara", upload_kbit=5_000)
    assert rates(site) == ["5Mbit"]
    site.stack.manage("link_restart")
    assert rates(site) == ["5Mbit"]
    tables = f"vwgs_{site.interface}"
    assert site.lab.run("nft", "list", "tables").count(tables) == 2

    site.lab.run("nft", "flush", "ruleset")
    site.stack.wait_until(
        lambda: site.lab.run("nft", "list", "tables").count(tables) == 2,
        "they are back",
        seconds=TICK_S,
    )
    site.delete_link()
    site.stack.wait_until(
        lambda: site.link_exists() and shaping(site).get("set") == 1, "all is back", seconds=30
    )
    assert site.lab.run("nft", "list", "tables").count(tables) == 2
    assert "speeds" in site.stack.manage("doctor", check=False)
    site.stack.manage("link_down")
    assert "ifb" not in site.lab.run("ip", "-details", "link")
    assert tables not in site.lab.run("nft", "list", "tables")
