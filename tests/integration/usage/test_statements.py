"""Statements add up to the byte, and tell of clients that are gone."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress
from peers.services.due import purge_due
from quotas.models import Meter, TenantUsage
from resellers.statements import statement
from tenants.models import Tenant
from tests.integration.usage.ledger import QUARTER, use
from tests.integration.usage.test_clients import got, refused
from tests.make import make_client, make_interface, make_peer

V1 = "/api/v1"
MARCH = {"month": "2026-03"}
ALL = {"from": "2001-01-01", "to": "2999-12-31"}


def _table(answer: Any) -> list[dict[str, str]]:
    """The rows of a streamed CSV file."""
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_by_default_a_statement_is_that_of_the_running_month(
    alice_api: APIClient, acme: Tenant, phone: Peer
) -> None:
    body = got(alice_api, f"{V1}/statements")
    now = datetime.now(UTC)
    assert body["begins_at"] == f"{now:%Y-%m}-01T00:00:00Z"
    assert (body["lines"], body["slug"]) == ([], "acme")
    assert set(body["total"].values()) == {0}


def test_a_month_is_the_tenants_own(
    alice_api: APIClient, acme: Tenant, sara: Client, phone: Peer, laptop: Peer
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(timezone="Asia/Tehran")
    begin = datetime(2026, 2, 28, 20, 30, tzinfo=UTC)
    end = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)
    use(phone, begin - QUARTER, 1, 1)
    use(phone, begin, 10, 20, percent=50)
    use(laptop, end - QUARTER, 100, 200, rolled_up=False)
    use(laptop, end, 1000, 1000)
    body = got(alice_api, f"{V1}/statements", **MARCH)
    assert body["begins_at"] == "2026-03-01T00:00:00+03:30"
    assert body["ends_at"] == "2026-04-01T00:00:00+03:30"
    assert body["lines"] == [
        {
            "kind": "client",
            "client": str(sara.uuid),
            "external_id": "o-1",
            "name": "Sara",
            "deleted": False,
            "devices": 2,
            "raw_upload_bytes": 110,
            "raw_download_bytes": 220,
            "billed_upload_bytes": 105,
            "billed_download_bytes": 210,
            "raw_bytes": 330,
            "billed_bytes": 315,
        }
    ]
    assert body["total"]["billed_upload_bytes"] == 105


@pytest.mark.parametrize("seed", range(6))
def test_a_statement_is_what_the_tenant_used_to_the_byte(
    acme: Tenant, evil: Tenant, interface: Interface, seed: int, alice_api: APIClient
) -> None:
    chance = random.Random(seed)
    other = make_interface(
        name="wg1", addresses=["10.9.0.1/24"], listen_port=51821, is_default=False
    )
    zone = chance.choice(["Asia/Kathmandu", "Asia/Tehran", "Europe/Berlin", "Pacific/Apia"])
    Tenant.objects.filter(pk=acme.pk).update(timezone=zone)
    peers = [
        make_peer(make_client(owner, name=f"c{n}"), chance.choice([interface, other]))
        for owner in (acme, acme, acme, evil)
        for n in range(chance.randint(1, 4))
    ]
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(60):
        use(
            chance.choice(peers),
            begin + chance.randrange(180 * 96) * QUARTER,
            chance.randrange(2**40),
            chance.randrange(2**40),
            percent=chance.choice([0, 50, 100, 130]),
            rolled_up=chance.random() < 0.7,
        )
    for pk in Client.objects.filter(tenant=acme).order_by("?").values_list("pk", flat=True)[:1]:
        Client.objects.filter(pk=pk).update(deleted_at=begin, purge_at=begin)
        purge_due(at=begin)
    counted = TenantUsage.objects.get(tenant=acme)
    whole = statement(acme, datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC))
    assert whole.total._asdict() == {name: getattr(counted, name) for name in whole.total._fields}
    months = [
        got(alice_api, f"{V1}/statements", month=month)["total"]
        for month in ("2025-12", *(f"2026-0{n}" for n in range(1, 8)))
    ]
    assert sum(month["billed_download_bytes"] for month in months) == counted.billed_down
    assert sum(month["raw_upload_bytes"] for month in months) == counted.raw_up
    days = got(
        alice_api, f"{V1}/usage/series", **{"by": "day", "from": "2025-12-30", "to": "2026-07-05"}
    )
    assert days["total"]["raw_download_bytes"] == counted.raw_down
    spread = got(alice_api, f"{V1}/usage/interfaces", **ALL)
    assert spread["total"] == {
        f"{kind}_{way}load_bytes": getattr(counted, f"{kind}_{way}")
        for kind in ("raw", "billed")
        for way in ("up", "down")
    }
    assert len(spread["lines"]) <= 2


def test_a_client_that_is_gone_keeps_its_name(
    alice_api: APIClient, sara: Client, phone: Peer, noon: datetime
) -> None:
    use(phone, noon, 10, 20)
    Client.objects.filter(pk=sara.pk).update(name="Sara II", deleted_at=noon, purge_at=noon)
    line = got(alice_api, f"{V1}/statements", **MARCH)["lines"][0]
    assert (line["name"], line["deleted"]) == ("Sara II", True)
    purge_due(at=noon + timedelta(days=2))
    assert not Client.objects.filter(pk=sara.pk).exists()
    assert got(alice_api, f"{V1}/statements", **MARCH)["lines"] == [line]
    assert (line["external_id"], line["client"]) == ("o-1", str(sara.uuid))
    used = got(alice_api, f"{V1}/usage/series", **{"by": "month", "from": "2026-03-01"})
    assert used["total"]["raw_upload_bytes"] == 10


def test_what_was_handed_over_is_a_line_without_a_name(
    alice_api: APIClient, mallory_api: APIClient, acme: Tenant, evil: Tenant, sara: Client,
    phone: Peer, noon: datetime,
) -> None:  # fmt: skip
    use(phone, noon, 10, 20)
    Client.objects.filter(pk=sara.pk).update(tenant=evil, name="Now theirs")
    Peer.objects.filter(pk=phone.pk).update(tenant=evil)
    PeerAddress.objects.filter(peer=phone).update(tenant=evil)
    Meter.objects.filter(peer=phone).update(tenant=evil, client_name="Now theirs")
    use(Peer.objects.get(pk=phone.pk), noon + QUARTER, 100, 200)
    (line,) = got(alice_api, f"{V1}/statements", **MARCH)["lines"]
    assert (line["kind"], line["client"], line["name"]) == ("handed-over", None, "")
    assert (line["external_id"], line["deleted"], line["raw_bytes"]) == (None, False, 30)
    (line,) = got(mallory_api, f"{V1}/statements", **MARCH)["lines"]
    assert (line["name"], line["raw_bytes"]) == ("Now theirs", 300)
    for tenant, raw in ((acme, 30), (evil, 300)):
        counted = TenantUsage.objects.get(tenant=tenant)
        assert counted.raw_up + counted.raw_down == raw


def test_as_a_spreadsheet_nothing_runs(
    alice_api: APIClient, acme: Tenant, interface: Interface, noon: datetime
) -> None:
    names = ["=cmd|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "سارا", 'with "quotes", commas', "plain"]
    for name in names:
        use(make_peer(make_client(acme, name=name), interface), noon, 1, 2)
    for asked in ({"format": "csv"}, {}):
        answer = alice_api.get(
            f"{V1}/statements", {**MARCH, **asked}, headers={"Accept": "text/csv"}
        )
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"] == (
            'attachment; filename="statement-acme-2026-03-01.csv"'
        )
        rows = _table(answer)
        shown = {row["name"] for row in rows if row["kind"] == "client"}
        assert shown == {f"'{n}" if n[0] in "=+-@" else n for n in names}
        assert rows[-1]["kind"] == "total"
        assert (rows[-1]["raw_bytes"], rows[-1]["billed_upload_bytes"]) == ("21", "7")
    wanted = alice_api.get(
        f"{V1}/statements", {**MARCH, "format": "json"}, headers={"Accept": "text/csv"}
    )
    assert wanted["Content-Type"] == "application/json"


def test_a_statement_costs_the_same_however_many_clients_there_are(
    alice_api: APIClient, acme: Tenant, interface: Interface, noon: datetime
) -> None:
    got(alice_api, f"{V1}/statements")  # the token's first use is noted
    counts = []
    for number in (1, 30):
        for _ in range(number):
            use(make_peer(make_client(acme), interface), noon, 1, 2)
        with CaptureQueriesContext(connection) as found:
            got(alice_api, f"{V1}/statements", **MARCH)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_a_statement_that_cannot_be(alice_api: APIClient) -> None:
    path = f"{V1}/statements"
    refused(alice_api, path, "month", month="2026-13")
    refused(alice_api, path, "month", month="march")
    refused(alice_api, path, "month", "one_of", month="2026-01", to="2026-02-01")
    refused(alice_api, path, "format", "invalid_choice", format="xlsx")
    refused(alice_api, path, "to", "out_of_range", **{"from": "2026-02-01", "to": "2026-02-01"})
    answer = alice_api.get(path, {"month": "x"}, headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "application/problem+json"


def test_what_the_tenant_used(
    alice_api: APIClient, acme: Tenant, phone: Peer, interface: Interface, noon: datetime
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(max_bytes_per_period=1000)
    assert got(alice_api, f"{V1}/usage")["observed_at"] is None
    use(phone, noon, 100, 200)
    TenantUsage.objects.filter(tenant=acme).update(base_up=50, period=2, sold_bytes=600)
    body = got(alice_api, f"{V1}/usage")
    assert (body["used_upload_bytes"], body["used_download_bytes"]) == (50, 200)
    assert body["pool"] == {
        "counts": "used",
        "reset": "month",
        "stops": "all",
        "limit_bytes": 1000,
        "used_bytes": 250,
        "sold_bytes": 600,
        "left_bytes": 750,
        "percent": 25,
        "stopped_since": None,
    }
    assert body["observed_at"] == "2026-03-10T12:03:00Z"
    Tenant.objects.filter(pk=acme.pk).update(pool_counts="sold")
    assert got(alice_api, f"{V1}/usage")["pool"]["left_bytes"] == 400
    series = {"by": "day", "from": "2026-03-10", "to": "2026-03-11"}
    for found, total in ((interface.uuid, 300), (None, 300)):
        asked = {**series, **({"interface": str(found)} if found else {})}
        points = got(alice_api, f"{V1}/usage/series", **asked)["points"]
        assert sum(points[0][f"raw_{way}_bytes"] for way in ("upload", "download")) == total
    refused(alice_api, f"{V1}/usage/series", "interface", "interface_unknown", interface=uuid4())
    refused(alice_api, f"{V1}/usage/series", "interface", interface="wg0")


def test_operators_see_all_tenants(
    operator_api: APIClient, alice_api: APIClient, acme: Tenant, evil: Tenant, phone: Peer,
    interface: Interface, noon: datetime,
) -> None:  # fmt: skip
    use(phone, noon, 10, 20)
    use(make_peer(make_client(evil), interface), noon, 100, 200, percent=200)
    Tenant.objects.filter(pk=evil.pk).update(name="=Evil")
    rows = got(operator_api, f"{V1}/tenants/usage", ordering="slug")["results"]
    assert [(row["slug"], row["pool"]["used_bytes"]) for row in rows] == [
        ("acme", 30), ("default", 0), ("evil", 600),
    ]  # fmt: skip
    body = got(operator_api, f"{V1}/tenants/statements", **MARCH)
    assert [(line["slug"], line["raw_bytes"]) for line in body["lines"]] == [
        ("acme", 30), ("evil", 300),
    ]  # fmt: skip
    assert body["total"]["billed_download_bytes"] == 420
    answer = operator_api.get(f"{V1}/tenants/statements", {**MARCH, "format": "csv"})
    names = [row["name"] for row in _table(answer)]
    assert names == ["Acme", "'=Evil", ""]
    asked = {"by": "day", "from": "2026-03-10", "to": "2026-03-11"}
    assert got(operator_api, f"{V1}/tenants/usage/series", **asked)["total"] == body["total"]
    one = operator_api.get(f"{V1}/statements", MARCH, headers={"X-VWG-Tenant": "evil"})
    assert [line["raw_bytes"] for line in one.json()["lines"]] == [300]
    for rest in ("usage", "usage/series", "statements"):
        assert alice_api.get(f"{V1}/tenants/{rest}").status_code == 403
