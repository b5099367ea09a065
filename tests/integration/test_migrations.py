"""The migrations say what the models say, and work on an empty database."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from peers.models import Client, Peer
from tenants.models import Tenant
from tests.make import make_job, make_peer


def test_no_model_differs_from_its_migrations(db: None) -> None:
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert "No changes detected" in out.getvalue()


def test_every_migration_has_been_applied_to_the_tests_database(db: None) -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_the_law_is_in_the_database_and_not_only_in_forms(alice_peer: Peer) -> None:
    broken: list[Callable[[], object]] = [
        lambda: Client.objects.update(name=""),
        lambda: Peer.objects.update(public_key=alice_peer.public_key[:-2] + "B="),
        lambda: Peer.objects.update(persistent_keepalive=65536),
        lambda: Tenant.objects.update(status="gone"),
        lambda: make_job(None, total=1, done=2),
        lambda: make_job(None, status="failed"),
        lambda: make_peer(
            alice_peer.client, alice_peer.interface, public_key=alice_peer.public_key
        ),
    ]
    for change in broken:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
