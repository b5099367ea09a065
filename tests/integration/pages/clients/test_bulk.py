"""Acts on many clients: told first, done by the bulk service, each with what became of it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import BulkRun, Client, Peer
from peers.services.bulk.runs import carry_on
from quotas.models import Hold
from tenants.models import Tenant, User
from tests.make import make_client, make_interface, make_peer, make_plan

LIST = "/t/acme/clients/"
BULK = f"{LIST}bulk/"


@pytest.fixture
def three(acme: Tenant, interface: Interface) -> list[Client]:
    clients = [make_client(acme, name=f"C{n}", tags=["old"]) for n in range(3)]
    for client in clients:
        make_peer(client, interface)
    return clients


def form(act: str, clients: list[Client], **values: Any) -> dict[str, Any]:
    ids = [str(one.uuid) for one in clients]
    return {"act": act, "expected": len(ids), "id": ids, **values}


def test_it_says_what_happens_to_whom(reseller: Browser, three: list[Client]) -> None:
    Hold.objects.create(
        tenant=three[0].tenant, client=three[0], reason="manual",
        opened_at=three[0].created_at, opened_by="x",
    )  # fmt: skip
    query = f"?act=disable&id={three[0].uuid}&id={three[1].uuid}"
    page = reseller.get(BULK + query).content.decode()
    for words in (
        "Switch off 2 clients?", "C0", "C1", "is off by hand already",
        "They keep address, key and usage.", "The other 1 client notices nothing.",
    ):  # fmt: skip
        assert words in page, words
    assert "C2" not in page


def test_switching_off_is_done_and_told(reseller: Browser, three: list[Client]) -> None:
    answer = reseller.post(BULK, form("disable", three[:2], note="waits for payment"))
    run = BulkRun.objects.get()
    assert answer["Location"] == f"/t/acme/jobs/{run.uuid}/"
    holds = Hold.objects.filter(reason="manual", note="waits for payment")
    assert set(holds.values_list("client__name", flat=True)) == {"C0", "C1"}
    assert AuditEvent.objects.filter(action="client.disabled").count() == 2
    page = reseller.get(answer["Location"]).content.decode()
    for words in ("Switch off 2 clients", "All 2 done.", "0 of 2 changes are live", "C0", "C1"):
        assert words in page, words


@pytest.mark.parametrize(
    ("act", "values", "column", "value"),
    [
        ("extend", {"days": "30", "gigabytes": ""}, "duration_days", 40),
        ("top-up", {"days": "", "gigabytes": "1.5"}, "usage__extra_bytes", 1_500_000_000),
        ("tag", {"add": "new, vip", "remove": "old"}, "tags", ["new", "vip"]),
    ],
)
def test_each_act_takes_its_values(
    act: str,
    values: dict[str, str],
    column: str,
    value: object,
    reseller: Browser,
    three: list[Client],
) -> None:
    Client.objects.update(duration_days=10, quota_bytes=10**9)
    answer = reseller.post(BULK, form(act, three, **values))
    assert answer.status_code == 302
    assert list(Client.objects.values_list(column, flat=True)) == [value] * 3


def test_a_plan_brings_its_limits(reseller: Browser, three: list[Client], acme: Tenant) -> None:
    plan = make_plan(acme, name="Basic 20", total_bytes=20)
    make_plan(acme, name="Gone", archived_at=three[0].created_at)
    assert "Gone" not in reseller.get(f"{BULK}?act=plan&id={three[0].uuid}").content.decode()
    reseller.post(BULK, form("plan", three, plan=str(plan.uuid)))
    assert set(Client.objects.values_list("plan__name", "quota_bytes")) == {("Basic 20", 20)}


def test_moving_is_offered_where_there_is_another_place(
    reseller: Browser, three: list[Client], interface: Interface
) -> None:
    assert 'value="move"' not in reseller.get(LIST).content.decode()
    other = make_interface(
        gateway=interface.gateway,
        name="wg7",
        addresses=["10.253.0.1/24"],
        listen_port=51821,
        is_default=False,
    )
    assert 'value="move"' in reseller.get(LIST).content.decode()
    make_peer(three[2], other)
    page = reseller.get(f"{BULK}?act=move&id={three[0].uuid}&id={three[1].uuid}").content.decode()
    for words in ("Move 2 clients?", "wg7", "devices keep their keys", "hand out the new ones"):
        assert words in page, words
    answer = reseller.post(BULK, form("move", three, interface=str(other.uuid)))
    assert BulkRun.objects.get().action == "move"
    assert set(Peer.objects.filter(deleted_at=None).values_list("interface", flat=True)) == {
        other.pk
    }
    page = reseller.get(answer["Location"]).content.decode()
    assert "Move 3 clients" in page
    assert "All 3 done." in page


def test_where_one_may_not_sell_nothing_is_moved(
    reseller: Browser, three: list[Client], acme: Tenant, interface: Interface
) -> None:
    foreign = make_interface(
        gateway=interface.gateway,
        name="wg7",
        addresses=["10.253.0.1/24"],
        listen_port=51821,
        is_default=False,
    )
    acme.interfaces.add(interface)
    Tenant.objects.filter(pk=acme.pk).update(limits_interfaces=True)
    assert "wg7" not in reseller.get(f"{BULK}?act=move&id={three[0].uuid}").content.decode()
    answer = reseller.post(BULK, form("move", three, interface=str(foreign.uuid)))
    assert answer.status_code == 400
    assert not BulkRun.objects.exists()


def test_deleting_and_what_failed_can_be_tried_again(
    reseller: Browser, three: list[Client]
) -> None:
    Client.objects.filter(pk=three[0].pk).update(quota_bytes=10**9)
    answer = reseller.post(BULK, form("top-up", three, gigabytes="1", days=""))
    page = reseller.get(answer["Location"]).content.decode()
    assert "1 of 3 done." in page
    assert "Try the 2 again" in page
    run = BulkRun.objects.get()
    again = reseller.get(f"{BULK}?act=top-up&run={run.uuid}").content.decode()
    assert "Top up 2 clients" in again
    assert reseller.post(BULK, form("delete", three)).status_code == 302
    assert Client.objects.filter(deleted_at__isnull=False).count() == 3


@pytest.mark.parametrize(
    ("act", "values"),
    [
        ("extend", {"days": "", "gigabytes": ""}),
        ("extend", {"days": "0"}),
        ("top-up", {"gigabytes": "1e20"}),
        ("tag", {"add": " , "}),
        ("plan", {"plan": "x"}),
    ],
)
def test_bad_values_change_nothing(
    act: str, values: dict[str, str], reseller: Browser, three: list[Client]
) -> None:
    answer = reseller.post(BULK, form(act, three, **values))
    assert answer.status_code == 400
    assert not BulkRun.objects.exists()
    assert str(three[0].uuid) in answer.content.decode()


def test_a_whole_view_is_a_job(reseller: Browser, three: list[Client], acme: Tenant) -> None:
    for number in range(120):
        make_client(acme, name=f"many {number}", tags=["lot"])
    page = reseller.get(f"{BULK}?act=enable&all=1&tag=lot").content.decode()
    assert "Switch on 120 clients?" in page
    stale = {"act": "disable", "all": "1", "tag": "lot", "expected": "119"}
    assert reseller.post(BULK, stale).status_code == 409
    answer = reseller.post(BULK, {**stale, "expected": "120"})
    run = BulkRun.objects.get()
    waiting = reseller.get(answer["Location"], headers={"HX-Request": "true"}).content.decode()
    assert 'aria-busy="true"' in waiting
    carry_on(run_id=run.pk)
    assert "All 120 done." in reseller.get(answer["Location"]).content.decode()
    assert Hold.objects.filter(reason="manual").count() == 120


def test_a_view_that_is_not_understood_means_nobody(reseller: Browser, three: list[Client]) -> None:
    answer = reseller.post(BULK, {"act": "delete", "all": "1", "state": "happy", "expected": "3"})
    assert answer.status_code == 400
    assert not Client.objects.filter(deleted_at__isnull=False).exists()


def test_foreign_clients_are_not_there(
    reseller: Browser, three: list[Client], evil: Tenant
) -> None:
    foreign = make_client(evil, name="Eve")
    answer = reseller.get(f"{BULK}?act=delete&id={foreign.uuid}")
    assert answer.status_code == 404
    assert "Eve" not in answer.content.decode()
    reseller.post(BULK, form("delete", [three[0], foreign]) | {"expected": 1})
    foreign.refresh_from_db()
    assert foreign.deleted_at is None


def test_files_come_as_one_archive(reseller: Browser, three: list[Client]) -> None:
    answer = reseller.post(BULK, form("configs", three))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "manifest.json" in archive.namelist()


def test_a_viewer_takes_no_files_and_changes_nothing(viewer: User, three: list[Client]) -> None:
    browser = Browser()
    browser.force_login(viewer)
    for act in ("disable", "configs"):
        assert browser.post(BULK, form(act, three)).status_code == 403
    assert not Hold.objects.exists()


def test_jobs_are_listed_and_foreign_ones_are_not(
    reseller: Browser, three: list[Client], mallory: User
) -> None:
    reseller.post(BULK, form("disable", three))
    run = BulkRun.objects.get()
    page = reseller.get("/t/acme/jobs/").content.decode()
    assert "Switch off 3 clients" in page
    assert str(run.jobs.get().uuid) in page
    job = reseller.get(f"/t/acme/jobs/{run.jobs.get().uuid}/").content.decode()
    assert "C0" in job
    other = Browser()
    other.force_login(mallory)
    assert other.get(f"/t/evil/jobs/{run.uuid}/").status_code == 404
    assert other.get(f"/t/evil/jobs/{run.jobs.get().uuid}/").status_code == 404
