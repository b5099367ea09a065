"""Nobody else notices: bystanders at 2,000 packets/s each way, while everybody else changes.

Every test prints, beside its own, a control run of the same streams in which nothing happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Figure
from tests.live.lab import Client
from tests.live.site import Site, Witness, control_run, strange_key, tunnel_address
from tests.stack.conftest import short_path

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone]

CONTROL_S = 5.0
SENTENCE = "Applied server config successfully without disrupting active connections"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A vwg of its own: here every peer of the interface counts, and each is compared."""
    with Site(short_path(tmp_path_factory)) as running:
        yield running


@pytest.fixture(scope="module")
def bystanders(site: Site) -> list[Client]:
    """Two players in the middle of a game."""
    return [site.connect("Ava's console"), site.connect("Kian's laptop")]


@pytest.fixture(scope="module")
def control(site: Site, bystanders: list[Client]) -> Witness:
    return control_run(site, bystanders, CONTROL_S)


def judge(site: Site, name: str, witness: Witness, control: Witness, figure: Figure) -> None:
    """Zero packets, no new handshake, no counter fell; whatever the machine itself lost is said."""
    figure(f"{name}.packets", witness.sent)
    figure(f"{name}.lost", witness.lost)
    figure(f"{name}.longest_gap_s", witness.longest_gap_s)
    figure(f"{name}.control_lost", control.lost)
    figure(f"{name}.control_longest_gap_s", control.longest_gap_s)
    figure(f"{name}.samples", witness.sampler.samples)
    figure(f"{name}.rekeys_at_120_s", witness.sampler.rekeys)
    assert witness.packets_per_s > 1900
    assert witness.sampler.samples > 10
    assert witness.sampler.injuries == []
    assert witness.lost == 0, [result for result in witness.results if result.lost]


class Crowd:
    """Clients who come, change, are switched off and on, and go, all through the API."""

    def __init__(self, site: Site, size: int) -> None:
        self.site = site
        self.keys = [strange_key() for _ in range(size)]
        self.ids: dict[str, str] = {}

    def _shows(self, condition: Callable[[Any], bool]) -> bool:
        peers = self.site.peers()
        return all(condition(peers.get(key)) for key in self.keys)

    def live(
        self, what: str, act: Callable[[str], object], condition: Callable[[Any], bool]
    ) -> None:
        """Do it for everybody; `wg` itself must then show it, without any waiting."""
        self.site.in_parallel(act, self.keys)
        assert self._shows(condition), what

    def add(self) -> None:
        def act(key: str) -> None:
            body = self.site.act("POST", "/api/wg/add-peer", {"public_key": key})
            assert body["message"] == SENTENCE
            self.ids[key] = body["client"]

        self.live("added", act, lambda shown: shown is not None and "/32" in shown.allowed_ips)

    def update(self) -> None:
        def act(key: str) -> None:
            body = {"public_key": key, "persistent_keepalive": 25}
            assert self.site.act("POST", "/api/wg/add-peer", body)["message"] == SENTENCE

        self.live("updated", act, lambda shown: shown.keepalive == "25")

    def block(self) -> None:
        def act(key: str) -> None:
            self.site.act("POST", f"/api/v1/clients/{self.ids[key]}/disable")

        self.live("blocked", act, lambda shown: shown is None or shown.allowed_ips == "(none)")

    def unblock(self) -> None:
        def act(key: str) -> None:
            self.site.act("POST", f"/api/v1/clients/{self.ids[key]}/enable")

        self.live("unblocked", act, lambda shown: "/32" in shown.allowed_ips)

    def remove(self) -> None:
        odd = set(self.keys[1::2])

        def act(key: str) -> None:
            if key in odd:
                self.site.act("DELETE", f"/api/v1/clients/{self.ids[key]}")
            else:
                self.site.act("POST", "/api/wg/remove-peer", {"public_key": key})

        self.live("removed", act, lambda shown: shown is None)


def change_a_crowd(
    site: Site,
    bystanders: Sequence[Client],
    control: Witness,
    size: int,
    name: str,
    figure: Figure,
) -> None:
    crowd = Crowd(site, size)
    begin = time.monotonic()
    with Witness(site, bystanders) as witness:
        for act in (crowd.add, crowd.update, crowd.block, crowd.unblock, crowd.remove):
            act()
    figure(f"{name}.changes", 5 * size)
    figure(f"{name}.seconds", time.monotonic() - begin)
    tiers = {job["tier"] for job in site.jobs()}
    assert tiers <= {None, 1}
    judge(site, name, witness, control, figure)


def test_twenty_others_change_and_nobody_notices(
    site: Site, bystanders: list[Client], control: Witness, figure: Figure
) -> None:
    change_a_crowd(site, bystanders, control, 20, "zero_loss.changes_of_20", figure)


@pytest.mark.proof
def test_two_hundred_others_change_and_nobody_notices(
    site: Site, bystanders: list[Client], control: Witness, figure: Figure
) -> None:
    change_a_crowd(site, bystanders, control, 200, "zero_loss.changes_of_200", figure)


def test_drift_is_healed_and_nobody_notices(
    site: Site, bystanders: list[Client], control: Witness, figure: Figure
) -> None:
    made = [site.add_client(f"victim {number}") for number in range(3)]
    changed, removed, robbed = (one["devices"][0]["public_key"] for one in made)
    thief = strange_key()
    site.observe()
    before = site.settings()

    with Witness(site, bystanders) as witness:
        site.wg_set("peer", changed, "allowed-ips", "10.252.250.1/32", "persistent-keepalive", "7")
        site.wg_set("peer", removed, "remove")
        site.wg_set("peer", thief, "allowed-ips", f"{tunnel_address(made[2])}/32")
        assert tunnel_address(made[2]) not in site.peers()[robbed].allowed_ips
        assert site.settings() != before
        healed_after = site.stack.wait_until(
            lambda: site.settings() == before, "the interface is healed", seconds=15
        )
        time.sleep(0.5)

    figure("zero_loss.drift_healed_s", healed_after)
    judge(site, "zero_loss.drift", witness, control, figure)
    for one in made:
        site.act("DELETE", f"/api/v1/clients/{one['id']}")


def test_five_hundred_are_applied_at_once_and_nobody_notices(
    site: Site, bystanders: list[Client], control: Witness, figure: Figure, tmp_path: Path
) -> None:
    others = set(site.peers())

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(site.python, ADD_500.format(directory=str(tmp_path)))
        site.stack.wait_until(
            lambda: made.done() or (tmp_path / "made").exists(), "500 wait", seconds=120
        )
        assert set(site.peers()) == others
        with Witness(site, bystanders) as witness:
            (tmp_path / "go").touch()
            begin = time.monotonic()
            site.stack.wait_until(
                lambda: len(site.peers()) == len(others) + 500, "all 500 are live", seconds=60
            )
            figure("zero_loss.bulk_500.live_s", time.monotonic() - begin)
            time.sleep(1)
        keys = set(made.result().split())

    assert set(site.peers()) == others | keys
    judge(site, "zero_loss.bulk_500", witness, control, figure)
    assert {job["tier"] for job in site.jobs()} <= {None, 1}


#: 500 clients are made while somebody holds the interface's lock, so that their changes pile up:
#: when it is let go, one round of the worker applies them all. Prints the keys.
ADD_500 = """
import time
from pathlib import Path
from django.utils import timezone
from audit.events import SYSTEM
from peers.services.clients import create_client
from tenants.models import Tenant
from tenants.scoping import Caller

caller = Caller(Tenant.objects.get(slug='default'), 'full', frozenset({{'*'}}), SYSTEM)
directory = Path('{directory}')
with post.lock(timeout_s=30):
    for number in range(500):
        made = create_client(caller=caller, name=f'c{{number}}', at=timezone.now())
        print(made.peer.public_key)
    (directory / 'made').touch()
    while not (directory / 'go').exists():
        time.sleep(0.01)
"""
