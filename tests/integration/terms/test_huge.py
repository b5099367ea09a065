"""Numbers as large as may be said: they are the seller's own business, and stop nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from gateways.models import Interface
from peers.models import Client
from peers.services.ends import delete_ended, expire_due
from peers.services.periods import roll_periods
from quotas.models import TenantUsage, Usage
from resellers.services.pools import settle_pools
from tenants.models import Tenant
from tests.integration.terms.conftest import AT, DAY, URL, Shop, held
from tests.make import make_client, make_tenant

pytestmark = pytest.mark.django_db
MOST = 2**63 - 1


def test_a_deletion_in_a_hundred_years_stops_no_other(shop: Shop) -> None:
    """36,500 days are more seconds than PostgreSQL's integer holds."""
    late = shop.sold(expires_at=AT - 3 * DAY, delete_after_days=36_500, grace_seconds=5)
    missed = make_client(shop.tenant, start_before=AT - 3 * DAY, delete_after_days=36_500)
    due = shop.sold(expires_at=AT - 3 * DAY, delete_after_days=2)
    assert expire_due(at=AT, since=None) == 3
    assert delete_ended(at=AT, since=None) == 1
    assert set(Client.objects.filter(deleted_at__isnull=True)) == {late, missed}
    due.refresh_from_db()
    assert due.deleted_at == AT


def test_a_time_zone_that_nobody_knows_here_stops_no_other(shop: Shop) -> None:
    """The clocks of this host may know fewer of them than the one that took the setting."""
    Tenant.objects.filter(pk=shop.tenant.pk).update(timezone="Mars/Olympus", pool_reset="month")
    for tenant in (shop.tenant, make_tenant("other")):
        TenantUsage.objects.create(
            tenant=tenant, period_began_at=AT - 31 * DAY, period_ends_at=AT - DAY
        )
        client = make_client(tenant, reset="month", starts_at=AT - 40 * DAY)
        Usage.objects.create(client=client, tenant=tenant, period_ends_at=AT - DAY)
    assert roll_periods(at=AT) == 2
    settle_pools(at=AT)
    for model in (Usage, TenantUsage):
        assert set(model.objects.values_list("period", flat=True)) == {2}


@pytest.fixture
def seller(acme: Tenant) -> Tenant:
    """Its pool counts what it sells, and has no limit."""
    Tenant.objects.filter(pk=acme.pk).update(pool_counts=Tenant.PoolCounts.SOLD)
    return acme


def sold_bytes() -> int:
    return TenantUsage.objects.get().sold_bytes


def test_what_is_sold_stays_at_the_most_that_can_be_counted(
    seller: Tenant, alice_api: APIClient, interface: Interface
) -> None:
    ways = {"upload_quota_bytes": MOST, "download_quota_bytes": MOST}
    for terms in ({"quota_bytes": MOST}, {"quota_bytes": MOST}, ways):
        answer = alice_api.post(URL, {"name": "x", **terms})
        assert answer.status_code == 201, answer.content
        assert sold_bytes() == MOST
    answer = alice_api.post(f"{URL}/{Client.objects.all()[0].uuid}/top-up", {"bytes": 5})
    assert answer.status_code == 200, answer.content
    assert sold_bytes() == MOST


def test_a_sale_beyond_every_number_is_beyond_the_pool(
    seller: Tenant, alice_api: APIClient, interface: Interface
) -> None:
    Tenant.objects.update(max_bytes_per_period=0)
    for terms in (
        {"quota_bytes": MOST},
        {"upload_quota_bytes": MOST, "download_quota_bytes": MOST},
    ):
        answer = alice_api.post(URL, {"name": "x", **terms})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "limit_bytes")
    assert not Client.objects.exists()


def test_periods_of_huge_quotas_begin_and_so_do_all_others(seller: Tenant, evil: Tenant) -> None:
    TenantUsage.objects.create(tenant=seller)
    for tenant, quota in ((seller, MOST), (seller, MOST), (evil, 1000)):
        client = make_client(tenant, quota_bytes=quota, reset="day", starts_at=AT - 9 * DAY)
        Usage.objects.create(
            client=client, tenant=tenant, period_began_at=AT - 2 * DAY, period_ends_at=AT - DAY
        )
    assert roll_periods(at=AT) == 3
    assert sold_bytes() == MOST
    assert set(Usage.objects.values_list("period", flat=True)) == {2}


@pytest.mark.parametrize("body", [{"duration_days": 36_500}, {"plan": True}])
def test_no_end_lies_beyond_what_an_end_may_be(shop: Shop, body: dict[str, object]) -> None:
    """Else what was read could not be sent back."""
    if "plan" in body:
        made = shop.api.post("/api/v1/plans", {"name": "x", "duration_days": 36_500})
        body = {"plan": made.json()["id"]}
    start = {"starts_at": "2999-06-01T00:00:00Z"}
    answer = shop.api.post(URL, {"name": "x", **start, **body})
    assert answer.status_code == 400, answer.content
    client = shop.sold(starts_at=AT + timedelta(days=900))
    answer = shop.api.patch(f"{URL}/{client.uuid}", {**start, "duration_days": 36_500})
    assert answer.status_code == 400, answer.content
    assert held(client) == set()
