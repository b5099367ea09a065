"""The look-up of an apply costs the same beside ten rows and beside ten thousand."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from control.desired import load_for
from gateways.models import Interface
from peers.models import Peer
from tenants.models import Tenant
from tests.make import make_client, make_interface, make_peer, make_public_key

pytestmark = pytest.mark.django_db

#: A walk: PostgreSQL's words, and SQLite's for the rows of an interface without a second column.
_WALKS = re.compile(r"Seq Scan|SCAN (peers|gateways)_|\(interface_id=\?\)")


def plans(statements: CaptureQueriesContext) -> list[str]:
    """How the database goes about each of these statements."""
    found = []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            words = "EXPLAIN QUERY PLAN "
        else:
            words = "EXPLAIN "
            cursor.execute("SET LOCAL enable_seqscan = off")  # a small table is walked for good
        for query in statements.captured_queries:
            cursor.execute(words + query["sql"])
            found.append("\n".join(str(column) for row in cursor.fetchall() for column in row))
    return found


def test_the_rows_of_a_few_peers_are_found_by_index(acme: Tenant, interface: Interface) -> None:
    client = make_client(acme)
    peers = [make_peer(client, interface) for _ in range(30)]
    with CaptureQueriesContext(connection) as statements:
        load_for(interface, peer_ids=[peers[3].pk], keys=[peers[4].public_key])
    assert len(statements) == 2
    for plan in plans(statements):
        assert not _WALKS.search(plan), plan


def test_a_row_is_found_by_each_of_its_three_names(acme: Tenant, interface: Interface) -> None:
    client = make_client(acme)
    other_interface = make_interface(
        name="wg1", addresses=["10.253.0.1/16"], listen_port=51821, is_default=False
    )
    by_id, by_key, by_applied, other = (make_peer(client, interface) for _ in range(4))
    elsewhere = make_peer(client, other_interface)
    applied = make_public_key()
    Peer.objects.filter(pk__in=[by_applied.pk, elsewhere.pk]).update(applied_key=applied)
    loaded = load_for(
        interface, peer_ids=[by_id.pk, elsewhere.pk], keys=[by_key.public_key, applied]
    )
    assert {row.id for row in loaded.rows} == {by_id.pk, by_key.pk, by_applied.pk}
    assert all(row.config.allowed_ips for row in loaded.rows)
    assert other.pk not in {row.id for row in loaded.rows}
