"""Workers of two gateways write the jobs that they share (PostgreSQL alone)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.events import SYSTEM
from control.claims import Item, mark_running, postpone
from gateways.models import Interface, Job
from gateways.progress import note_progress
from peers.models import Client, Peer
from peers.queries import find_client
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.beside import start, wait_until_blocked
from tests.make import make_job

pytestmark = pytest.mark.django_db(transaction=True)


def begin(jobs: list[Job]) -> None:
    mark_running({job.pk for job in jobs}, at=timezone.now())


def put_off(jobs: list[Job]) -> None:
    items = [Item(row.pk, row.job_id, None, "", "peer", 0) for j in jobs for row in j.items.all()]
    postpone(items, reason="no answer", at=timezone.now())


@pytest.mark.parametrize("act", [begin, put_off])
def test_jobs_are_written_in_the_order_of_their_keys(
    acme: Tenant, interface: Interface, act: Callable[[list[Job]], None]
) -> None:
    """The older row lies last in the table: in the table's order the two would wait in a ring."""
    older, newer = (make_job(acme, interface=interface, items=1) for _ in range(2))
    Job.objects.filter(pk=older.pk).update(message="moved to the table's end")
    found: list[Any] = []
    with transaction.atomic():
        note_progress([older.pk], started_at=timezone.now(), at=timezone.now())
        thread = start(lambda: act([older, newer]), found)
        wait_until_blocked(thread)
        note_progress([newer.pk], started_at=timezone.now(), at=timezone.now())
    thread.join()
    assert found == [None]


def test_a_worker_does_not_wait_for_who_changes_its_peers_client(
    acme: Tenant, alice_client: Client, alice_peer: Peer
) -> None:
    """A row that was written twice in a transaction has its foreign keys looked up at the commit,
    changed or not. A request that held the client so that this waits, and then came to the peer,
    would stand in a ring with the worker.
    """

    def settle() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
            for present in (False, True):
                Peer.objects.filter(pk=alice_peer.pk).update(observed_present=present)

    found: list[Any] = []
    with transaction.atomic():
        find_client(Caller(acme, "", frozenset({"*"}), SYSTEM), alice_client.uuid, lock=True)
        thread = start(settle, found)
        thread.join()
        assert found == [None]
