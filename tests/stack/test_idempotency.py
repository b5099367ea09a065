"""``Idempotency-Key`` through real web processes that die: one client, one answer."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Figure, note_figure
from tests.stack.conftest import CLUSTER_URL, short_path
from tests.stack.doom import Doom
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg]

CLIENTS = "/api/v1/clients"
PARALLEL = 20


class DoomedStack(Stack):
    """A `Stack` whose web processes may be killed at a step of a request."""

    def __init__(self, state: Path, *, cluster_url: str | None) -> None:
        self.doom = Doom(state.parent / "doom")
        settings = {"PYTHONPATH": str(self.doom.directory)}
        super().__init__(state, cluster_url=cluster_url, settings=settings)


class Shop:
    """Posts with a key, on a fresh connection each time."""

    def __init__(self, stack: DoomedStack) -> None:
        self.stack = stack
        self.token = stack.token()

    def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
        try:
            own = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {**own, **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def create(self, name: str, key: str) -> tuple[int, dict[str, str], bytes]:
        return self.call("POST", CLIENTS, {"name": name}, **{"Idempotency-Key": key})

    def clients(self, name: str) -> list[str]:
        """The ids of the clients of this name."""
        found = json.loads(self.call("GET", f"{CLIENTS}?search={name}")[2])
        return [client["id"] for client in found["results"]]

    def insist(self, name: str, key: str) -> tuple[int, dict[str, str], bytes]:
        """Send until there is an answer: the web server may have to come back."""
        end = time.monotonic() + 30
        while True:
            try:
                return self.create(name, key)
            except (http.client.HTTPException, OSError):
                assert time.monotonic() < end, "the web server did not come back"
                time.sleep(0.05)


@pytest.fixture(scope="module", params=["sqlite", *(["postgresql"] if CLUSTER_URL else [])])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    cluster_url = CLUSTER_URL if request.param == "postgresql" else None
    with DoomedStack(short_path(tmp_path_factory), cluster_url=cluster_url) as stack:
        yield Shop(stack)


@pytest.fixture
def figure() -> Figure:
    return note_figure


def kill_and_retry(shop: Shop, step: str, victim: str) -> float:
    """Kill at a step of a create, send it again; the seconds from the kill to the answer."""
    name, key = f"n-{secrets.token_hex(6)}", f"order-{secrets.token_hex(6)}"
    shop.stack.doom.arm(step, victim)
    with pytest.raises((http.client.HTTPException, OSError)):
        shop.create(name, key)
    began = time.monotonic()
    assert shop.stack.doom.struck()
    if victim == "all":
        shop.stack.kill("web")
        shop.stack.start("web")
    status, headers, body = shop.insist(name, key)
    seconds = time.monotonic() - began
    assert status == 201, body
    # What was committed is replayed; what was not is carried out now, without a wait.
    assert ("Idempotency-Replayed" in headers) == (step == "after")
    assert shop.clients(name) == [json.loads(body)["id"]]
    again = shop.create(name, key)
    assert (again[0], again[2]) == (201, body)
    assert again[1]["Idempotency-Replayed"] == "true"
    assert again[1]["Location"] == headers["Location"]
    assert len(shop.clients(name)) == 1
    return seconds


@pytest.mark.parametrize("victim", ["worker", "all"])
@pytest.mark.parametrize("step", ["before", "after"])
def test_killed_between_commit_and_answer_the_retry_gets_the_answer(
    step: str, victim: str, shop: Shop, figure: Figure
) -> None:
    figure(f"idempotency_{step}_{victim}_s", kill_and_retry(shop, step, victim))


@pytest.mark.proof
@pytest.mark.parametrize("step", ["before", "after"])
def test_twenty_kills_at_each_step(step: str, shop: Shop, figure: Figure) -> None:
    seconds = [kill_and_retry(shop, step, "worker") for _ in range(20)]
    figure(f"idempotency_{step}_20_kills_max_s", max(seconds))


def test_twenty_equal_requests_at_once_make_one_client(shop: Shop) -> None:
    name, key = f"n-{secrets.token_hex(6)}", f"order-{secrets.token_hex(6)}"
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(lambda _: shop.create(name, key), range(PARALLEL)))
    assert {answer[0] for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer[0] == 201]
    assert len({answer[2] for answer in made}) == 1
    assert [("Idempotency-Replayed" in answer[1]) for answer in made].count(False) == 1
    assert shop.clients(name) == [json.loads(made[0][2])["id"]]


def test_the_requests_of_a_killed_server_are_not_lost(shop: Shop) -> None:
    """Ten shops at once; the whole web server dies under them; each sends again."""
    orders = [(f"n-{secrets.token_hex(6)}", f"order-{secrets.token_hex(6)}") for _ in range(10)]
    shop.stack.doom.arm("before", "all")

    def order(pair: tuple[str, str]) -> int:
        end = time.monotonic() + 60
        while True:
            status = shop.insist(*pair)[0]
            if status != 409 or time.monotonic() > end:
                return status
            time.sleep(0.2)

    with ThreadPoolExecutor(len(orders)) as pool:
        running = [pool.submit(order, pair) for pair in orders]
        shop.stack.wait_until(shop.stack.doom.struck, "the web server died")
        shop.stack.kill("web")
        shop.stack.start("web")
        assert {future.result() for future in running} == {201}
    assert [len(shop.clients(name)) for name, _ in orders] == [1] * len(orders)
