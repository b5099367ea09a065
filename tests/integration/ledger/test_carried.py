"""What was counted before there was a ledger is in it, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from control.auditing import audit
from quotas.metering import Flag
from quotas.models import LedgerSegment, Meter, TenantUsage, Usage
from tenants.row_installation import install
from tests.conftest import WEB_ROLE
from tests.make import make_client, make_interface, make_peer, make_tenant

BEFORE = ("peers", "0007_ledger")


def migrate(*target: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(list(target) or executor.loader.graph.leaf_nodes())
    return executor.loader.project_state(list(target)).apps if target else None


@pytest.fixture
def forwards(transactional_db: None) -> Iterator[None]:
    yield
    migrate()
    if connection.vendor == "postgresql":  # tables that were made anew stand open to nobody
        install(WEB_ROLE)


def test_counters_of_devices_become_meters(forwards: None) -> None:
    interface = make_interface(boot_id="boot", stamp="stamp", observed_seq=7)
    client = make_client(make_tenant("acme"))
    on, off, never = (make_peer(client, interface) for _ in range(3))
    apps = migrate(BEFORE)
    peers = apps.get_model("peers", "Peer").objects
    peers.filter(pk=on.pk).update(
        applied_key=on.public_key, applied_allowed_ips="10.252.0.2/32",
        rx_bytes=10, tx_bytes=20, carried_rx_bytes=100, carried_tx_bytes=200,
    )  # fmt: skip
    peers.filter(pk=off.pk).update(carried_rx_bytes=1000, carried_tx_bytes=2000)
    migrate()
    first, second = Meter.objects.select_related("run").order_by("peer")
    assert (first.peer_id, first.rx, first.tx, first.seq, first.raw_up, first.billed_down) == (
        on.pk, 10, 20, 7, 110, 220,
    )  # fmt: skip
    assert first.run is not None
    assert (first.run.boot_id, first.run.stamp) == ("boot", "stamp")
    assert (second.peer_id, second.run, second.rx, second.raw_up) == (off.pk, None, 0, 1000)
    assert not Meter.objects.filter(peer=never.pk).exists()
    assert {row.flags for row in LedgerSegment.objects.all()} == {Flag.CARRIED}
    assert (Usage.objects.get().raw_up, TenantUsage.objects.get().billed_down) == (1110, 2220)
    assert [check for check in audit() if check.violations] == []
    migrate(BEFORE)
    row = peers.get(pk=on.pk)
    assert (row.rx_bytes, row.carried_rx_bytes) == (10, 100)
