"""Why tier 1 is the rule: what `wg syncconf` and a restart cost the same bystanders."""

from __future__ import annotations

import time

import pytest

from tests.live.conftest import Figure
from tests.live.lab import Client, Stream, StreamResult
from tests.live.site import Site, Witness, control_run

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]

#: A call loses a packet only now and then: so many that a run without any loss cannot happen.
CALLS = 200


@pytest.fixture(scope="module")
def bystanders(site: Site) -> list[Client]:
    return [site.connect("Ava's console"), site.connect("Kian's laptop")]


def test_tier_2_is_noticed(site: Site, bystanders: list[Client], figure: Figure) -> None:
    """The control of the zero-loss tests: the same witnesses see what `wg syncconf` does."""
    control = control_run(site, bystanders, 3.0)
    before = site.settings()
    with Witness(site, bystanders) as witness:
        site.python(
            "from control.whole import synchronise\n"
            "import time\n"
            f"for _ in range({CALLS}):\n"
            "    with post.lock(timeout_s=5):\n"
            "        synchronise(interface, post)\n"
            "    time.sleep(0.02)\n"
        )
    figure("tiers.tier_2_calls", CALLS)
    figure("tiers.tier_2_lost", witness.lost)
    figure("tiers.tier_2_lost_per_call", witness.lost / CALLS)
    figure("tiers.tier_2_longest_gap_s", witness.longest_gap_s)
    figure("tiers.tier_2_control_lost", control.lost)
    assert witness.lost > control.lost
    assert site.settings() == before


def outage(site: Site, client: Client, act: str, within_s: float) -> float:
    """Seconds of silence around ``act`` (a part of `manage.py`), for a client that talks."""
    client.wait_until_reaches(site.address(), within_s=30)
    site.observe()
    before = client.handshakes()
    with Stream(client, site.stack.netns, site.address(), rate=500) as stream:
        time.sleep(1.0)
        if act == "restart":
            site.stack.manage("link_restart")
        else:
            site.delete_link()
            site.sql("UPDATE peers_peer SET observed_endpoint = ''")
            site.stack.manage("link_up")
        site.stack.wait_until(
            lambda: client.handshakes() != before, "it talks again", seconds=within_s
        )
        time.sleep(1.0)
    site.lengthen_queue()
    return longest_gap(stream.result)


def longest_gap(result: StreamResult) -> float:
    return max(result.up.longest_gap_s, result.down.longest_gap_s)


def test_tier_3_with_endpoints_given_back_is_short(
    site: Site, bystanders: list[Client], figure: Figure
) -> None:
    silence = outage(site, bystanders[0], "restart", within_s=3.0)
    figure("tiers.tier_3_outage_s", silence)
    assert 0 < silence <= 0.5


def test_tier_3_without_endpoints_is_long(
    site: Site, bystanders: list[Client], figure: Figure
) -> None:
    """The client must give its old session up first: 15 s (whitepaper, section 6.1)."""
    with site.without_workers():
        silence = outage(site, bystanders[1], "up", within_s=25.0)
    figure("tiers.tier_3_outage_without_endpoints_s", silence)
    assert 5 < silence < 25
    bystanders[1].wait_until_reaches(site.address(), within_s=20)
