"""The feed where transactions run side by side: an event that is committed late is not skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from rest_framework.test import APIClient

from audit.models import AuditEvent
from audit.queries import horizon
from tenants.models import Tenant
from tests.integration.resellers.test_events import EVENTS, actions, note

INSERT = (
    "INSERT INTO audit_auditevent (uuid, tenant_id, actor_kind, actor_id, actor_name, action,"
    " target_type, target_id, target_name, before, after, by_operator, result, created_at)"
    " VALUES (gen_random_uuid(), %s, 'user', '', 'x', %s, 'thing', '', '', '{}', '{}', false,"
    " 'ok', now()) RETURNING id"
)
MINE = {"target_type": "thing"}


@pytest.fixture
def slow(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A second connection, whose transaction ends when the test says so."""
    wanted = ("dbname", "host", "user", "port", "password")
    parameters = connection.get_connection_params()
    found = psycopg.connect(**{key: parameters[key] for key in wanted if key in parameters})
    yield found
    found.close()


def follow(api: APIClient, after: str) -> tuple[list[str], str]:
    answer = api.get(EVENTS, {**MINE, "after": after})
    return actions(answer), answer.json()["after"]


def test_an_event_that_is_committed_late_is_not_skipped(
    slow: psycopg.Connection[Any], alice_api: APIClient, acme: Tenant
) -> None:
    after = alice_api.get(EVENTS, {**MINE, "ordering": "id"}).json()["after"]
    early = slow.execute(INSERT, [acme.pk, "early"]).fetchone()
    assert early is not None
    note(acme, "quick")
    assert AuditEvent.objects.get(action="quick").pk > early[0]
    seen, after = follow(alice_api, after)
    assert seen == []
    assert actions(alice_api.get(EVENTS, MINE)) == ["quick"]  # newest first shows it
    slow.execute(INSERT, [acme.pk, "early too"])
    note(acme, "quick too")
    assert follow(alice_api, after)[0] == []
    slow.commit()
    seen, after = follow(alice_api, after)
    assert seen == ["early", "quick", "early too", "quick too"]
    assert follow(alice_api, after)[0] == []


def test_what_a_savepoint_undoes_holds_nobody_up(
    slow: psycopg.Connection[Any], alice_api: APIClient, acme: Tenant
) -> None:
    after = alice_api.get(EVENTS, {**MINE, "ordering": "id"}).json()["after"]
    slow.execute("SAVEPOINT one")
    slow.execute(INSERT, [acme.pk, "undone"])
    slow.execute("ROLLBACK TO SAVEPOINT one")
    note(acme, "between")
    assert follow(alice_api, after)[0] == ["between"]
    slow.execute(INSERT, [acme.pk, "after all"])  # locks again
    note(acme, "last")
    seen, after = follow(alice_api, after)
    assert seen == ["between"]
    slow.rollback()
    assert follow(alice_api, after)[0] == ["last"]


def test_one_lock_holds_for_all_events_of_a_transaction(
    slow: psycopg.Connection[Any], acme: Tenant
) -> None:
    for number in range(100):
        slow.execute(INSERT, [acme.pk, f"n{number}"])
    held = slow.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    ).fetchone()
    assert held == (1,)


def test_numbers_go_on_where_they_were(acme: Tenant) -> None:
    note(acme)
    last = AuditEvent.objects.latest("pk").pk
    note(acme)
    assert AuditEvent.objects.latest("pk").pk == last + 1
    assert horizon() == last + 1  # what a transaction wrote itself it may read
