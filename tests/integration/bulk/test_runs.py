"""Large bulk requests: done by a worker, batch after batch, once each, whatever dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditEvent
from control import tasks
from gateways.hints import Hint, publisher
from gateways.models import Interface, Job
from peers.models import BulkItem, BulkRun, Client, Peer
from peers.services import switching
from peers.services.bulk import acts, creates, runs
from peers.services.entitlement import Standing
from tenants.models import ApiToken, Membership, Tenant, User
from tests.conftest import bearer
from tests.integration.bulk.test_bulk import bulk, named
from tests.make import make_client, make_public_key, make_token, make_user


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 3 items are many, and a batch has 4."""
    monkeypatch.setattr(runs, "AT_ONCE", 3)
    monkeypatch.setattr(runs, "BATCH", 4)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[Hint]:
    """The hints that were left."""
    found: list[Hint] = []
    monkeypatch.setattr(publisher, "leave", found.append)
    return found


def work(body: dict[str, Any]) -> BulkRun:
    """What the worker does with the run's hint."""
    run = BulkRun.objects.get(uuid=body["id"])
    tasks.bulk(run_id=run.pk)
    run.refresh_from_db()
    return run


def test_a_large_request_is_a_run_that_a_worker_finishes(
    alice_api: APIClient,
    interface: Interface,
    left: list[Hint],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        items = [*named(9, preshared_key="generate"), {"name": ""}]
        body = bulk(alice_api, "create", items=items, status=202)
    assert (body["status"], body["progress"]["total"], body["jobs"]) == ("pending", 10, [])
    run = BulkRun.objects.get()
    assert left == [Hint("control.bulk", "control", "run_id", run.pk)]
    assert "preshared" not in run.request
    assert not Client.objects.exists()
    assert AuditEvent.objects.filter(action="bulk.requested").count() == 1
    work(body)
    after = alice_api.get(body["href"]).json()
    assert (after["status"], after["progress"]) == (
        "failed",
        {"total": 10, "done": 10, "failed": 1},
    )
    assert len(after["jobs"]) == Job.objects.count() == 3
    assert sum(Job.objects.values_list("total", flat=True)) == 9
    results = alice_api.get(f"{body['items_href']}?limit=200").json()["results"]
    assert [one["index"] for one in results] == list(range(10))
    assert results[9]["error"]["code"] == "blank"
    assert results[3]["devices"][0]["public_key"] == Peer.objects.get(client__name="C3").public_key
    event = AuditEvent.objects.filter(action="client.created").first()
    assert event is not None
    assert (event.actor_kind, event.actor_name) == ("token", "alice")
    run.refresh_from_db()
    assert run.request == ""


def test_a_killed_worker_s_run_goes_on_where_it_was(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch, left: list[Hint]
) -> None:
    body = bulk(alice_api, "create", items=named(10), status=202)
    run = BulkRun.objects.get()
    real, calls = creates.create_many, []

    def dies_in_the_second(**arguments: Any) -> Any:
        calls.append(len(arguments["entries"]))
        found = real(**arguments)
        if len(calls) == 2:
            raise OperationalError("the worker is gone")
        return found

    monkeypatch.setattr(runs, "create_many", dies_in_the_second)
    with pytest.raises(OperationalError):
        tasks.bulk(run_id=run.pk)
    run.refresh_from_db()
    assert (run.status, run.done, Client.objects.count()) == ("running", 4, 4)
    assert runs.overdue_runs(at=timezone.now()) == []
    runs.hint_overdue(at=timezone.now() + timedelta(minutes=1))
    assert [hint.pk for hint in left] == [run.pk]
    run = work(body)
    assert calls == [4, 4, 4, 2]
    assert (run.status, run.done) == ("succeeded", 10)
    assert sorted(Client.objects.values_list("name", flat=True)) == [f"C{n}" for n in range(10)]
    assert BulkItem.objects.count() == 10


def test_others_have_their_turn_between_two_batches_where_one_writes_at_a_time(
    alice_api: APIClient, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH_OF_ONE_WRITER", 2)
    pauses = list[tuple[float, int]]()

    def note(seconds: float) -> None:
        assert len(connection.savepoint_ids) == outside
        pauses.append((seconds, BulkItem.objects.count()))

    monkeypatch.setattr(time, "sleep", note)
    body = bulk(alice_api, "create", items=named(5), status=202)
    outside = len(connection.savepoint_ids)
    assert work(body).done == 5
    one_writer = connection.vendor == "sqlite"
    assert pauses == ([(runs.PAUSE_S, 2), (runs.PAUSE_S, 4)] if one_writer else [])
    assert Job.objects.count() == (3 if one_writer else 2)


def test_a_hint_that_comes_twice_does_nothing_twice(
    alice_api: APIClient, interface: Interface
) -> None:
    body = bulk(alice_api, "create", items=named(6), status=202)
    assert work(body).done == 6
    assert work(body).done == 6
    assert Client.objects.count() == 6


def test_a_run_whose_hint_was_lost_is_found(alice_api: APIClient, left: list[Hint]) -> None:
    bulk(alice_api, "create", items=named(6), status=202)
    run = BulkRun.objects.get()
    tasks.sweep()
    assert left == []
    BulkRun.objects.update(created_at=timezone.now() - timedelta(seconds=3))
    tasks.sweep()
    assert [hint.pk for hint in left] == [run.pk]


def test_all_or_nothing_is_one_batch(alice_api: APIClient, interface: Interface) -> None:
    items = [*named(9), {"name": "x", "external_id": "x-0"}]
    body = bulk(alice_api, "create", items=items, all_or_nothing=True, status=202)
    run = work(body)
    assert (run.status, run.done, run.failed) == ("failed", 10, 10)
    assert not Client.objects.exists()
    found = BulkItem.objects.order_by("index").values_list("outcome", "code")
    assert list(found) == [("skipped", "rolled_back")] * 9 + [("failed", "external_id_taken")]


def test_a_large_dry_run_leaves_its_results_alone(
    alice_api: APIClient, interface: Interface
) -> None:
    items = [*named(9), {"name": "x", "external_id": "x-0"}]
    body = bulk(alice_api, "create", items=items, dry_run=True, status=202)
    run = work(body)
    assert (run.done, run.failed) == (10, 1)
    assert not Client.objects.exists()
    assert not Job.objects.exists()
    assert not AuditEvent.objects.filter(target_type="client").exists()


def test_whom_a_filter_means_is_fixed_when_it_is_asked(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    for _ in range(5):
        make_client(acme, tags=["t"])
    body = bulk(alice_api, "delete", filter={"tag": "t"}, status=202)
    late = make_client(acme, tags=["t"])
    assert work(body).done == 5
    assert list(Client.objects.filter(deleted_at=None)) == [late]


def test_a_tenant_that_was_suspended_meanwhile_is_not_served(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    body = bulk(alice_api, "create", items=named(6), status=202)
    Tenant.objects.filter(pk=acme.pk).update(status="suspended")
    run = work(body)
    assert (run.status, run.failed) == ("failed", 6)
    assert set(BulkItem.objects.values_list("code", flat=True)) == {"tenant_suspended"}
    assert not Client.objects.exists()


def gone_after_a_batch(monkeypatch: pytest.MonkeyPatch, end: Callable[[], object]) -> None:
    """``end`` comes to pass while the first batch is carried out."""
    real, calls = creates.create_many, list[int]()

    def ending(**arguments: Any) -> Any:
        calls.append(len(arguments["entries"]))
        if len(calls) == 1:
            end()
        return real(**arguments)

    monkeypatch.setattr(runs, "create_many", ending)


def of_alice() -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(name="alice")


ENDS: dict[str, Callable[[], object]] = {
    "revoked": lambda: of_alice().update(revoked_at=timezone.now()),
    "expired": lambda: of_alice().update(expires_at=timezone.now()),
    "deleted": lambda: of_alice().delete(),
    "without the scope": lambda: of_alice().update(scopes=["clients:read"]),
    "no member": lambda: Membership.objects.filter(user__username="alice").delete(),
    "a viewer": lambda: Membership.objects.filter(user__username="alice").update(role="viewer"),
    "barred": lambda: User.objects.filter(username="alice").update(is_active=False),
    "of another tenant": lambda: of_alice().update(tenant=Tenant.objects.get(slug="evil")),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("late", [False, True])
def test_who_may_no_more_has_nothing_more_done(
    acme: Tenant,
    evil: Tenant,
    alice: User,
    interface: Interface,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
    late: bool,
) -> None:
    api = bearer(make_token(acme, name="alice", user=alice)[1])
    body = bulk(api, "create", items=named(10), status=202)
    if late:
        gone_after_a_batch(monkeypatch, ENDS[end])
    else:
        ENDS[end]()
    run = work(body)
    done = 4 if late else 0
    assert (run.status, run.done, run.failed, run.request) == ("failed", 10, 10 - done, "")
    codes = BulkItem.objects.order_by("index").values_list("code", flat=True)
    assert list(codes) == [""] * done + ["authority_withdrawn"] * (10 - done)
    assert Client.objects.count() == done


@pytest.mark.parametrize("level", ["", "read-only"])
def test_an_operator_of_yesterday_has_nothing_done(
    acme: Tenant, interface: Interface, level: str
) -> None:
    boss = make_user("boss", operator="full")
    api = APIClient()
    api.default_format = "json"
    api.force_login(boss)
    api.credentials(HTTP_X_VWG_TENANT="acme")
    first = bulk(api, "create", items=named(4), status=202)
    assert work(first).failed == 0
    second = bulk(api, "delete", filter={"search": "C"}, status=202)
    User.objects.filter(pk=boss.pk).update(operator=level)
    assert work(second).failed == 4
    assert Client.objects.filter(deleted_at=None).count() == 4


def test_a_limit_that_is_set_meanwhile_holds_from_the_next_batch(
    alice_api: APIClient, acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bulk(alice_api, "create", items=named(10), status=202)
    limit = Tenant.objects.filter(pk=acme.pk)
    gone_after_a_batch(monkeypatch, lambda: limit.update(max_clients=5))
    run = work(body)
    assert (run.done, run.failed, Client.objects.count()) == (10, 5, 5)
    assert set(BulkItem.objects.exclude(code="").values_list("code", flat=True)) == {
        "limit_clients"
    }


def test_a_database_that_goes_away_leaves_the_rest_to_the_next(
    alice_api: APIClient, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdef":
        make_client(acme, name=name, external_id=name)
    body = bulk(alice_api, "enable", external_ids=list("abcdef"), status=202)
    real, calls = switching.switch_step, list[Any]()

    def cut_off(*given: Any, **arguments: Any) -> Any:
        calls.append(given)
        if len(calls) == 6:
            raise InterfaceError
        return real(*given, **arguments)

    monkeypatch.setattr(acts, "switch_step", cut_off)
    run = BulkRun.objects.get()
    with pytest.raises(InterfaceError):
        tasks.bulk(run_id=run.pk)
    run.refresh_from_db()
    assert (run.status, run.done, run.failed) == ("running", 4, 0)
    assert runs.overdue_runs(at=timezone.now() + timedelta(minutes=1)) == [run.pk]
    run = work(body)
    assert (run.status, run.done, run.failed) == ("succeeded", 6, 0)


def test_a_run_that_cannot_be_read_ends(
    alice_api: APIClient, interface: Interface, caplog: pytest.LogCaptureFixture
) -> None:
    body = bulk(alice_api, "create", items=named(6), status=202)
    BulkRun.objects.update(request="v1.gone.AAAA")
    run = work(body)
    assert (run.status, run.failed) == ("failed", 6)
    assert set(BulkItem.objects.values_list("code", flat=True)) == {"server_error"}
    assert "bulk run" in caplog.text


def test_an_item_that_breaks_the_code_fails_alone(
    alice_api: APIClient, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [str(make_client(acme, name=name).uuid) for name in ("a", "b", "c", "d")]
    real = switching.switch_step

    def breaks(act: Any, standing: Standing, **arguments: Any) -> Any:
        if str(standing.client.uuid) == ids[1]:
            raise RuntimeError("a bug")
        return real(act, standing, **arguments)

    monkeypatch.setattr(acts, "switch_step", breaks)
    body = bulk(alice_api, "enable", ids=ids, status=202)
    assert work(body).failed == 1
    assert BulkItem.objects.get(outcome="failed").code == "server_error"


@pytest.mark.django_db(transaction=True)
def test_the_same_external_ids_at_once_are_made_once(
    acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "AT_ONCE", 100)
    token = make_token(acme)[1]
    start, found = threading.Barrier(4), list[dict[str, Any]]()

    def ask() -> None:
        try:
            start.wait()
            found.append(bulk(bearer(token), "create", items=named(20)))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    made = list(Client.objects.values_list("external_id", flat=True))
    assert (len(made), set(made)) == (20, {f"x-{n}" for n in range(20)})
    results = [one for body in found for one in body["results"]]
    assert sum(one["outcome"] == "done" for one in results) == 20
    assert {one["error"]["code"] for one in results if one["error"]} <= {
        "external_id_taken",
        "conflict",
    }


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_run_do_each_item_once(acme: Tenant, interface: Interface) -> None:
    body = bulk(bearer(make_token(acme)[1]), "create", items=named(40), status=202)
    run = BulkRun.objects.get(uuid=body["id"])

    def go_on() -> None:
        try:
            tasks.bulk(run_id=run.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=go_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert (run.status, run.done, Client.objects.count()) == ("succeeded", 40, 40)


def test_a_lost_race_sends_each_its_own_way(
    alice_api: APIClient, acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before found nothing; the constraint does."""
    monkeypatch.setattr(runs, "AT_ONCE", 100)
    key = make_public_key()
    make_client(acme, name="Old", external_id="x-1")
    monkeypatch.setattr(creates, "_not_taken", lambda _, ready: (list(ready), []))
    items = [*named(3), {"name": "k", "public_key": key}, {"name": "l", "public_key": key}]
    body = bulk(alice_api, "create", items=items)
    assert [one["error"] and one["error"]["code"] for one in body["results"]] == [
        None,
        "external_id_taken",
        None,
        None,
        "key_taken",
    ]
