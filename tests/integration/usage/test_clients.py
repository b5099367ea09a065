"""What a client used: now, in series, in sessions; and what foreigners see of it: nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from control.allotted import allotted
from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress
from quotas.models import Meter, Session, Usage
from tenants.models import Tenant
from tests.integration.usage.ledger import QUARTER, use
from tests.make import make_client, make_peer, make_usage

URL = "/api/v1/clients"
UTC_NOW = datetime(2026, 11, 27, tzinfo=UTC)


def got(api: APIClient, path: str, **query: Any) -> Any:
    answer = api.get(path, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(api: APIClient, path: str, field: str, code: str = "invalid", **query: Any) -> None:
    answer = api.get(path, query)
    assert answer.status_code == 400, answer.content
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == (field, code)


@pytest.mark.parametrize("up", [None, 300, 800])
@pytest.mark.parametrize("most", [None, 500])
@pytest.mark.parametrize("slow", [False, True])
def test_the_speed_that_is_shown_is_the_one_that_is_set(
    alice_api: APIClient,
    sara: Client,
    phone: Peer,
    interface: Interface,
    up: int | None,
    most: int | None,
    slow: bool,
) -> None:
    Tenant.objects.update(max_speed_kbit=most)
    Client.objects.update(upload_kbit=up, at_limit="throttle", throttle_kbit=100)
    make_usage(sara, up=1000, throttled_since=UTC_NOW if slow else None)
    device = next(iter(allotted(interface)), None)
    shown = got(alice_api, f"{URL}/{sara.uuid}/usage")["speed"]
    assert shown["upload_kbit"] == (device and device.up_kbit)
    assert shown["download_kbit"] == (device and device.down_kbit)


def test_a_client_that_never_connected_used_nothing(
    alice_api: APIClient, sara: Client, phone: Peer
) -> None:
    assert got(alice_api, f"{URL}/{sara.uuid}/usage") == {
        "period": {"number": 1, "began_at": None, "ends_at": None},
        "used_bytes": 0,
        "used_upload_bytes": 0,
        "used_download_bytes": 0,
        "limit_bytes": 1000,
        "limit_upload_bytes": None,
        "limit_download_bytes": None,
        "extra_bytes": 0,
        "left_bytes": 1000,
        "percent": 0,
        "throttled_since": None,
        "speed": {"upload_kbit": None, "download_kbit": None},
        "total": dict.fromkeys(_names(), 0),
        "devices": [
            {
                "id": str(phone.uuid),
                "name": "phone",
                **dict.fromkeys(_names(), 0),
                "observed_at": None,
            }
        ],
        "observed_at": None,
    }


def test_what_is_used_and_left(
    alice_api: APIClient, sara: Client, phone: Peer, laptop: Peer, noon: datetime
) -> None:
    use(phone, noon, 100, 200, percent=50)
    use(laptop, noon + QUARTER, 10, 20)
    Usage.objects.filter(client=sara).update(
        period=3, base_up=20, base_down=30, extra_bytes=500, throttled_since=noon
    )
    body = got(alice_api, f"{URL}/{sara.uuid}/usage")
    assert body["period"]["number"] == 3
    # billed 50 + 10 and 100 + 20, of which 20 and 30 were before this period
    assert (body["used_upload_bytes"], body["used_download_bytes"]) == (40, 90)
    assert (body["used_bytes"], body["limit_bytes"], body["left_bytes"]) == (130, 1500, 1370)
    assert (body["percent"], body["throttled_since"]) == (8, "2026-03-10T12:00:00Z")
    assert body["total"] == dict(zip(_names(), (110, 220, 60, 120), strict=True))
    assert [one["raw_upload_bytes"] for one in body["devices"]] == [100, 10]
    assert body["observed_at"] == "2026-03-10T12:18:00Z"
    assert got(alice_api, f"{URL}/by-external-id/o-1/usage") == body
    device = got(alice_api, f"/api/v1/peers/{laptop.uuid}/usage")
    assert device == body["devices"][1]


def test_the_client_itself_shows_how_much_is_left(
    alice_api: APIClient, sara: Client, phone: Peer, noon: datetime
) -> None:
    use(phone, noon, 100, 200)
    shown = {"used_bytes": 300, "left_bytes": 700, "percent": 30}
    first = alice_api.get(f"{URL}/{sara.uuid}")
    assert first.json()["usage"] == shown
    assert got(alice_api, URL)["results"][0]["usage"] == shown
    use(phone, noon + QUARTER, 1, 0)
    second = alice_api.get(f"{URL}/{sara.uuid}")
    assert second.json()["usage"]["used_bytes"] == 301
    assert second["ETag"] == first["ETag"]  # a figure that moves is no other client
    # What was read may be sent back, though the figure is another by now.
    body = {"note": "x", "usage": first.json()["usage"]}
    assert alice_api.patch(f"{URL}/{sara.uuid}", body).status_code == 200


def test_a_list_asks_once_for_all_usages(
    alice_api: APIClient, acme: Tenant, interface: Interface, noon: datetime
) -> None:
    got(alice_api, URL)  # the token's first use is noted
    counts = []
    for number in (1, 20):
        for _ in range(number):
            use(make_peer(make_client(acme), interface), noon, 1, 2)
        with CaptureQueriesContext(connection) as found:
            got(alice_api, URL)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_hours_with_gaps_and_what_is_not_rolled_up(
    alice_api: APIClient, sara: Client, phone: Peer, laptop: Peer, noon: datetime
) -> None:
    use(phone, noon, 1, 2)
    use(phone, noon + QUARTER, 10, 20, percent=10)
    use(laptop, noon + 2 * timedelta(hours=1), 100, 200, rolled_up=False)
    body = got(
        alice_api,
        f"{URL}/{sara.uuid}/usage/series",
        **{"by": "hour", "from": "2026-03-10T12:00:00Z", "to": "2026-03-10T15:00:00Z"},
    )
    assert body["timezone"] == "UTC"
    assert [one["begins_at"] for one in body["points"]] == [
        f"2026-03-10T{hour}:00:00Z" for hour in (12, 13, 14)
    ]
    assert [one["raw_download_bytes"] for one in body["points"]] == [22, 0, 200]
    assert [one["billed_upload_bytes"] for one in body["points"]] == [2, 0, 100]
    assert {one["seconds"] for one in body["points"]} == {3600}
    assert body["total"] == dict(zip(_names(), (111, 222, 102, 204), strict=True))
    assert body["coarse"] is False


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        ("Asia/Tehran", "2026-03-09T20:30:00Z", "+03:30"),
        ("Asia/Kathmandu", "2026-03-09T18:15:00Z", "+05:45"),
        ("America/New_York", "2026-03-10T04:00:00Z", "-04:00"),
    ],
)
def test_days_begin_where_the_zone_says(
    alice_api: APIClient, acme: Tenant, sara: Client, phone: Peer,
    zone: str, first: str, second: str,
) -> None:  # fmt: skip
    Tenant.objects.filter(pk=acme.pk).update(timezone=zone)
    midnight = datetime.fromisoformat(first)
    use(phone, midnight - QUARTER, 1, 0)
    use(phone, midnight, 10, 0, rolled_up=False)
    use(phone, midnight + timedelta(hours=24) - QUARTER, 100, 0)
    use(phone, midnight + timedelta(hours=24), 1000, 0)
    body = got(
        alice_api,
        f"{URL}/{sara.uuid}/usage/series",
        **{"by": "day", "from": "2026-03-10", "to": "2026-03-11"},
    )
    assert [one["raw_upload_bytes"] for one in body["points"]] == [110]
    assert body["points"][0]["begins_at"] == f"2026-03-10T00:00:00{second}"


def test_a_day_when_clocks_are_turned(alice_api: APIClient, sara: Client, phone: Peer) -> None:
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight of the 25th in Berlin
    for quarter in range(25 * 4):
        use(phone, begin + quarter * QUARTER, 1, 0)
    use(phone, begin + timedelta(hours=25), 1000, 0)
    path = f"{URL}/{sara.uuid}/usage/series"
    asked = {"from": "2026-10-25", "to": "2026-10-26", "timezone": "Europe/Berlin"}
    days = got(alice_api, path, by="day", **asked)["points"]
    assert [(one["seconds"], one["raw_upload_bytes"]) for one in days] == [(25 * 3600, 100)]
    hours = got(alice_api, path, by="hour", **asked)["points"]
    assert [one["raw_upload_bytes"] for one in hours] == [4] * 25
    assert [one["begins_at"] for one in hours][2:4] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


def test_what_is_folded_says_that_it_is_coarse(
    alice_api: APIClient, sara: Client, phone: Peer, noon: datetime
) -> None:
    midnight = noon - timedelta(hours=12)
    use(phone, midnight, 24, 0, seconds=86400)
    path = f"{URL}/{sara.uuid}/usage/series"
    asked = {"from": "2026-03-10", "to": "2026-03-11"}
    assert got(alice_api, path, by="day", **asked)["coarse"] is False
    hours = got(alice_api, path, by="hour", **asked)
    assert hours["coarse"] is True
    assert hours["total"]["raw_upload_bytes"] == 24


def test_a_series_costs_the_same_however_long_it_is(
    alice_api: APIClient, sara: Client, phone: Peer, noon: datetime
) -> None:
    path, counts = f"{URL}/{sara.uuid}/usage/series", []
    got(alice_api, path)  # the token's first use is noted
    for number in range(40):
        use(phone, noon + number * QUARTER, 1, 2, rolled_up=bool(number % 2))
        if number in (0, 39):
            with CaptureQueriesContext(connection) as found:
                got(alice_api, path, **{"from": "2026-03-10", "to": "2026-03-12"})
            counts.append(len(found))
    assert counts[0] == counts[1]


def test_a_series_that_cannot_be(alice_api: APIClient, sara: Client) -> None:
    path = f"{URL}/{sara.uuid}/usage/series"
    refused(alice_api, path, "by", "invalid_choice", by="minute")
    refused(alice_api, path, "timezone", timezone="Mars/Olympus")
    refused(alice_api, path, "from", **{"from": "yesterday"})
    refused(alice_api, path, "from", **{"from": "2026-02-30"})
    refused(alice_api, path, "from", **{"from": "0001-01-01"})
    refused(alice_api, path, "to", to="2026-03-10T12:00:00")
    refused(alice_api, path, "to", to="9999-12-31T23:59:59Z")
    refused(alice_api, path, "to", "out_of_range", **{"from": "2026-03-02", "to": "2026-03-01"})
    asked = {"from": "2026-01-01", "to": "2026-06-01"}
    refused(alice_api, path, "from", "too_many_points", by="hour", **asked)
    refused(alice_api, path, "limit", "unknown_parameter", limit=3)


def test_by_default_a_series_is_that_of_the_last_day(alice_api: APIClient, sara: Client) -> None:
    body = got(alice_api, f"{URL}/{sara.uuid}/usage/series")
    assert (body["by"], len(body["points"])) == ("hour", 25)


def test_sessions_are_paged_newest_first(
    alice_api: APIClient, acme: Tenant, sara: Client, phone: Peer, laptop: Peer, noon: datetime
) -> None:
    for number in range(5):
        begin = noon + timedelta(hours=number)
        Session.objects.create(
            peer=(phone, laptop)[number % 2],
            tenant=acme,
            endpoint="203.0.113.9:4711",
            began_at=begin,
            ended_at=begin + timedelta(minutes=9),
            up=number,
            down=10 * number,
        )
    use(phone, noon, 100, 200)
    Session.objects.create(
        peer=phone, tenant=acme, began_at=noon + timedelta(hours=9), base_up=90, base_down=150
    )
    first = got(alice_api, f"{URL}/{sara.uuid}/sessions", limit=2)
    assert first["results"][0] == {
        "device": str(phone.uuid),
        "device_name": "phone",
        "began_at": "2026-03-10T21:00:00Z",
        "ended_at": None,
        "endpoint": "",
        "upload_bytes": 10,
        "download_bytes": 50,
    }
    seen = first["results"]
    while first["next"]:
        first = alice_api.get(first["next"]).json()
        seen += first["results"]
    assert [one["download_bytes"] for one in seen] == [50, 40, 30, 20, 10, 0]
    of_phone = got(alice_api, f"{URL}/{sara.uuid}/sessions", device=str(phone.uuid))
    assert len(of_phone["results"]) == 4
    assert len(got(alice_api, f"/api/v1/peers/{laptop.uuid}/sessions")["results"]) == 2
    late = got(alice_api, f"{URL}/{sara.uuid}/sessions", since="2026-03-10T15:30:00Z")
    assert len(late["results"]) == 2


@pytest.mark.parametrize("rest", ["usage", "usage/series", "sessions"])
def test_foreign_clients_do_not_exist(
    mallory_api: APIClient, alice_api: APIClient, sara: Client, phone: Peer, rest: str
) -> None:
    assert mallory_api.get(f"{URL}/{sara.uuid}/{rest}").status_code == 404
    assert mallory_api.get(f"/api/v1/peers/{phone.uuid}/{rest}").status_code == 404
    assert alice_api.get(f"/api/v1/peers/{phone.uuid}/{rest}").status_code == 200


def test_a_client_that_was_handed_over_shows_what_it_used_since(
    mallory_api: APIClient, evil: Tenant, sara: Client, phone: Peer, noon: datetime
) -> None:
    use(phone, noon, 1, 2)
    Client.objects.filter(pk=sara.pk).update(tenant=evil)
    Peer.objects.filter(pk=phone.pk).update(tenant=evil)
    PeerAddress.objects.filter(peer=phone).update(tenant=evil)
    Meter.objects.filter(peer=phone).update(tenant=evil)
    phone.refresh_from_db()
    use(phone, noon + QUARTER, 10, 20)
    asked = {"from": "2026-03-10", "to": "2026-03-11", "by": "day"}
    for path in (f"{URL}/{sara.uuid}", f"/api/v1/peers/{phone.uuid}"):
        body = got(mallory_api, f"{path}/usage/series", **asked)
        assert body["total"]["raw_upload_bytes"] == 10


def test_what_was_handed_over_keeps_its_sessions(
    alice_api: APIClient, acme: Tenant, evil: Tenant, sara: Client, phone: Peer, noon: datetime
) -> None:
    """Where people connected from under the tenant that had them is no business of the next."""
    for tenant, minute in ((evil, 0), (acme, 9)):
        Session.objects.create(
            peer=phone, tenant=tenant, began_at=noon.replace(minute=minute), ended_at=noon
        )
    for path in (f"{URL}/{sara.uuid}", f"/api/v1/peers/{phone.uuid}"):
        (found,) = got(alice_api, f"{path}/sessions")["results"]
        assert found["began_at"] == "2026-03-10T12:09:00Z"


def _names() -> list[str]:
    return [f"{kind}_{way}_bytes" for kind in ("raw", "billed") for way in ("upload", "download")]
