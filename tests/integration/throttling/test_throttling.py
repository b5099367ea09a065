"""Requests a minute: per token, per tenant, wrong tokens per address; with Redis and without."""

from __future__ import annotations

import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from rest_framework.test import APIClient

from gateways.models import Interface
from tenants import throttling
from tenants.models import ApiToken, Tenant, User
from tenants.throttling import Counters, Standing, network_of, spend
from tests.conftest import bearer
from tests.make import make_token

JOBS = "/api/v1/jobs"
AT = 1_800_000_000.0  # 20 s into its minute


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(throttling, "counters", Counters())
    with time_machine.travel(AT, tick=False):
        yield


def statuses(api: APIClient, number: int, **options: Any) -> list[int]:
    return [api.get(JOBS, **options).status_code for _ in range(number)]


def limit(token: str, number: int | None) -> None:
    ApiToken.objects.filter(prefix=token.split("_")[1]).update(requests_per_minute=number)


def test_a_token_has_so_many_requests_a_minute(alice_token: str) -> None:
    limit(alice_token, 3)
    api = bearer(alice_token)
    answers = [api.get(JOBS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"3"}
    assert {answer["RateLimit-Reset"] for answer in answers} == {"60"}
    refused = answers[-1]
    assert refused["Retry-After"] == "60"
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/throttled"
    with time_machine.travel(AT + 59.5, tick=False):
        again = api.get(JOBS)
        assert (again.status_code, again["Retry-After"]) == (429, "1")
    with time_machine.travel(AT + 60, tick=False):
        assert statuses(api, 4) == [200, 200, 200, 429]


def test_another_token_is_not_held_up(alice_token: str, acme: Tenant) -> None:
    limit(alice_token, 1)
    assert statuses(bearer(alice_token), 2) == [200, 429]
    assert statuses(bearer(make_token(acme)[1]), 2) == [200, 200]


def test_a_tenants_tokens_share_its_limit(
    acme: Tenant, alice_token: str, mallory_token: str
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(requests_per_minute=3)
    other = make_token(acme)[1]
    assert statuses(bearer(alice_token), 2) == [200, 200]
    assert statuses(bearer(other), 2) == [200, 429]
    assert statuses(bearer(mallory_token), 4) == [200] * 4


def test_the_headers_tell_the_limit_that_is_nearest(acme: Tenant, alice_token: str) -> None:
    limit(alice_token, 100)
    Tenant.objects.filter(pk=acme.pk).update(requests_per_minute=10)
    answer = bearer(alice_token).get(JOBS)
    assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == ("10", "9")


def test_defaults_are_settings_and_zero_is_no_limit(
    alice_token: str, settings: LazySettings
) -> None:
    settings.VWG_TOKEN_REQUESTS, settings.VWG_TENANT_REQUESTS = 2, 0
    assert statuses(bearer(alice_token), 3) == [200, 200, 429]
    limit(alice_token, 0)
    answer = bearer(alice_token).get(JOBS)
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer


def test_a_session_has_a_limit_too(alice: User, settings: LazySettings) -> None:
    settings.VWG_TOKEN_REQUESTS = 2
    api = APIClient()
    api.force_login(alice)
    assert statuses(api, 3) == [200, 200, 429]


def test_an_operator_spends_nothing_of_the_tenant(
    acme: Tenant, operator_api: APIClient, alice_token: str
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(requests_per_minute=2)
    assert statuses(operator_api, 4, headers={"X-VWG-Tenant": "acme"}) == [200] * 4
    assert statuses(bearer(alice_token), 3) == [200, 200, 429]


def test_what_is_refused_counts_and_changes_nothing(
    acme: Tenant, interface: Interface, alice_token: str
) -> None:
    limit(alice_token, 2)
    api = bearer(alice_token)
    assert [api.post("/api/v1/clients", {"name": 7}).status_code for _ in range(2)] == [400, 400]
    assert api.post("/api/v1/clients", {"name": "Sara"}).status_code == 429
    assert not acme.clients.exists()


def test_the_founding_calls_keep_their_shape(alice_token: str, interface: Interface) -> None:
    limit(alice_token, 1)
    api = bearer(alice_token)
    answers = [api.get("/api/wg/status") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["success"] is False
    assert "RateLimit-Limit" in answers[1]


# -- wrong tokens -------------------------------------------------------------------------------


def wrong() -> str:
    return f"Bearer vwg_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"


def guess(number: int, **headers: str) -> list[Any]:
    api = APIClient()
    return [api.get(JOBS, headers={"Authorization": wrong(), **headers}) for _ in range(number)]


def test_42_fifty_wrong_tokens_a_minute_are_429(
    db: None, settings: LazySettings, alice_token: str
) -> None:
    settings.VWG_WRONG_TOKENS = 30
    found = guess(50)
    assert [answer.status_code for answer in found] == [401] * 30 + [429] * 20
    assert int(found[-1]["Retry-After"]) > 0
    # A good token from the same address is let through: nobody is locked out by a neighbour.
    assert bearer(alice_token).get(JOBS).status_code == 200


def test_42_a_header_does_not_reset_the_limit(db: None, settings: LazySettings) -> None:
    settings.VWG_WRONG_TOKENS = 5
    found = [guess(1, **{"X-Forwarded-For": f"203.0.113.{i}"})[0] for i in range(7)]
    assert [answer.status_code for answer in found] == [401] * 5 + [429] * 2
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    found = [guess(1, **{"X-Forwarded-For": f"203.0.113.{i}, 198.51.100.7"})[0] for i in range(7)]
    assert [answer.status_code for answer in found] == [401] * 5 + [429] * 2


def test_a_suspended_tenants_tokens_count_too(
    acme: Tenant, alice: User, alice_token: str, mallory_token: str, settings: LazySettings
) -> None:
    settings.VWG_WRONG_TOKENS = 3
    Tenant.objects.filter(pk=acme.pk).update(status=Tenant.Status.SUSPENDED)
    assert statuses(bearer(alice_token), 5) == [403] * 3 + [429] * 2
    assert statuses(bearer(mallory_token), 1) == [200]
    with time_machine.travel(AT + 60, tick=False):
        session = APIClient()
        session.force_login(alice)
        assert statuses(session, 5) == [403] * 3 + [429] * 2


def test_an_ipv6_host_has_its_64() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("203.0.113.1") != network_of("203.0.113.2")
    assert network_of(None) == "local"


# -- Redis --------------------------------------------------------------------------------------


@pytest.fixture
def broker(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis of this test, and the settings that name it. It may take its time."""
    monkeypatch.setattr(throttling, "_PATIENCE", 5.0)
    path = tmp_path / "r.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        end = time.monotonic() + 20
        while not path.exists():
            assert time.monotonic() < end, "Redis did not start"
            time.sleep(0.01)
        settings.REDIS_URL = f"redis+socket://{path}"
        yield process
    finally:
        process.kill()
        process.wait()


def test_processes_share_their_counts_through_redis(
    broker: subprocess.Popen[bytes],
) -> None:
    one, other = Counters(), Counters()
    assert one.add(["a", "b"], at=AT) == [1, 1]
    assert other.add(["a"], at=AT) == [2]
    assert one.add(["a", "b"], at=AT) == [3, 2]
    assert one.add(["a"], at=AT + 60) == [1]
    assert [other.look(name, at=AT) for name in ("a", "b", "c")] == [3, 2, 0]
    client: Any = one._client
    assert all(0 < client.ttl(key) <= 120 for key in client.keys("*"))


def test_without_redis_each_process_counts_by_itself(broker: subprocess.Popen[bytes]) -> None:
    one, other = Counters(), Counters()
    assert one.add(["a"], at=AT) == [1]
    broker.kill()
    broker.wait()
    assert [one.add(["a"], at=AT) for _ in range(3)] == [[1], [2], [3]]
    assert other.add(["a"], at=AT) == [1]
    assert one.look("a", at=AT) == 3
    assert one.add(["a"], at=AT + 60) == [1]
    assert one.look("a", at=AT) == 0


def test_a_redis_that_hangs_is_left_alone(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts and never answers: it is asked once, then not for a while, then once more."""
    path, asked = tmp_path / "hung.sock", []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        settings.REDIS_URL = f"redis+socket://{path}"
        counters = Counters()
        real = Counters._add_shared

        def noted(self: Counters, *arguments: Any) -> list[int]:
            asked.append(1)
            return real(self, *arguments)

        monkeypatch.setattr(Counters, "_add_shared", noted)
        assert [counters.add(["a"], at=AT)[0] for _ in range(50)] == list(range(1, 51))
        assert len(asked) == 1
        counters._rests_until = 0
        counters.add(["a"], at=AT)
        assert len(asked) == 2


def test_threads_of_one_process_lose_no_count() -> None:
    counters = Counters()
    counters._rests_until = time.monotonic() + 3600

    def run() -> None:
        for _ in range(200):
            counters.add(["a"], at=AT)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.add(["a"], at=AT) == [1601]


def test_the_nearest_of_several_limits() -> None:
    assert spend([("x", 0), ("y", 0)]) is None
    found = spend([("x", 10), ("y", 5), ("z", 0)], at=AT + 7.2)
    assert found == Standing(limit=5, used=1, reset=53)
    assert throttling.WINDOW == 60
