"""What time brings about: timed holds close, deleted clients go for good, old rows are dropped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from audit.events import SYSTEM
from audit.models import AuditEvent
from control import pruning, tasks
from gateways.models import Job, JobItem
from peers.models import BulkRun, Client, Peer, PeerAddress, PeerKey, ShareLink
from peers.services.clients import delete_client, disable_client
from peers.services.due import close_due_holds, purge_due, purge_tombstones
from peers.services.entitlement import open_hold
from quotas.models import Hold
from rest.models import IdempotentRequest
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


def kick(client: Client, *, until: datetime, reason: str = "kick") -> None:
    open_hold(client=client, reason=reason, actor=SYSTEM, at=NOW)
    Hold.objects.filter(client=client, reason=reason).update(until=until)


def live(gateway: Gateway) -> set[str]:
    gateway.apply()
    return {key for key, allowed in gateway.peers().items() if allowed}


def test_a_timed_hold_closes_when_its_time_is_over(gateway: Gateway) -> None:
    kicked, later, off = gateway.add(), gateway.add(), gateway.add()
    kick(kicked.client, until=NOW + timedelta(minutes=1))
    kick(later.client, until=NOW + timedelta(minutes=9))
    kick(off.client, until=NOW + timedelta(minutes=1))
    disable_client(caller=gateway.caller, client_id=off.client.uuid, at=NOW)
    assert close_due_holds(at=NOW) == 0
    events = AuditEvent.objects.count()
    assert close_due_holds(at=NOW + timedelta(minutes=2)) == 2
    assert live(gateway) == {kicked.peer.public_key}
    assert AuditEvent.objects.count() == events + 2
    assert AuditEvent.objects.latest("pk").before == {"holds": ["kick"]}
    version = Client.objects.get(pk=kicked.client.pk).version
    assert close_due_holds(at=NOW + timedelta(minutes=2)) == 0, "a second time changes nothing"
    assert Client.objects.get(pk=kicked.client.pk).version == version
    hold = Hold.objects.get(client=kicked.client)
    assert (hold.closed_by, hold.closed_at) == ("vwg", NOW + timedelta(minutes=2))


def test_two_timed_holds_of_one_client_close_together(gateway: Gateway) -> None:
    made = gateway.add()
    kick(made.client, until=NOW)
    kick(made.client, until=NOW, reason="manual")
    assert close_due_holds(at=NOW) == 2
    assert live(gateway) == {made.peer.public_key}


def delete(gateway: Gateway, client: Client, *, purge_at: datetime) -> None:
    delete_client(caller=gateway.caller, client_id=client.uuid, at=NOW)
    Client.objects.filter(pk=client.pk).update(purge_at=purge_at)


def test_a_purge_leaves_nothing_of_a_client(gateway: Gateway, acme: Tenant) -> None:
    made, kept, other = gateway.add("Gone"), gateway.add("Kept"), gateway.add("Other")
    gateway.apply()
    delete(gateway, made.client, purge_at=NOW + DAY)
    delete(gateway, kept.client, purge_at=NOW + 2 * DAY)
    gateway.apply()
    assert purge_due(at=NOW) == 0
    assert purge_due(at=NOW + DAY) == 1
    assert set(Client.objects.values_list("name", flat=True)) == {"Kept", "Other"}
    assert not Peer.objects.filter(pk=made.peer.pk).exists()
    assert not PeerKey.objects.filter(peer=made.peer.pk).exists()
    assert not PeerAddress.objects.filter(address="10.252.0.2", peer__isnull=False).exists()
    assert Job.objects.get(pk=made.job.pk).items.get().peer_id is None
    event = AuditEvent.objects.get(action="client.purged")
    assert (event.target_name, event.tenant, event.actor_name) == ("Gone", acme, "vwg")
    assert purge_due(at=NOW + DAY) == 0
    assert live(gateway) == {other.peer.public_key}


def test_a_row_stays_while_its_device_is_on_an_interface_but_its_secrets_go(
    gateway: Gateway,
) -> None:
    made = gateway.add()
    gateway.apply()
    delete(gateway, made.client, purge_at=NOW)
    assert purge_due(at=NOW) == 1
    peer = Peer.objects.get(pk=made.peer.pk)
    assert peer.preshared_key == ""
    assert not PeerKey.objects.exists()
    assert purge_due(at=NOW) == 0, "looked at again later"
    gateway.apply()
    assert gateway.peers() == {}
    assert purge_due(at=NOW + DAY) == 1
    assert not Client.objects.exists()


def test_removed_devices_of_living_clients_go_too(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    Peer.objects.filter(pk=made.peer.pk).update(deleted_at=NOW, generation=2)
    assert purge_tombstones(at=NOW + 2 * DAY) == 0, "it is still on the interface"
    item = {"interface_id": gateway.interface.pk, "peer_id": made.peer.pk, "due_at": NOW}
    JobItem.objects.create(job=Job.objects.create(kind="delete", total=1), **item)
    gateway.apply()
    assert purge_tombstones(at=NOW) == 0
    assert purge_tombstones(at=NOW + 2 * DAY) == 1
    assert (Client.objects.count(), Peer.objects.count()) == (1, 0)


def test_what_an_older_release_deleted_is_purged(gateway: Gateway) -> None:
    made = gateway.add()
    gateway.apply()
    delete(gateway, made.client, purge_at=NOW)
    gateway.apply()
    Client.objects.update(purge_at=None)
    pruning.purge(at=NOW + timedelta(hours=1), seconds=9)
    assert Client.objects.exists()
    pruning.purge(at=NOW + 2 * DAY, seconds=9)
    assert not Client.objects.exists()


def test_old_rows_are_dropped_and_young_ones_stay(acme: Tenant, gateway: Gateway) -> None:
    made = gateway.add()
    for age in (timedelta(hours=23), timedelta(hours=25)):
        IdempotentRequest.objects.create(
            tenant=acme, key=str(age), fingerprint="f", claim=uuid4(), claimed_until=NOW,
            created_at=NOW - age,
        )  # fmt: skip
    ends: list[dict[str, Any]] = [
        {"expires_at": NOW - 8 * DAY},
        {"revoked_at": NOW - 8 * DAY},
        {"single_use": True, "used_at": NOW - 8 * DAY},
        {"used_at": NOW - 8 * DAY},
        {"expires_at": NOW - 6 * DAY},
        {},
    ]
    for number, end in enumerate(ends):
        ShareLink.objects.create(tenant=acme, peer=made.peer, digest=str(number), **end)
    for days in (29, 31):
        BulkRun.objects.create(tenant=acme, action="create", finished_at=NOW - days * DAY)
        Job.objects.create(kind="create", status="succeeded", finished_at=NOW - days * DAY)
    Job.objects.create(kind="heal", status="succeeded", finished_at=NOW - 8 * DAY)
    pruning.prune(at=NOW, seconds=9)
    assert list(IdempotentRequest.objects.values_list("key", flat=True)) == ["23:00:00"]
    assert sorted(ShareLink.objects.values_list("digest", flat=True)) == ["3", "4", "5"]
    assert BulkRun.objects.count() == 1
    assert Job.objects.filter(finished_at__isnull=False).count() == 1
    assert Job.objects.filter(pk=made.job.pk).exists(), "an open job stays"


def test_the_cache_forgets_what_has_expired(db: None) -> None:
    cache.set("over", 1, timeout=1)
    cache.set("counts", 1, timeout=3600)
    pruning.prune(at=timezone.now() + timedelta(minutes=1), seconds=9)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM vwg_cache")
        left = [key for (key,) in cursor.fetchall()]
    assert left == [":1:counts"]


def test_each_task_runs_on_an_empty_house(db: None) -> None:
    for task in (tasks.close_due_holds, tasks.purge, tasks.prune, tasks.follow_tenants):
        task()
    tasks.find_strays()
