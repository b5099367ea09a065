"""Bytes: who is stopped or slowed down at his limit, and what brings him back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateways.hints import publisher
from peers.models import Client
from peers.services.periods import roll_periods
from peers.services.verdicts import judge, sweep_quotas
from quotas.models import Hold, Usage
from tests.integration.terms.conftest import AT, DAY, Shop, events, held, is_on

pytestmark = pytest.mark.django_db


def judged(*clients: Client) -> int:
    return judge(client_ids=[client.pk for client in clients], at=AT)


def test_who_moved_over_his_limit_is_stopped_once_and_nobody_else(shop: Shop) -> None:
    over, below, other = (
        shop.sold(quota_bytes=10, used=10),
        shop.sold(quota_bytes=10, used=9),
        shop.sold(quota_bytes=10, used=99),
    )
    assert judged(over, below) == 1
    assert (held(over), held(below), held(other)) == ({"quota"}, set(), set())
    assert not is_on(over)
    assert is_on(below)
    hold = Hold.objects.get(client=over)
    assert (hold.period, hold.opened_by, hold.opened_at) == (1, "vwg", AT)
    assert events(over) == ["client.quota_reached"]
    assert judged(over, below) == 0, "a second time changes nothing"
    assert sweep_quotas(at=AT) == 1, "the one whom no movement led to"
    assert held(other) == {"quota"}
    assert sweep_quotas(at=AT) == 0


@pytest.mark.parametrize(
    "terms",
    [
        {"upload_quota_bytes": 5, "used": 5},
        {"download_quota_bytes": 5, "down": 5},
        {"quota_bytes": 5, "used": 3, "down": 2},
        {"quota_bytes": 5, "used": 3, "down": 4, "extra": 2},
    ],
)
def test_each_way_and_together(shop: Shop, terms: dict[str, int]) -> None:
    client = shop.sold(**terms)
    judged(client)
    assert held(client) == {"quota"}


def test_at_the_limit_a_plan_may_slow_down_instead(shop: Shop) -> None:
    client = shop.sold(quota_bytes=10, used=10, at_limit="throttle", throttle_kbit=64)
    assert judged(client) == 1
    assert is_on(client)
    assert Usage.objects.get(client=client).throttled_since == AT
    assert judged(client) == 0
    shop.act(client, "top-up", bytes=1)
    assert Usage.objects.get(client=client).throttled_since is None
    assert events(client) == ["client.throttled", "client.topped_up"]
    Usage.objects.update(billed_down=1)
    judged(client)
    shop.patch(client, at_limit="disconnect")
    assert Usage.objects.get(client=client).throttled_since is None
    assert held(client) == {"quota"}
    assert not is_on(client)
    shop.patch(client, at_limit="throttle", throttle_kbit=64)
    assert is_on(client)


@pytest.mark.parametrize("act", ["reset-usage", "top-up", "extend", "patch", "plan", "none"])
def test_what_makes_more_bytes_brings_a_client_back_at_once(shop: Shop, act: str) -> None:
    client = shop.sold(quota_bytes=10, used=10)
    judged(client)
    assert not is_on(client)
    if act in ("patch", "none"):
        shop.patch(client, quota_bytes=11 if act == "patch" else None)
    elif act == "plan":
        plan = shop.api.post("/api/v1/plans", {"name": "Gold", "total_bytes": 99}).json()
        shop.act(client, "change-plan", plan=plan["id"])
    else:
        shop.act(client, act, **({} if act == "reset-usage" else {"bytes": 1}))
    assert is_on(client)
    assert held(client) == set()
    assert sweep_quotas(at=AT) == 0
    assert shop.read(client)["off"] is None


@pytest.mark.parametrize("other", ["manual", "expired", "tenant-suspended", "suspended"])
def test_a_reset_closes_its_own_hold_alone(shop: Shop, other: str) -> None:
    client = shop.sold(quota_bytes=10, used=10)
    Hold.objects.create(
        tenant=shop.tenant, client=client, reason=other, opened_at=AT, opened_by="x"
    )
    judged(client)
    shop.act(client, "reset-usage")
    assert held(client) == {other}
    assert not is_on(client)


def test_too_little_brings_nobody_back(shop: Shop) -> None:
    client = shop.sold(quota_bytes=10, used=15)
    judged(client)
    shop.act(client, "top-up", bytes=5)
    assert held(client) == {"quota"}
    shop.act(client, "top-up", bytes=1)
    assert is_on(client)
    usage = Usage.objects.get(client=client)
    assert (usage.extra_bytes, Client.objects.get().quota_bytes) == (6, 10)


def test_a_limit_below_what_was_used_stops_at_once(shop: Shop) -> None:
    client = shop.sold(quota_bytes=10, used=5)
    body = shop.patch(client, quota_bytes=5)
    assert (body["state"], body["off"]["reason"]) == ("over-quota", "quota")
    assert not is_on(client)


def test_a_reset_moves_the_base_and_no_counter(shop: Shop) -> None:
    client = shop.sold(quota_bytes=10, used=7, extra=3)
    before = Usage.objects.get(client=client)
    shop.act(client, "reset-usage")
    usage = Usage.objects.get(client=client)
    assert (usage.billed_up, usage.base_up) == (before.billed_up, before.billed_up)
    assert (usage.period, usage.extra_bytes, usage.throttled_since) == (2, 0, None)
    assert shop.read(client)["usage"] == {"used_bytes": 0, "left_bytes": 10, "percent": 0}
    assert events(client) == ["client.usage_reset"]


def test_a_hold_names_the_period_that_was_judged(shop: Shop) -> None:
    client = shop.sold(quota_bytes=10, used=10)
    judged(client)
    shop.act(client, "reset-usage")
    Usage.objects.update(billed_down=10)
    judged(client)
    rows = Hold.objects.filter(client=client).order_by("pk").values_list("period", "closed_by")
    assert list(rows) == [(1, "alice"), (2, "")]


def test_top_ups_have_something_to_add_to(shop: Shop) -> None:
    client = shop.sold(upload_quota_bytes=10)
    for word in ("top-up", "extend"):
        for body in ({"bytes": 1}, {"days": 1}):
            refused = shop.act(client, word, status=409, **body)
            assert refused["errors"][0]["code"] == "not_limited"
        assert shop.act(client, word, status=400)["errors"][0]["code"] == "required"
    limited = shop.sold(quota_bytes=10, extra=2**63 - 2)
    assert shop.act(limited, "top-up", status=400, bytes=2)["errors"][0]["field"] == "bytes"


def test_a_period_that_is_over_begins_anew_and_frees_at_once(shop: Shop) -> None:
    now = timezone.now()
    month: dict[str, Any] = {"reset": "month", "quota_bytes": 10, "used": 10, "extra": 0}
    over, slow, later, none = (
        shop.sold(**month),
        shop.sold(**month, at_limit="throttle", throttle_kbit=9),
        shop.sold(**month),
        shop.sold(quota_bytes=10, used=10),
    )
    judged(over, slow, later, none)
    end = now - timedelta(minutes=1)
    Usage.objects.exclude(client__in=[later, none]).update(period_ends_at=end, extra_bytes=0)
    Usage.objects.filter(client=later).update(period_ends_at=now + DAY)
    assert roll_periods(at=now) == 2
    assert is_on(over)
    assert (held(slow), held(later), held(none)) == (set(), {"quota"}, {"quota"})
    usage = Usage.objects.get(client=over)
    assert (usage.period, usage.base_up, usage.period_began_at) == (2, usage.billed_up, end)
    assert usage.period_ends_at is not None
    assert usage.period_ends_at > now
    assert Usage.objects.get(client=slow).throttled_since is None
    assert events(over) == ["client.quota_reached", "client.quota_restored"]
    assert events(slow) == ["client.throttled", "client.unthrottled"]
    assert roll_periods(at=now) == 0


@pytest.mark.parametrize("act", [roll_periods, sweep_quotas])
def test_time_lets_nobody_go_whom_another_hold_keeps_off(shop: Shop, act: Any) -> None:
    client = shop.sold(quota_bytes=10, used=10, reset="day")
    judged(client)
    shop.act(client, "disable")
    Usage.objects.update(period_ends_at=AT)
    if act is sweep_quotas:
        Client.objects.update(quota_bytes=99)
    assert act(at=AT) == 1
    assert held(client) == {"manual"}
    assert not is_on(client)
    shop.act(client, "enable")
    assert is_on(client)


def test_after_an_outage_the_period_is_the_one_of_the_moment(shop: Shop) -> None:
    client = shop.sold(reset="day", quota_bytes=10, used=10)
    Usage.objects.update(period_ends_at=AT - 40 * DAY)
    assert roll_periods(at=AT) == 1
    usage = Usage.objects.get(client=client)
    assert usage.period == 2
    assert usage.period_began_at == AT.replace(hour=0, minute=0)
    assert usage.period_ends_at == AT.replace(hour=0, minute=0) + DAY
    assert roll_periods(at=AT) == 0


@pytest.mark.parametrize("act", ["top-up", "reset-usage", "extend", "patch", "roll", "note"])
def test_the_kernel_s_cut_off_is_told_of_more(
    shop: Shop,
    act: str,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Also of a client that no hold keeps off: the kernel may have cut it off already."""
    told: list[str] = []
    monkeypatch.setattr(publisher, "relax", lambda *, interface_id, queue: told.append(queue))
    client = shop.sold(quota_bytes=10, used=9, reset="day")
    Usage.objects.update(period_ends_at=AT)
    with django_capture_on_commit_callbacks(execute=True):
        if act == "roll":
            roll_periods(at=AT)
        elif act in ("patch", "note"):
            shop.patch(client, **({"quota_bytes": 20} if act == "patch" else {"note": "x"}))
        else:
            shop.act(client, act, **({} if act == "reset-usage" else {"bytes": 5}))
    assert told == ([] if act == "note" else ["gateway.local"])
