"""Twenty equal requests at the same moment, over real threads and connections: one client."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from gateways.models import Job
from peers.models import Client, PeerAddress
from rest.models import IdempotentRequest
from tests.conftest import bearer
from tests.make import make_interface, make_tenant, make_token

PARALLEL = 20


def at_once(number: int, act: Any) -> list[Any]:
    """What ``act(i)`` gave in so many threads that start together."""
    gate, answers = threading.Barrier(number), [None] * number

    def run(index: int) -> None:
        try:
            gate.wait(30)
            answers[index] = act(index)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert None not in answers
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["/api/v1/clients", "/api/wg/add-peer"])
def test_twenty_equal_requests_make_one_client(url: str) -> None:
    make_interface()
    token = make_token(make_tenant("acme"))[1]
    body = {"name": "Sara", **({} if "v1" in url else {"public_key": "aA" * 21 + "8="})}

    def act(_: int) -> Any:
        api = bearer(token)
        return api.post(url, body, headers={"Idempotency-Key": "order-1"})

    answers = at_once(PARALLEL, act)
    made = [answer for answer in answers if answer.status_code < 300]
    rest = Counter(
        answer.json()["errors"][0]["code"] for answer in answers if answer.status_code >= 300
    )
    assert rest.keys() <= {"idempotency_in_progress"}, rest
    assert all(answer.headers.get("Retry-After") for answer in answers if answer not in made)
    assert len({answer.content for answer in made}) == 1
    assert [("Idempotency-Replayed" in answer) for answer in made].count(False) == 1
    assert (Client.objects.count(), Job.objects.count()) == (1, 1)
    assert PeerAddress.objects.count() == 2
    assert IdempotentRequest.objects.get().status == "done"
    assert act(0).content == made[0].content


@pytest.mark.django_db(transaction=True)
def test_twenty_different_keys_make_twenty_clients() -> None:
    make_interface()
    token = make_token(make_tenant("acme"))[1]

    def act(index: int) -> Any:
        headers = {"Idempotency-Key": f"order-{index}"}
        return bearer(token).post("/api/v1/clients", {"name": "Sara"}, headers=headers)

    assert {answer.status_code for answer in at_once(PARALLEL, act)} == {201}
    assert Client.objects.count() == PARALLEL
