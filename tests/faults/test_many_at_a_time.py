"""A tenant of 10,000 clients is suspended and resumed while another tenant makes clients.

On a real interface, on both databases. Nothing is restarted, few commands are run, and whoever
makes a client meanwhile waits for one part of the work, never for all of it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from bench.callers import ApiCaller, JobWatch
from bench.rows import fill_to, watch
from tests.faults.world import World, percentile
from tests.live.conftest import Figure, note_figure
from tests.stack.conftest import CLUSTER_URL, short_path

pytestmark = [pytest.mark.wg, pytest.mark.stack, pytest.mark.alone, pytest.mark.proof]

CLIENTS = 10_000
#: Of each act, in seconds.
WITHIN = 60.0
MOST_CALLS = 200
#: The longest that a bystander may wait for a client of his to be live.
BYSTANDER_WITHIN = 3.0
TOGETHER, TOGETHER_WITHIN = 1_000, 5.0


@pytest.fixture(scope="module", params=["sqlite", *(["postgresql"] if CLUSTER_URL else [])])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    cluster_url = CLUSTER_URL if request.param == "postgresql" else None
    with World(short_path(tmp_path_factory), cluster_url=cluster_url) as running:
        yield running


@dataclass
class Bystander:
    """Another tenant's script: a client every few moments, each followed until it is live."""

    world: World
    token: str
    posts: list[float] = field(default_factory=list)
    lives: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        ended = threading.Event()

        def work() -> None:
            caller = ApiCaller(self.world.port, self.token)
            with closing(caller), watch(self.world) as jobs:
                while not ended.is_set():
                    try:
                        self._make_one(caller, jobs)
                    except Exception as error:  # told below, in the test's own thread
                        self.errors.append(repr(error))
                    time.sleep(0.1)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _make_one(self, caller: ApiCaller, jobs: JobWatch) -> None:
        begin = time.perf_counter()
        job = str(caller.add_peer()["job"]["id"])
        self.posts.append(time.perf_counter() - begin)
        jobs.wait(job)
        self.lives.append(time.perf_counter() - begin)

    def tell(self, figure: Figure, name: str) -> None:
        assert not self.errors, self.errors[:3]
        ms = [1000 * one for one in self.lives]
        figure(f"{name}_bystander_clients", len(ms))
        figure(f"{name}_bystander_post_max_ms", 1000 * max(self.posts))
        figure(f"{name}_bystander_live_p50_ms", percentile(ms, 0.5))
        figure(f"{name}_bystander_live_max_ms", max(ms))
        assert max(self.lives) <= BYSTANDER_WITHIN


@dataclass
class Scene:
    """The big tenant (the default one) and the operator who acts on it."""

    world: World
    operator: ApiCaller
    tenant: str
    bystander_token: str

    def act(self, verb: str, figure: Figure) -> dict[str, Any]:
        """Suspend or resume, and wait until the job says that all is done."""
        shim, bystander = self.world.shim, Bystander(self.world, self.bystander_token)
        known = len(shim.calls())
        with bystander.at_work(), watch(self.world) as jobs:
            time.sleep(1)
            begin = time.perf_counter()
            path = f"/api/v1/tenants/{self.tenant}/{verb}"
            body = self.operator.call("POST", path, {"reason": "proof"})
            answered = time.perf_counter() - begin
            jobs.wait(body["job"]["id"], seconds=2 * WITHIN)
            spent = time.perf_counter() - begin
        calls = shim.calls()[known:]
        acts = [call for call in calls if call.startswith("set") and call.count(" peer ") > 1]
        figure(f"{verb}_answered_ms", 1000 * answered)
        figure(f"{verb}_all_s", spent)
        figure(f"{verb}_wg_set_calls", len(acts))
        figure(f"{verb}_wg_calls_of_all_and_the_bystander", len(calls))
        figure(f"{verb}_load_average", os.getloadavg()[0])
        bystander.tell(figure, verb)
        assert spent <= WITHIN
        assert len(acts) <= MOST_CALLS
        assert not [call for call in calls if call.startswith("syncconf")]
        return body

    def running(self) -> tuple[int, int]:
        """How many peers of the interface may send packets, and how many may not."""
        lines = self.world.wg("allowed-ips").splitlines()
        blocked = sum(line.endswith("(none)") for line in lines)
        return len(lines) - blocked, blocked


@pytest.fixture(scope="module")
def scene(world: World) -> Iterator[Scene]:
    fill_to(world, CLIENTS)
    world.manage("create_tenant", "--name", "bystander")
    words = ("create_token", "--tenant", "bystander", "--name", "shop", "--scopes", "*")
    token = world.manage(*words).strip().splitlines()[-1]
    tenant = world.books.one("SELECT uuid FROM tenants_tenant WHERE slug = 'default'")
    with closing(ApiCaller(world.port, world.token("--operator"))) as operator:
        yield Scene(world, operator, str(UUID(str(tenant))), token)


def test_suspend_and_resume_10_000_clients_while_another_tenant_makes_some(
    scene: Scene, figure: Figure
) -> None:
    world = scene.world
    daemon, workers = world.daemon(), [world.pid(name) for name in ("gateway", "control", "web")]
    quiet = Bystander(world, scene.bystander_token)
    with quiet.at_work():
        time.sleep(5)
    quiet.tell(figure, "quiet")
    entitled, blocked = scene.running()
    assert (blocked, entitled) == (0, CLIENTS + len(quiet.lives))

    scene.act("suspend", figure)
    entitled, blocked = scene.running()
    assert blocked == CLIENTS
    scene.act("resume", figure)
    entitled, blocked = scene.running()
    assert blocked == 0
    assert entitled > CLIENTS

    assert world.daemon() == daemon, "the interface was not restarted"
    assert [world.pid(name) for name in ("gateway", "control", "web")] == workers
    assert not [name for name in world.commands if world.died(name)]
    tiers = world.books.rows("SELECT DISTINCT tier FROM gateways_job WHERE tier IS NOT NULL")
    figure("restarts", sum(tier == 3 for (tier,) in tiers))
    assert tiers == [(1,)]
    events = world.books.rows(
        "SELECT action, count(*) FROM audit_auditevent"
        " WHERE action IN ('tenant.suspended', 'tenant.resumed') GROUP BY action"
    )
    assert dict(events) == {"tenant.suspended": 1, "tenant.resumed": 1}


def test_1000_clients_of_one_request_are_live_soon(scene: Scene, figure: Figure) -> None:
    """Beside 10,000 others, from before the request to the last peer on the interface."""
    world = scene.world
    before, known = sum(scene.running()), len(world.shim.calls())
    items = [{"name": f"Customer {n}", "external_id": f"order-{n}"} for n in range(TOGETHER)]
    with closing(ApiCaller(world.port, scene.bystander_token)) as shop:
        begin = time.perf_counter()
        run = shop.call("POST", "/api/v1/clients/bulk", {"action": "create", "items": items})
        answered = time.perf_counter() - begin
        world.wait_until(
            lambda: sum(scene.running()) == before + TOGETHER, "all are live", seconds=60
        )
        spent = time.perf_counter() - begin
        world.wait_until(
            lambda: bool(shop.call("GET", run["href"])["status"] == "succeeded"), "it says so"
        )
    figure("together_answered_ms", 1000 * answered)
    figure("together_all_live_s", spent)
    figure("together_wg_calls", len(world.shim.calls()) - known)
    figure("together_load_average", os.getloadavg()[0])
    assert spent <= TOGETHER_WITHIN


@pytest.fixture
def figure() -> Figure:
    """Print ``FIGURE name=value``."""
    return note_figure
