"""The clock: ends and their grace, starts, deletions, plans that follow; and clocks that jump."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from control import ending
from peers.models import Client, Peer
from peers.services import clockwork, periods
from peers.services.clockwork import ClockDoubted
from peers.services.due import close_due_holds
from peers.services.ends import delete_ended, expire_due
from peers.services.planning import follow_plans
from peers.services.starting import begin
from quotas.models import Usage
from tests.integration.terms.conftest import AT, DAY, Shop, events, held, is_on
from tests.make import make_client, make_plan, make_tenant

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
SINCE = AT - 5 * MINUTE


def test_an_end_comes_with_its_grace(shop: Shop) -> None:
    ended, graced, over, open_end = (
        shop.sold(expires_at=AT),
        shop.sold(expires_at=AT - MINUTE, grace_seconds=61),
        shop.sold(expires_at=AT - MINUTE, grace_seconds=60),
        shop.sold(expires_at=AT + timedelta(microseconds=1)),
    )
    assert expire_due(at=AT, since=SINCE) == 2
    assert [held(one) for one in (ended, graced, over, open_end)] == [
        {"expired"}, set(), {"expired"}, set(),
    ]  # fmt: skip
    assert events(ended) == ["client.expired"]
    assert not is_on(ended)
    assert expire_due(at=AT, since=SINCE) == 0


@pytest.mark.parametrize("act", ["extend", "top-up", "patch", "grace", "none"])
def test_more_time_brings_a_client_back_at_once(shop: Shop, act: str) -> None:
    now = timezone.now()
    client = shop.sold(expires_at=now - MINUTE, quota_bytes=10, used=5)
    expire_due(at=now, since=now - 5 * MINUTE)
    assert shop.read(client)["off"]["reason"] == "expired"
    if act in ("extend", "top-up"):
        shop.act(client, act, days=3)
        end = Client.objects.get().expires_at
        assert end is not None
        assert now + 3 * DAY <= end <= timezone.now() + 3 * DAY
    else:
        later = (now + DAY).isoformat()
        bodies: dict[str, dict[str, Any]] = {
            "patch": {"expires_at": later},
            "grace": {"grace_seconds": 86_400},
            "none": {"expires_at": None},
        }
        shop.patch(client, **bodies[act])
    assert is_on(client)
    assert held(client) == set()


def test_more_bytes_do_not_bring_back_whose_time_is_over(shop: Shop) -> None:
    client = shop.sold(expires_at=AT - MINUTE, quota_bytes=10, used=10)
    expire_due(at=AT, since=SINCE)
    shop.act(client, "top-up", bytes=5)
    assert held(client) == {"expired"}
    assert not is_on(client)


def test_what_was_sold_begins_with_the_first_handshake(shop: Shop) -> None:
    waiting = shop.sold(
        starts_at=None, duration_days=30, start_before=AT + DAY, reset="month-from-start"
    )
    assert begin(client_ids=[waiting.pk], at=AT) == 1
    waiting.refresh_from_db()
    assert (waiting.starts_at, waiting.first_connected_at) == (AT, AT)
    assert (waiting.expires_at, waiting.start_before) == (AT + 30 * DAY, None)
    usage = Usage.objects.get(client=waiting)
    assert usage.period_began_at == AT
    assert usage.period_ends_at == AT.replace(month=12)
    assert events(waiting) == ["client.started"]
    assert begin(client_ids=[waiting.pk], at=AT + DAY) == 0


def test_a_held_client_does_not_begin(shop: Shop) -> None:
    client = shop.sold(starts_at=None, duration_days=30)
    shop.act(client, "disable")
    assert begin(client_ids=[client.pk], at=AT) == 0
    shop.act(client, "enable")
    assert begin(client_ids=[client.pk], at=AT) == 1


def test_an_earlier_end_stays_when_it_begins(shop: Shop) -> None:
    client = shop.sold(starts_at=None, duration_days=30, expires_at=AT + DAY)
    begin(client_ids=[client.pk], at=AT)
    client.refresh_from_db()
    assert client.expires_at == AT + DAY


def test_a_start_that_is_missed_is_an_end(shop: Shop) -> None:
    now = timezone.now()
    client = shop.sold(starts_at=None, duration_days=30, start_before=now - MINUTE)
    begun = shop.sold(duration_days=30, start_before=now - MINUTE, expires_at=now + DAY)
    assert expire_due(at=now, since=now - 5 * MINUTE) == 1
    assert (held(client), held(begun)) == ({"expired"}, set())
    assert "first handshake" in shop.read(client)["off"]["message"]
    body = shop.act(client, "extend", days=3)
    assert (body["duration_days"], body["off"]) == (33, None)
    assert is_on(client)


def test_what_begins_later_is_held_until_then(shop: Shop) -> None:
    start = timezone.now() + DAY
    made = shop.api.post(
        "/api/v1/clients",
        {"name": "x", "starts_at": start.isoformat(), "duration_days": 30, "reset": "day"},
    ).json()
    client = Client.objects.get(uuid=made["id"])
    assert client.expires_at == start + 30 * DAY
    assert (made["off"]["reason"], held(client)) == ("plan", {"plan"})
    assert made["off"]["until"] == made["starts_at"]
    later = start + DAY
    body = shop.patch(client, starts_at=later.isoformat())
    assert body["off"]["until"] == body["starts_at"]
    assert close_due_holds(at=start + MINUTE) == 0
    assert close_due_holds(at=later) == 1
    assert not Peer.objects.get(client=client).blocked
    assert Usage.objects.get(client=client).period_began_at == start


def test_time_deletes_so_many_days_after_the_end(shop: Shop) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {"delete_after_days": 3}
    gone, grace, soon, kept, missed = (
        shop.sold(expires_at=now - 3 * DAY, **fields),
        shop.sold(expires_at=now - 3 * DAY, grace_seconds=5 * 86_400, **fields),
        shop.sold(expires_at=now - 3 * DAY + MINUTE, **fields),
        shop.sold(expires_at=now - 9 * DAY),
        shop.sold(starts_at=None, duration_days=1, start_before=now - 3 * DAY, **fields),
    )
    assert delete_ended(at=now, since=None) == 0, "nobody is held for his end yet"
    expire_due(at=now, since=None)
    assert delete_ended(at=now, since=None) == 2
    alive = set(Client.objects.filter(deleted_at__isnull=True))
    assert alive == {grace, soon, kept}
    assert events(gone)[-1] == "client.deleted"
    restored = shop.act(gone, "restore")
    assert restored["delete_after_days"] is None
    assert delete_ended(at=now, since=None) == 0
    assert missed.pk


def test_a_plan_follows_at_the_end_and_is_sold_anew(shop: Shop) -> None:
    now = timezone.now()
    plan = make_plan(shop.tenant, total_bytes=50, duration_days=7, reset="day", devices=5)
    client = shop.sold(expires_at=now + DAY, quota_bytes=10, used=4, throttle_kbit=None)
    body = shop.act(client, "change-plan", plan=str(plan.uuid), when="end", rest="carry")
    assert body["next_plan"] == {"plan": str(plan.uuid), "when": "end", "carries": True}
    assert (body["quota_bytes"], body["plan"]) == (10, None)
    later = now + DAY
    assert follow_plans(at=now, since=None) == 0
    expire_due(at=later, since=now)
    assert held(client) == {"expired"}
    assert follow_plans(at=later, since=now) == 1
    client.refresh_from_db()
    assert (client.plan, client.quota_bytes, client.reset) == (plan, 50, "day")
    assert (client.starts_at, client.expires_at) == (later, later + 7 * DAY)
    assert (client.next_plan, client.next_plan_when) == (None, "")
    usage = Usage.objects.get(client=client)
    assert (usage.extra_bytes, usage.period) == (6, 2)
    assert is_on(client)
    assert events(client)[-1] == "client.renewed"
    assert follow_plans(at=later, since=now) == 0


def test_a_plan_follows_when_the_bytes_are_used_up(shop: Shop) -> None:
    plan = make_plan(shop.tenant, total_bytes=50, duration_days=7)
    client = shop.sold(quota_bytes=10, used=10, next_plan=plan, next_plan_when="end")
    periodic = shop.sold(
        quota_bytes=10, used=10, reset="month", next_plan=plan, next_plan_when="end"
    )
    assert follow_plans(at=AT, since=AT) == 1
    client.refresh_from_db()
    assert (client.plan, client.expires_at) == (plan, AT + 7 * DAY)
    periodic.refresh_from_db()
    assert periodic.plan is None


def test_a_plan_follows_at_the_next_period_and_the_end_stays(shop: Shop) -> None:
    plan = make_plan(shop.tenant, total_bytes=50, duration_days=7, reset="month-from-start")
    end = AT + 300 * DAY
    client = shop.sold(
        quota_bytes=10, used=3, reset="month", expires_at=end,
        next_plan=plan, next_plan_when="period",
    )  # fmt: skip
    over = AT - timedelta(hours=2)
    Usage.objects.update(period_ends_at=over)
    assert follow_plans(at=AT, since=None) == 1
    client.refresh_from_db()
    assert (client.quota_bytes, client.expires_at, client.starts_at) == (50, end, over)
    usage = Usage.objects.get(client=client)
    assert (usage.extra_bytes, usage.period_began_at) == (0, over)
    assert usage.period_ends_at == over.replace(month=12)


def test_a_queue_is_refused_where_its_moment_never_comes(shop: Shop) -> None:
    plan = str(make_plan(shop.tenant, total_bytes=5).uuid)
    client = shop.sold()
    for when in ("period", "end"):
        body = shop.act(client, "change-plan", status=409, plan=plan, when=when)
        assert body["errors"][0]["code"] == "not_limited"
    limited = shop.sold(quota_bytes=5)
    shop.act(limited, "change-plan", plan=plan, when="end")
    assert shop.act(limited, "change-plan", plan=None, when="end")["next_plan"] is None
    body = shop.act(limited, "change-plan", status=400, plan=plan, when="end", quota_bytes=9)
    assert body["errors"][0]["field"] == "quota_bytes"
    body = shop.act(limited, "change-plan", status=400, plan=plan, when="end", rest="keep")
    assert body["errors"][0]["code"] == "contradiction"


@pytest.mark.parametrize(("rest", "extra"), [("drop", 0), ("carry", 7)])
def test_a_change_now_may_begin_a_period(shop: Shop, rest: str, extra: int) -> None:
    plan = make_plan(shop.tenant, total_bytes=50, reset="month-from-start")
    end = timezone.now() + 30 * DAY
    client = shop.sold(quota_bytes=10, used=3, expires_at=end)
    shop.act(client, "change-plan", plan=str(plan.uuid), rest=rest)
    usage = Usage.objects.get(client=client)
    assert (usage.extra_bytes, usage.period, usage.base_up) == (extra, 2, usage.billed_up)
    client.refresh_from_db()
    assert (client.expires_at, client.quota_bytes) == (end, 50)
    assert usage.period_began_at == client.starts_at
    assert usage.period_ends_at is not None


def test_a_change_now_lets_the_period_go_on(shop: Shop) -> None:
    plan = make_plan(shop.tenant, total_bytes=50)
    client = shop.sold(quota_bytes=10, used=3, upload_kbit=5, grace_seconds=9)
    body = shop.act(client, "change-plan", plan=str(plan.uuid))
    assert (body["usage"]["used_bytes"], body["usage"]["left_bytes"]) == (3, 47)
    assert (body["upload_kbit"], body["grace_seconds"]) == (None, 0), "null is no limit"


def test_whoever_comes_second_finds_it_done(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker asked at the same moment: what is locked is asked again."""
    now = timezone.now()
    plan = make_plan(shop.tenant, total_bytes=50)
    client = shop.sold(
        quota_bytes=10, used=10, reset="day", expires_at=now - MINUTE,
        next_plan=plan, next_plan_when="end",
    )  # fmt: skip
    Usage.objects.update(period_ends_at=now - MINUTE)
    asked = clockwork.due_ids
    monkeypatch.setattr(clockwork, "due_ids", lambda *_: [client.pk])
    assert [follow_plans(at=now, since=None) for _ in range(2)] == [1, 0]
    Client.objects.update(expires_at=now - MINUTE)
    assert [expire_due(at=now, since=None) for _ in range(2)] == [1, 0]
    monkeypatch.setattr(clockwork, "due_ids", asked)
    Usage.objects.update(period_ends_at=now - MINUTE)
    assert [periods._roll([client.pk], now) for _ in range(2)] == [1, 0]


# -- F20: a clock that jumps ---------------------------------------------------------------------


def crowd(shop: Shop, number: int, **terms: Any) -> None:
    Client.objects.bulk_create(
        Client(tenant=shop.tenant, name=f"c{n}", starts_at=AT - DAY, **terms) for n in range(number)
    )


def test_a_thousand_with_one_end_are_ended(shop: Shop) -> None:
    crowd(shop, 60, expires_at=AT - MINUTE)
    assert expire_due(at=AT, since=SINCE) == 60


def test_too_many_that_are_late_wait_for_an_operator(shop: Shop) -> None:
    crowd(shop, 21, expires_at=AT - 6 * MINUTE)
    fresh = shop.sold(expires_at=AT - MINUTE)
    with pytest.raises(ClockDoubted, match="end_clients"):
        expire_due(at=AT, since=SINCE)
    assert held(fresh) == {"expired"}, "whose end is not in doubt"
    assert expire_due(at=AT, since=None) == 21


def test_a_few_that_are_late_are_ended(shop: Shop) -> None:
    crowd(shop, 20, expires_at=AT - 6 * MINUTE)
    assert expire_due(at=AT, since=SINCE) == 20
    crowd(shop, 700, expires_at=None)
    crowd(shop, 30, expires_at=AT - 6 * MINUTE)
    assert expire_due(at=AT, since=SINCE) == 30, "not more than a twentieth of all"


def test_a_clock_that_jumps_is_told_from_a_worker_that_was_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    steady, clock = [1000.0], [timezone.now()]
    monkeypatch.setattr(ending, "_steady", lambda: ("boot", steady[0]))
    monkeypatch.setattr(ending, "database_now", lambda: clock[0])
    crowd(shop, 60, expires_at=clock[0] + timedelta(hours=10))
    ending.end_due()
    clock[0] += DAY
    steady[0] += 5
    with pytest.raises(ClockDoubted):
        ending.end_due()
    with pytest.raises(ClockDoubted):
        ending.end_due()
    clock[0] -= DAY
    assert ending.end_due()["expired"] == 0, "the clock is right again"
    clock[0] += DAY
    steady[0] += 86_400
    assert ending.end_due()["expired"] == 60, "a day has gone by, and nobody was there"


def test_an_operator_says_that_the_clock_is_right(shop: Shop) -> None:
    cache.clear()
    crowd(shop, 40, expires_at=timezone.now() - DAY)
    with pytest.raises(ClockDoubted):
        ending.end_due()
    call_command("end_clients")
    assert ending.end_due()["expired"] == 0
    assert Client.objects.filter(holds__reason="expired").count() == 40


def test_a_client_that_is_handed_over_keeps_its_period(shop: Shop, operator_api: Any) -> None:
    other = make_tenant("other")
    plan = make_plan(shop.tenant, total_bytes=5)
    client = shop.sold(
        quota_bytes=10, used=3, reset="month", next_plan=plan, next_plan_when="period"
    )
    headers = {"X-VWG-Tenant": "acme"}
    url = f"/api/v1/clients/{client.uuid}/transfer"
    assert operator_api.post(url, {"tenant": "other"}, headers=headers).status_code == 200
    client.refresh_from_db()
    assert (client.tenant, client.next_plan, client.next_plan_when) == (other, None, "")
    usage = Usage.objects.get(client=client)
    assert (usage.tenant, usage.period) == (other, 1)


def test_a_deleted_client_is_left_alone(shop: Shop) -> None:
    make_client(
        shop.tenant, expires_at=AT - MINUTE, deleted_at=AT, purge_at=AT + DAY, starts_at=AT - DAY
    )
    assert expire_due(at=AT, since=SINCE) == 0
