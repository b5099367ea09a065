"""Tenants' pools: what counts, who stops, what a period begins with; and what may be sold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM
from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer
from peers.services.clients import disable_client
from peers.services.due import purge_due
from peers.services.periods import roll_periods
from quotas.models import Hold, TenantUsage, Usage
from resellers.services.following import find_strays, follow_tenants
from resellers.services.pools import settle_pools
from resellers.services.suspension import resume_tenant, suspend_tenant
from tenants.models import Tenant
from tests.integration.control.conftest import Gateway, caller, empty_gateways, gateway
from tests.integration.usage.ledger import use
from tests.make import make_client, make_peer, make_plan

__all__ = ["caller", "empty_gateways", "gateway"]

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "/api/v1/clients"


def pool(tenant: Tenant, **fields: Any) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(**fields)


def used(tenant: Tenant, number: int) -> None:
    """The tenant's clients used so many bytes in all."""
    TenantUsage.objects.update_or_create(tenant=tenant, defaults={"billed_down": number})


def settle(at: datetime = NOW) -> int:
    """Settle, and bring it to the clients."""
    found = settle_pools(at=at)
    while follow_tenants(at=at, seconds=5):
        pass
    return found


def actions() -> list[str]:
    rows = AuditEvent.objects.filter(action__startswith="tenant.pool").order_by("pk")
    return list(rows.values_list("action", flat=True))


def held(reason: str = "tenant-pool") -> int:
    return Hold.objects.filter(reason=reason, closed_at__isnull=True).count()


def test_a_pool_that_is_used_up_stops_everybody_as_one_act(gateway: Gateway, acme: Tenant) -> None:
    made = [gateway.add() for _ in range(3)]
    gateway.apply()
    pool(acme, max_bytes_per_period=1000)
    used(acme, 999)
    settle()
    assert (held(), actions()) == (0, [])
    used(acme, 1000)
    assert settle() == 1
    assert (held(), actions()) == (3, ["tenant.pool_stopped"])
    job = Job.objects.latest("pk")
    assert (job.kind, job.tenant, job.total) == ("suspend", acme, 3)
    gateway.apply()
    assert {tuple(allowed) for allowed in gateway.peers().values()} == {()}
    row = TenantUsage.objects.get(tenant=acme)
    assert row.stopped_since == NOW
    assert settle() == 0, "a second time changes nothing"
    assert actions() == ["tenant.pool_stopped"]
    pool(acme, max_bytes_per_period=2000)
    assert settle() == 1
    assert (held(), actions()) == (0, ["tenant.pool_stopped", "tenant.pool_resumed"])
    gateway.apply()
    assert len([one for one in gateway.peers().values() if one]) == len(made)
    assert AuditEvent.objects.filter(action__startswith="client.").count() == 3  # made, no more


def test_going_on_closes_its_own_hold_and_no_other(gateway: Gateway, acme: Tenant) -> None:
    off, other = gateway.add(), gateway.add()
    disable_client(caller=gateway.caller, client_id=off.client.uuid, at=NOW)
    pool(acme, max_bytes_per_period=10)
    used(acme, 10)
    settle()
    assert (held(), held("manual")) == (2, 1)
    suspend_tenant(
        tenant=Tenant.objects.get(pk=acme.pk), reason="", actor=SYSTEM, at=timezone.now()
    )
    settle()
    pool(acme, max_bytes_per_period=None)
    settle()
    assert (held(), held("manual"), held("tenant-suspended")) == (0, 1, 2)
    assert Peer.objects.filter(blocked=True).count() == 2
    resume_tenant(tenant=Tenant.objects.get(pk=acme.pk), reason="", actor=SYSTEM, at=timezone.now())
    settle()
    blocked = Peer.objects.filter(blocked=True).values_list("pk", flat=True)
    assert list(blocked) == [off.peer.pk]
    assert other.peer.pk not in blocked


def test_with_new_alone_nobody_stops_but_no_client_is_made(
    alice_api: APIClient, gateway: Gateway, acme: Tenant
) -> None:
    gateway.add()
    pool(acme, max_bytes_per_period=10, pool_stops="new")
    used(acme, 10)
    settle()
    assert (held(), actions()) == (0, ["tenant.pool_stopped"])
    refusal = alice_api.post(URL, {"name": "Ida"})
    assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (409, "limit_bytes")
    bulk = alice_api.post(f"{URL}/bulk", {"action": "create", "items": [{"name": "Ida"}]})
    assert bulk.json()["results"][0]["error"]["code"] == "limit_bytes"
    pool(acme, pool_stops="all")
    assert find_strays(at=NOW) == 1  # as after an edit that no act has followed
    settle()
    assert held() == 1


def test_an_edit_of_the_tenant_is_followed_at_once(
    operator_api: APIClient, gateway: Gateway, acme: Tenant
) -> None:
    gateway.add()
    used(acme, 10)
    path = f"/api/v1/tenants/{acme.uuid}"
    for change, holds in (
        ({"max_bytes_per_period": 10}, 1),
        ({"pool_stops": "new"}, 0),
        ({"pool_stops": "all"}, 1),
        ({"pool_counts": "sold"}, 0),
        ({"pool_counts": "used"}, 1),
        ({"max_bytes_per_period": None}, 0),
        ({"max_bytes_per_period": 9}, 1),
        ({"max_bytes_per_period": 11}, 0),
    ):
        assert operator_api.patch(path, change).status_code == 200
        while follow_tenants(at=timezone.now(), seconds=5):
            pass
        assert held() == holds, change
        assert find_strays(at=NOW) == 0


@pytest.mark.parametrize(
    ("reset", "zone", "ends_at"),
    [
        ("day", "Asia/Tehran", datetime(2026, 3, 10, 20, 30, tzinfo=UTC)),
        ("week", "UTC", datetime(2026, 3, 16, tzinfo=UTC)),
        ("month", "Europe/Berlin", datetime(2026, 3, 31, 22, tzinfo=UTC)),
        ("year", "UTC", datetime(2027, 1, 1, tzinfo=UTC)),
        ("none", "UTC", None),
    ],
)
def test_a_new_period_begins_at_nothing_and_lets_everybody_go_on(
    gateway: Gateway, acme: Tenant, reset: str, zone: str, ends_at: datetime | None
) -> None:
    gateway.add()
    pool(acme, max_bytes_per_period=10, pool_reset=reset, timezone=zone)
    used(acme, 10)
    settle()
    row = TenantUsage.objects.get(tenant=acme)
    assert (row.period, row.period_ends_at, held()) == (1, ends_at, 1)
    TenantUsage.objects.filter(pk=row.pk).update(sold_bytes=7, warned_percent=95)
    if ends_at is None:
        return
    settle(ends_at - timedelta(seconds=1))
    assert held() == 1
    assert settle(ends_at) == 1
    row.refresh_from_db()
    assert (row.period, row.base_down, row.period_began_at) == (2, 10, ends_at)
    assert (row.sold_bytes, row.warned_percent, row.stopped_since) == (0, 0, None)
    assert (held(), row.billed_down) == (0, 10)
    assert row.period_ends_at is not None
    assert row.period_ends_at > ends_at
    used(acme, 20)
    settle(ends_at + timedelta(hours=1))
    assert held() == 1


def test_deleted_clients_count_on(acme: Tenant, gateway: Gateway) -> None:
    gone = make_client(acme)
    use(make_peer(gone, gateway.interface), NOW, 5, 5)
    Client.objects.filter(pk=gone.pk).update(deleted_at=NOW, purge_at=NOW)
    purge_due(at=NOW + DAY)
    gateway.add()
    pool(acme, max_bytes_per_period=10)
    settle()
    assert held() == 1


# -- What is sold --------------------------------------------------------------------------------


@pytest.fixture
def seller(acme: Tenant, interface: Interface) -> Tenant:
    """A tenant whose pool of 1,000 bytes counts what it sells."""
    pool(acme, max_bytes_per_period=1000, pool_counts="sold")
    return Tenant.objects.get(pk=acme.pk)


def sold(tenant: Tenant) -> int:
    row = TenantUsage.objects.filter(tenant=tenant).first()
    return row.sold_bytes if row else 0


def create(api: APIClient, **fields: Any) -> Any:
    return api.post(URL, {"name": "Ida", **fields})


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.content
    return str(answer.json()["errors"][0]["code"])


def test_clients_are_sold_until_the_pool_is_used_up(alice_api: APIClient, seller: Tenant) -> None:
    assert create(alice_api, quota_bytes=600).status_code == 201
    assert code(create(alice_api, quota_bytes=500), 409) == "limit_bytes"
    assert (sold(seller), Client.objects.count(), Peer.objects.count()) == (600, 1, 1)
    assert create(alice_api, quota_bytes=400).status_code == 201
    assert code(create(alice_api, quota_bytes=1), 409) == "limit_bytes"
    assert code(create(alice_api), 400) == "quota_required"
    assert sold(seller) == 1000
    settle()
    assert held() == 0, "who bought goes on"
    assert actions() == ["tenant.pool_stopped"]


def test_directions_apart_are_sold_together(alice_api: APIClient, seller: Tenant) -> None:
    assert create(alice_api, upload_quota_bytes=100, download_quota_bytes=300).status_code == 201
    assert sold(seller) == 400
    assert code(create(alice_api, upload_quota_bytes=1), 400) == "quota_required"


def test_more_is_sold_and_what_comes_back_unused_may_be_sold_again(
    alice_api: APIClient, seller: Tenant, interface: Interface
) -> None:
    one = create(alice_api, quota_bytes=400).json()
    path = f"{URL}/{one['id']}"
    assert alice_api.patch(path, {"quota_bytes": 500}).status_code == 200
    assert sold(seller) == 500
    assert code(alice_api.patch(path, {"quota_bytes": 1001}), 409) == "limit_bytes"
    assert code(alice_api.patch(path, {"quota_bytes": None}), 400) == "quota_required"
    assert alice_api.patch(path, {"note": "x"}).status_code == 200
    assert sold(seller) == 500
    use(Peer.objects.get(client__uuid=one["id"]), NOW, 100, 100)
    assert alice_api.patch(path, {"quota_bytes": 100}).status_code == 200
    assert sold(seller) == 200, "of 400 that came back 100 were used"
    assert alice_api.patch(path, {"quota_bytes": 700}).status_code == 200
    assert sold(seller) == 800
    assert alice_api.delete(path).status_code == 204
    assert sold(seller) == 300, "200 were used"
    assert alice_api.post(f"{path}/restore", {}).status_code == 200
    assert sold(seller) == 800
    plan = make_plan(seller, name="Big", total_bytes=900)
    answer = alice_api.post(f"{path}/change-plan", {"plan": str(plan.uuid)})
    assert answer.status_code == 200, answer.content
    assert sold(seller) == 1000


def test_top_ups_and_resets_are_sales(alice_api: APIClient, seller: Tenant) -> None:
    path = f"{URL}/{create(alice_api, quota_bytes=300).json()['id']}"
    assert alice_api.post(f"{path}/top-up", {"bytes": 100}).status_code == 200
    assert sold(seller) == 400
    assert code(alice_api.post(f"{path}/top-up", {"bytes": 601}), 409) == "limit_bytes"
    assert Usage.objects.get().extra_bytes == 100
    assert alice_api.post(f"{path}/reset-usage", {}).status_code == 200
    assert sold(seller) == 700
    assert alice_api.post(f"{path}/reset-usage", {}).status_code == 200
    assert code(alice_api.post(f"{path}/reset-usage", {}), 409) == "limit_bytes"
    assert sold(seller) == 1000


def test_periods_that_begin_by_themselves_count_and_are_never_refused(
    alice_api: APIClient, seller: Tenant
) -> None:
    create(alice_api, quota_bytes=800, reset="month")
    ends_at = Usage.objects.get().period_ends_at
    assert ends_at is not None
    assert roll_periods(at=ends_at) == 1
    assert sold(seller) == 1600


def test_in_bulk_each_is_sold_or_refused(alice_api: APIClient, seller: Tenant) -> None:
    items = [{"name": f"c{n}", "quota_bytes": 400} for n in range(3)]
    answer = alice_api.post(f"{URL}/bulk", {"action": "create", "items": items})
    assert answer.status_code == 200, answer.content
    found = answer.json()["results"]
    assert [one["outcome"] for one in found] == ["done", "done", "failed"]
    assert found[2]["error"]["code"] == "limit_bytes"
    assert sold(seller) == 800
    ids = [one["client"] for one in found[:2]]
    body = {"action": "extend", "ids": ids, "arguments": {"bytes": 150}}
    found = alice_api.post(f"{URL}/bulk", body).json()["results"]
    assert [one["outcome"] for one in found] == ["done", "failed"]
    assert sold(seller) == 950


def test_others_pay_nothing(alice_api: APIClient, acme: Tenant, interface: Interface) -> None:
    create(alice_api, quota_bytes=600)
    assert not TenantUsage.objects.filter(tenant=acme).exists()
