"""From an HTTP request to a peer on a real interface, through real processes, on both databases."""

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.lab import generate_keys
from tests.stack.processes import Stack

pytestmark = [pytest.mark.stack, pytest.mark.wg]


class Shop:
    """A reseller's server: it speaks the founding API with a token."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.token = stack.token()

    def post(self, path: str, body: dict[str, object], **headers: str) -> tuple[int, Any, float]:
        """Status, answer and seconds of one call."""
        request = urllib.request.Request(  # noqa: S310  http only
            f"{self.stack.url}{path}",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        begin = time.monotonic()
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  http only
            return answer.status, json.load(answer), time.monotonic() - begin

    def add(self, address: str) -> tuple[str, int, float]:
        """Add a peer: its public key, the status and the seconds of the call."""
        public = generate_keys()[1]
        status, _, seconds = self.post(
            "/api/wg/add-peer", {"public_key": public, "allowed_ips": [address]}
        )
        return public, status, seconds

    def is_live(self, public: str, address: str) -> Callable[[], bool]:
        """Whether the interface lets this peer through with this address."""
        return lambda: f"{public}\t{address}" in self.stack.wg("allowed-ips")


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    return Shop(stack)


def test_a_peer_added_over_http_is_on_the_interface(shop: Shop) -> None:
    public, status, _ = shop.add("10.252.2.1/32")

    assert status == 202
    shop.stack.wait_until(shop.is_live(public, "10.252.2.1/32"), "the peer is live", seconds=5)


def test_a_caller_that_waits_is_told_the_outcome(shop: Shop) -> None:
    public = generate_keys()[1]

    status, answer, _ = shop.post(
        "/api/wg/add-peer",
        {"public_key": public, "allowed_ips": ["10.252.2.2/32"]},
        Prefer="wait=15",
    )

    assert status == 200
    assert answer["job"]["status"] == "succeeded"
    assert shop.is_live(public, "10.252.2.2/32")()


def test_a_removed_peer_is_gone_from_the_interface(shop: Shop) -> None:
    public, _, _ = shop.add("10.252.2.3/32")
    shop.stack.wait_until(shop.is_live(public, "10.252.2.3/32"), "the peer is live")

    status, _, _ = shop.post("/api/wg/remove-peer", {"public_key": public}, Prefer="wait=15")

    assert status == 200
    assert public not in shop.stack.wg("peers")


def test_a_peer_is_removed_while_its_addition_is_applied(shop: Shop) -> None:
    """Request and worker write the same rows at the same time, and neither is told to try again."""
    added = []
    for number in range(1, 41):
        public, _, _ = shop.add(f"10.252.6.{number}/32")
        shop.post("/api/apply-wg-config", {})
        status, _, seconds = shop.post("/api/wg/remove-peer", {"public_key": public})
        assert (status, seconds < 1) == (202, True)
        added.append(public)
    shop.stack.wait_until(
        lambda: not set(added) & set(shop.stack.wg("peers").split()), "all are gone"
    )


@pytest.mark.parametrize(
    ("victim", "address"),
    [
        ("gateway", "10.252.3.1/32"),
        ("control", "10.252.3.2/32"),
        ("redis", "10.252.3.3/32"),
        ("beat", "10.252.3.4/32"),
    ],
)
def test_a_change_made_while_a_process_is_dead_is_live_when_it_is_back(
    shop: Shop, victim: str, address: str
) -> None:
    shop.stack.kill(victim)
    try:
        public, status, seconds = shop.add(address)
    finally:
        shop.stack.start(victim)

    assert status == 202
    assert seconds < 3
    shop.stack.wait_until(shop.is_live(public, address), f"live after {victim}", seconds=30)


def test_web_and_workers_survive_the_loss_of_their_database_connections(shop: Shop) -> None:
    """They are kept from request to request and from task to task, so each is asked before use."""
    for number in range(1, 5):
        shop.stack.drop_connections()
        public, status, _ = shop.add(f"10.252.5.{number}/32")
        assert status == 202
        shop.stack.wait_until(shop.is_live(public, f"10.252.5.{number}/32"), "live", seconds=5)


def test_a_hung_redis_does_not_hold_a_request(shop: Shop) -> None:
    shop.stack.signal_group("redis", signal.SIGSTOP)
    try:
        calls = [shop.add(f"10.252.4.{number}/32") for number in range(1, 6)]
    finally:
        shop.stack.signal_group("redis", signal.SIGCONT)

    assert [status for _, status, _ in calls] == [202] * 5
    assert max(seconds for _, _, seconds in calls) < 1
    for number, (public, _, _) in enumerate(calls, 1):
        shop.stack.wait_until(shop.is_live(public, f"10.252.4.{number}/32"), "live", seconds=20)


def test_no_secret_is_in_the_logs(shop: Shop) -> None:
    secrets = [
        shop.token,
        *(
            line.partition("=")[2].partition(":")[2] or line.partition("=")[2]
            for line in (shop.stack.state / "env").read_text().splitlines()
            if line.startswith(("SECRET_KEY=", "VWG_ENCRYPTION_KEYS="))
        ),
    ]

    assert len(secrets) == 3
    for name in shop.stack.commands:
        assert [secret for secret in secrets if secret in shop.stack.log(name)] == []
