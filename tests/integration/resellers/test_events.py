"""The events: newest first, and as a feed that skips nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM, Actor, Target, allow_erasure, record
from audit.models import AuditEvent
from tenants.models import Tenant

EVENTS = "/api/v1/events"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def note(tenant: Tenant | None, action: str = "thing.done", **actor: Any) -> None:
    by = Actor(**{"kind": "user", "id": "u1", "name": "alice", **actor})
    target = Target("thing", "t1", "Thing", tenant.pk if tenant else None)
    record(actor=by, action=action, target=target, before={"a": 1}, after={"a": 2})


def actions(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["action"] for row in answer.json()["results"]]


@pytest.fixture
def quiet(acme: Tenant, evil: Tenant, alice_api: APIClient, mallory_api: APIClient) -> None:
    """Both tenants, and no event of their making: those would be in every answer."""


def test_an_event_is_told_in_full(alice_api: APIClient, acme: Tenant) -> None:
    note(acme, address="203.0.113.9")
    found = alice_api.get(EVENTS, {"action": "thing.done"}).json()["results"]
    assert found[0].pop("id")
    assert found[0].pop("at")
    assert found == [
        {
            "tenant": str(acme.uuid),
            "action": "thing.done",
            "actor": {
                "kind": "user",
                "id": "u1",
                "name": "alice",
                "address": "203.0.113.9",
                "by_operator": False,
            },
            "target": {"type": "thing", "id": "t1", "name": "Thing"},
            "before": {"a": 1},
            "after": {"a": 2},
            "result": "ok",
        }
    ]


def test_everybody_sees_his_own(
    quiet: None,
    acme: Tenant,
    evil: Tenant,
    viewer_api: APIClient,
    mallory_api: APIClient,
    operator_api: APIClient,
    auditor_api: APIClient,
    anonymous_api: APIClient,
) -> None:
    for tenant, action in ((acme, "of.acme"), (evil, "of.evil"), (None, "of.nobody")):
        note(tenant, action)
    mine = {"target_type": "thing"}
    assert actions(viewer_api.get(EVENTS, mine)) == ["of.acme"]
    assert actions(mallory_api.get(EVENTS, mine)) == ["of.evil"]
    assert anonymous_api.get(EVENTS).status_code == 401
    for api in (operator_api, auditor_api):
        assert actions(api.get(EVENTS, mine)) == ["of.nobody", "of.evil", "of.acme"]
        named = api.get(EVENTS, mine, headers={"X-VWG-Tenant": "evil"})
        assert actions(named) == ["of.evil"]


def test_an_operators_address_is_for_operators(
    alice_api: APIClient, operator_api: APIClient, acme: Tenant
) -> None:
    note(acme, address="203.0.113.9", by_operator=True)
    for api, address in ((alice_api, None), (operator_api, "203.0.113.9")):
        row = api.get(EVENTS, {"by_operator": "true", "target": "t1"}).json()["results"][0]
        assert row["actor"]["address"] == address


def test_events_are_filtered(alice_api: APIClient, acme: Tenant) -> None:
    for hour, action in enumerate(("one", "two", "three")):
        with time_machine.travel(NOW.replace(hour=hour), tick=False):
            note(acme, action, id=f"u{hour}", kind="token" if hour else "user")
    for query, expected in (
        ({"action": "two"}, ["two"]),
        ({"target_type": "thing"}, ["three", "two", "one"]),
        ({"target": "t2"}, []),
        ({"actor": "u2"}, ["three"]),
        ({"actor_kind": "user", "target": "t1"}, ["one"]),
        ({"since": "2026-11-23T01:00:00Z", "until": "2026-11-23T02:00:00Z"}, ["two"]),
        ({"target": "t1", "ordering": "id"}, ["one", "two", "three"]),
    ):
        assert actions(alice_api.get(EVENTS, query)) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"after": ""},
        {"after": "x" * 300},
        {"after": "1"},
        {"since": "yesterday"},
        {"actor_kind": "god"},
        {"tenant": "evil"},
        {"ordering": "created_at"},
        {"before__a": "1"},
        {"limit": "0", "ordering": "id"},
    ],
)
def test_what_cannot_be_asked_is_refused(alice_api: APIClient, query: dict[str, str]) -> None:
    assert alice_api.get(EVENTS, query).status_code == 400


def test_the_feed_is_followed_to_its_end_and_on(alice_api: APIClient, acme: Tenant) -> None:
    mine = {"target_type": "thing", "limit": "2"}
    for number in range(5):
        note(acme, f"n{number}")
    seen, pages = [], 0
    answer = alice_api.get(EVENTS, mine | {"ordering": "id"})
    while True:
        pages += 1
        seen += actions(answer)
        if answer.json()["next"] is None:
            break
        answer = alice_api.get(answer.json()["next"])
    assert (seen, pages) == ([f"n{number}" for number in range(5)], 3)
    after = answer.json()["after"]
    nothing = alice_api.get(EVENTS, mine | {"after": after})
    assert actions(nothing) == []
    note(acme, "later")
    for cursor in (after, nothing.json()["after"]):
        assert actions(alice_api.get(EVENTS, mine | {"after": cursor})) == ["later"]
    both = alice_api.get(EVENTS, {"after": after, "ordering": "-id"})
    assert both.status_code == 400
    newest = alice_api.get(EVENTS, mine)
    assert (actions(newest), newest.json()["after"]) == (["later", "n4"], None)
    assert actions(alice_api.get(newest.json()["next"])) == ["n3", "n2"]


def test_a_number_of_old_is_refused_with_what_to_do(alice_api: APIClient) -> None:
    answer = alice_api.get(EVENTS, {"after": "4711"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "after")
    assert "Begin the feed again with ordering=id." in answer.json()["detail"]


@pytest.mark.parametrize("asked", [{}, {"target_type": "thing"}])
def test_the_end_of_a_feed_tells_nothing_of_what_others_do(
    alice_api: APIClient, acme: Tenant, evil: Tenant, asked: dict[str, str]
) -> None:
    note(acme, "mine")
    end = alice_api.get(EVENTS, {**asked, "ordering": "id"}).json()["after"]
    note(evil, "theirs")
    assert alice_api.get(EVENTS, {**asked, "after": end}).json()["after"] == end
    note(acme, "mine too")
    answer = alice_api.get(EVENTS, {**asked, "after": end})
    assert (actions(answer), answer.json()["after"] == end) == (["mine too"], False)


def test_what_filters_leave_out_is_not_looked_at_again(alice_api: APIClient, acme: Tenant) -> None:
    begin = alice_api.get(EVENTS, {"target": "none", "ordering": "id"}).json()["after"]
    note(acme, "another's")
    after = alice_api.get(EVENTS, {"target": "none", "after": begin}).json()["after"]
    assert after != begin
    assert actions(alice_api.get(EVENTS, {"after": after})) == []


def test_a_feed_that_is_empty_can_be_followed(mallory_api: APIClient, evil: Tenant) -> None:
    mine = {"target_type": "thing"}
    first = mallory_api.get(EVENTS, mine | {"ordering": "id"}).json()
    assert first["results"] == []
    note(evil, "first")
    assert actions(mallory_api.get(EVENTS, mine | {"after": first["after"]})) == ["first"]


def test_a_page_takes_the_same_queries_however_long(
    alice_api: APIClient, acme: Tenant, django_assert_num_queries: Any
) -> None:
    for number in range(9):
        note(acme, f"n{number}")
    alice_api.get(EVENTS)
    horizons = 1 if connection.vendor == "postgresql" else 0
    for limit in ("1", "9"):
        with django_assert_num_queries(2):
            alice_api.get(EVENTS, {"limit": limit})
        with django_assert_num_queries(2 + horizons):
            alice_api.get(EVENTS, {"limit": limit, "ordering": "id"})


# -- What is written stays --------------------------------------------------------------------


@pytest.fixture
def law(db: None) -> None:
    """On SQLite the tests' database stands without the trigger (tests/conftest.py)."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(import_module("audit.migrations.0004_append_only").SQLITE[1])


def test_events_are_neither_changed_nor_deleted(law: None, acme: Tenant) -> None:
    note(acme)
    note(None)
    for change in (
        lambda: AuditEvent.objects.update(action="other"),
        lambda: AuditEvent.objects.filter(tenant=acme).update(after={}),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.filter(tenant=None).delete(),
        lambda: acme.delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    assert AuditEvent.objects.filter(action="thing.done").count() == 2


def test_an_erasure_deletes_one_tenants_events(law: None, acme: Tenant, evil: Tenant) -> None:
    note(acme)
    note(evil)
    allow_erasure(tenant_id=acme.pk, tenant_name="acme", actor=SYSTEM, at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.filter(tenant=acme).update(after={})
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.filter(tenant=evil).delete()
    AuditEvent.objects.filter(tenant=acme).delete()
    acme.delete()
    assert set(AuditEvent.objects.values_list("tenant", flat=True)) == {evil.pk}
