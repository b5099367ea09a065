"""``Idempotency-Key``: once carried out, answered the same, and what happens in between."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from audit.models import AuditEvent
from control import tasks
from gateways.models import Interface, Job
from peers.models import Client
from peers.services.clients import create_client
from rest import claimants, idempotency
from rest.models import IdempotentRequest
from rest.views import ApiView
from tenants.models import Tenant, User
from tests.conftest import bearer
from tests.make import make_public_key, make_tenant, make_token

CLIENTS, ADD = "/api/v1/clients", "/api/wg/add-peer"


def post(api: APIClient, body: Any, key: str = "k1", *, url: str = CLIENTS, **headers: str) -> Any:
    return api.post(url, body, headers={"Idempotency-Key": key, **headers})


def code(answer: Any) -> str:
    found: str = answer.json()["errors"][0]["code"]
    return found


def test_the_same_request_is_answered_the_same_and_done_once(
    alice_api: APIClient, interface: Interface
) -> None:
    first = post(alice_api, {"name": "Sara"})
    again = post(alice_api, {"name": "Sara"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("Location", "ETag", "Content-Type"):
        assert again[name] == first[name]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert (Client.objects.count(), Job.objects.count()) == (1, 1)
    assert AuditEvent.objects.filter(action="client.created").count() == 1


def test_the_founding_calls_too(alice_api: APIClient, interface: Interface) -> None:
    body = {"public_key": make_public_key()}
    first, again = (post(alice_api, body, url=ADD) for _ in range(2))
    assert again.status_code == first.status_code == 202
    assert again.content == first.content
    assert Client.objects.count() == 1


def test_without_a_key_each_is_done(alice_api: APIClient, interface: Interface) -> None:
    for _ in range(2):
        alice_api.post(CLIENTS, {"name": "Sara"})
    assert Client.objects.count() == 2
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (CLIENTS, {"name": "Sarah"}),
        (ADD, {"name": "Sara", "public_key": make_public_key()}),
    ],
    ids=["body", "path"],
)
def test_the_key_for_another_request_is_422(
    url: str, body: Any, alice_api: APIClient, interface: Interface
) -> None:
    post(alice_api, {"name": "Sara"})
    other = post(alice_api, body, url=url)
    assert (other.status_code, code(other)) == (422, "idempotency_key_reused")
    assert Client.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "x" * 300, "a\tb"])
def test_what_is_no_key_is_400(key: str, alice_api: APIClient, interface: Interface) -> None:
    answer = post(alice_api, {"name": "Sara"}, key)
    assert (answer.status_code, code(answer)) == (400, "idempotency_key_invalid")
    assert not Client.objects.exists()


@pytest.mark.parametrize("key", ["!", "~", "x" * 255, 'a"b,c;d'])
def test_any_visible_ascii_is_a_key(key: str, alice_api: APIClient, interface: Interface) -> None:
    assert [post(alice_api, {"name": "Sara"}, key).status_code for _ in range(2)] == [201, 201]
    assert Client.objects.count() == 1


def test_another_tenants_key_is_its_own(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    first, other = post(alice_api, {"name": "Sara"}), post(mallory_api, {"name": "Sara"})
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]
    assert "Idempotency-Replayed" not in other


def test_the_tenant_an_operator_acts_for_is_the_scope(
    operator_api: APIClient, acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    answers = [
        post(operator_api, {"name": "Sara"}, **{"X-VWG-Tenant": tenant.slug})
        for tenant in (acme, evil)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_an_operators_answer_is_not_replayed_to_a_tenant(
    operator_api: APIClient, alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    post(operator_api, {"name": "Sara"}, **{"X-VWG-Tenant": "acme"})
    assert post(alice_api, {"name": "Sara"}).status_code == 422


def test_another_token_of_the_tenant_is_answered_the_same(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    first = post(alice_api, {"name": "Sara"})
    other = bearer(make_token(acme)[1])
    assert post(other, {"name": "Sara"}).content == first.content
    viewer = bearer(make_token(acme, scopes=["clients:read"])[1])
    assert post(viewer, {"name": "Sara"}).status_code == 403


def test_a_refusal_leaves_no_record(alice_api: APIClient, interface: Interface) -> None:
    taken = {"name": "Sara", "external_id": "7"}
    made = alice_api.post(CLIENTS, taken).json()
    refused = post(alice_api, taken)
    assert (refused.status_code, code(refused)) == (409, "external_id_taken")
    assert not IdempotentRequest.objects.exists()
    alice_api.patch(f"{CLIENTS}/{made['id']}", {"external_id": None})
    assert post(alice_api, taken).status_code == 201


def test_a_crash_of_the_handler_leaves_neither_change_nor_record(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**words: Any) -> Any:
        create_client(**words)
        raise RuntimeError

    alice_api.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("peers.api.clients.create_client", broken)
        assert post(alice_api, {"name": "Sara"}).status_code == 500
    assert not Client.objects.exists()
    assert not IdempotentRequest.objects.exists()
    assert post(alice_api, {"name": "Sara"}).status_code == 201


def test_a_failure_to_keep_the_answer_undoes_the_change(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice_api.raise_request_exception = False
    monkeypatch.setattr(idempotency, "_body", lambda *_: 1 / 0)
    assert post(alice_api, {"name": "Sara"}).status_code == 500
    assert not Client.objects.exists()


# -- what runs, and what died -------------------------------------------------------------------


def running(tenant: Tenant, body: bytes, claim: UUID, *, seconds: float = 60) -> IdempotentRequest:
    """A record as a process leaves it that has begun with ``POST /api/v1/clients``."""
    request = Request(APIRequestFactory().post(CLIENTS, body, content_type="application/json"))
    caller = type("Caller", (), {"operator": ""})()
    at = timezone.now()
    return IdempotentRequest.objects.create(
        tenant=tenant,
        key="k1",
        fingerprint=idempotency._fingerprint(request, caller),
        claim=claim,
        claimed_until=at + timedelta(seconds=seconds),
        created_at=at,
    )


def elsewhere() -> UUID:
    """A claim that another host made."""
    return UUID(bytes=b"else" + bytes(12))


def dead() -> UUID:
    """A claim of a process of this host that is no more: the first one's number, another start."""
    own = claimants.new_claim().bytes
    return UUID(bytes=own[:4] + (1).to_bytes(4) + b"\xff\xff\xff\xfe" + own[12:])


BODY = b'{"name":"Sara"}'


def test_a_request_that_still_runs_is_409_with_a_hint(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    running(acme, BODY, claimants.new_claim())
    answer = post(alice_api, {"name": "Sara"})
    assert (answer.status_code, code(answer)) == (409, "idempotency_in_progress")
    assert answer["Retry-After"] == "1"
    assert post(alice_api, {"name": "Sarah"}).status_code == 422
    assert not Client.objects.exists()


def test_a_dead_process_of_this_host_is_found_at_once(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    row = running(acme, BODY, dead())
    assert post(alice_api, {"name": "Sara"}).status_code == 201
    row.refresh_from_db()
    assert row.status == "done"
    assert Client.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_a_lost_database_kept_is_free_at_the_next_try(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*words: Any, **named: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    def release_is_lost(execute: Any, sql: str, *rest: Any) -> Any:
        return lost() if sql.startswith("DELETE") else execute(sql, *rest)

    with monkeypatch.context() as patch, connection.execute_wrapper(release_is_lost):
        patch.setattr("peers.api.clients.create_client", lost)
        assert post(alice_api, {"name": "Sara"}).status_code == 503
    assert IdempotentRequest.objects.get().status == "running"
    assert post(alice_api, {"name": "Sara"}).status_code == 201
    assert Client.objects.count() == 1


def test_what_died_elsewhere_is_taken_over_when_its_time_is_over(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    running(acme, BODY, elsewhere(), seconds=60)
    assert post(alice_api, {"name": "Sara"}).status_code == 409
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert post(alice_api, {"name": "Sara"}).status_code == 201
    assert Client.objects.count() == 1


def test_whose_claim_was_taken_over_changes_nothing(
    alice_api: APIClient, acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = idempotency._keep

    def late(row: IdempotentRequest, *rest: Any) -> None:
        IdempotentRequest.objects.filter(pk=row.pk).update(claim=elsewhere())
        keep(row, *rest)

    monkeypatch.setattr(idempotency, "_keep", late)
    answer = post(alice_api, {"name": "Sara"})
    assert (answer.status_code, code(answer)) == (409, "idempotency_in_progress")
    assert not Client.objects.exists()


def test_a_claim_that_another_takes_first_is_not_taken(
    alice_api: APIClient, acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = running(acme, BODY, dead())

    def overtaken(claim: UUID) -> bool:
        IdempotentRequest.objects.filter(pk=row.pk).update(claim=elsewhere())
        return True

    monkeypatch.setattr(idempotency, "is_dead", overtaken)
    assert post(alice_api, {"name": "Sara"}).status_code == 409
    assert not Client.objects.exists()


def test_claims_are_never_the_same_and_the_living_are_not_dead() -> None:
    claims = [claimants.new_claim() for _ in range(100)]
    assert len(set(claims)) == 100
    assert not any(claimants.is_dead(claim) for claim in claims)
    claimants.let_go(claims[0])
    assert [claim for claim in claims if claimants.is_dead(claim)] == claims[:1]
    assert not claimants.is_dead(elsewhere())
    assert claimants.is_dead(dead())


# -- how long, and what is not kept -------------------------------------------------------------


def test_after_24_hours_a_key_is_free_again(alice_api: APIClient, interface: Interface) -> None:
    first = post(alice_api, {"name": "Sara"})
    row = IdempotentRequest.objects.get()
    soon = timezone.now() + timedelta(hours=23, minutes=59)
    with time_machine.travel(soon):
        assert post(alice_api, {"name": "Sara"}).content == first.content
    with time_machine.travel(soon + timedelta(minutes=2)):
        other = post(alice_api, {"name": "Sarah"})
        assert other.status_code == 201
        assert post(alice_api, {"name": "Sarah"}).content == other.content
    row.refresh_from_db()
    assert Client.objects.count() == 2


class Secretive(ApiView):
    """Answers with what is shown once."""

    scopes = {"POST": "clients:write"}
    secret_fields = ("secret", "token.secret", "results.secret", "absent.secret")

    def post(self, request: Request) -> Response:
        row = {"id": 1, "secret": "s3cret"}
        return Response({"secret": "s3cret", "token": row, "results": [row, row]}, status=201)


def test_secrets_are_shown_once(alice: User) -> None:
    def ask() -> Any:
        request = APIRequestFactory().post("/", headers={"Idempotency-Key": "k"})
        force_authenticate(request, alice)
        return Secretive.as_view()(request).render()

    first, again = ask(), ask()
    assert first.content.count(b"s3cret") == 4
    row = {"id": 1, "secret": None}
    assert json.loads(again.content) == {"secret": None, "token": row, "results": [row, row]}
    assert again.status_code == 201
    assert "s3cret" not in IdempotentRequest.objects.get().answer_body


def test_a_replay_waits_for_the_job_if_the_caller_likes_to(
    alice_api: APIClient, interface: Interface
) -> None:
    first = post(alice_api, {"name": "Sara"})
    Job.objects.update(status="succeeded", finished_at=timezone.now(), message="Done")
    waited = post(alice_api, {"name": "Sara"}, Prefer="wait=5")
    assert waited.status_code == 200
    assert waited["Preference-Applied"] == "wait=5"
    assert waited["Idempotency-Replayed"] == "true"
    assert waited.json()["id"] == first.json()["id"]
    assert waited.json()["job"]["status"] == "succeeded"
    Job.objects.update(status="failed", message="wg0 refused the peer")
    assert post(alice_api, {"name": "Sara"}, Prefer="wait=5").status_code == 502
    assert post(alice_api, {"name": "Sara"}).content == first.content
    Job.objects.all().delete()
    assert post(alice_api, {"name": "Sara"}, Prefer="wait=5").content == first.content


@pytest.mark.parametrize("act", ["terminate", "suspend"])
def test_an_act_by_the_sellers_own_id_is_replayed_when_the_client_is_gone(
    act: str, alice_api: APIClient, interface: Interface
) -> None:
    made = alice_api.post(CLIENTS, {"name": "Sara", "external_id": "7"}).json()
    url = f"{CLIENTS}/by-external-id/7/{act}"
    first = post(alice_api, {}, url=url)
    alice_api.delete(f"{CLIENTS}/{made['id']}")
    again = post(alice_api, {}, url=url)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again["Idempotency-Replayed"] == "true"


def test_nobody_makes_no_record(anonymous_api: APIClient, interface: Interface) -> None:
    assert post(anonymous_api, {"name": "Sara"}).status_code == 401
    assert not IdempotentRequest.objects.exists()


def test_a_tenant_of_its_own_has_its_records_erased_with_it(interface: Interface, db: None) -> None:
    tenant = make_tenant("gone")
    running(tenant, BODY, elsewhere())
    tenant.delete()
    assert not IdempotentRequest.objects.exists()


def test_the_hourly_task_prunes(acme: Tenant) -> None:
    running(acme, BODY, elsewhere())
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        tasks.prune()
    assert not IdempotentRequest.objects.exists()
