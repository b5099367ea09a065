"""Machines that a gateway wakes: the packet that goes out, its job, and who may ask for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from rest_framework.test import APIClient

from audit.events import SYSTEM
from audit.models import AuditEvent
from control import waking
from control.waking import TOO_LATE, wake_one, wake_overdue
from gateways.models import Interface, Job, WakeHost
from gateways.services.wake import wake_host
from tests.make import make_user, make_wake_host
from wireguard.errors import DriverError, InvalidConfig
from wireguard.wake import check_mac, magic_packet, wake

pytestmark = pytest.mark.django_db
MAC = "02:00:00:00:00:01"
PACKET = b"\xff" * 6 + bytes.fromhex("020000000001") * 16


@pytest.fixture
def host(interface: Interface) -> WakeHost:
    return make_wake_host(interface.gateway, broadcast="127.255.255.255", link="lo")


@pytest.fixture
def oscar(interface: Interface) -> Browser:
    browser = Browser()
    browser.force_login(make_user("oscar", operator="full"))
    return browser


def test_the_packet_is_six_times_ff_and_the_address_sixteen_times() -> None:
    assert magic_packet("02-00-00-00-00-01") == PACKET
    assert len(PACKET) == 102


@pytest.mark.parametrize("text", ["", "02:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
def test_what_is_no_machines_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfig):
        check_mac(text)


def test_nobody_is_woken_late(host: WakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a packet was sent")

    monkeypatch.setattr(waking, "wake", refuse)
    job = wake_host(actor=SYSTEM, host_id=host.uuid)
    late = job.created_at + TOO_LATE + timedelta(seconds=1)
    assert not wake_one(host_id=host.pk, at=late)
    job.refresh_from_db()
    assert job.status == Job.Status.FAILED
    assert "did not answer in time" in job.message


def test_a_lost_hint_is_left_again_and_a_dead_worker_is_told(
    host: WakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[WakeHost] = []
    monkeypatch.setattr(waking, "ring", rung.append)
    job = wake_host(actor=SYSTEM, host_id=host.uuid)
    assert wake_overdue(at=job.created_at + timedelta(seconds=1)) == 0
    assert wake_overdue(at=job.created_at + timedelta(seconds=10)) == 1
    assert rung == [host]
    assert wake_overdue(at=job.created_at + TOO_LATE + timedelta(seconds=1)) == 1
    job.refresh_from_db()
    assert (job.status, len(rung)) == (Job.Status.FAILED, 1)


def test_a_namespace_that_is_not_there_is_said() -> None:
    with pytest.raises(DriverError, match="could not be sent"):
        wake(MAC, broadcast="127.255.255.255", netns="not-there")


def test_the_api_keeps_changes_and_forgets_them(operator_token: str, interface: Interface) -> None:
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {operator_token}")
    made = api.post(
        "/api/v1/wake-hosts", {"gateway": "local", "name": "nas", "mac": MAC.upper()}, format="json"
    )
    assert made.status_code == 201, made.content
    where = f"/api/v1/wake-hosts/{made.json()['id']}"
    assert made.json()["mac"] == MAC
    again = api.post(
        "/api/v1/wake-hosts", {"gateway": "local", "name": "b", "mac": MAC}, format="json"
    )
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "mac_taken")
    bad = api.patch(where, {"broadcast": "224.0.0.1"}, format="json")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "broadcast")
    stale = made["ETag"]
    assert api.patch(where, {"name": "b"}, format="json", HTTP_IF_MATCH=stale).status_code == 200
    assert api.delete(where, HTTP_IF_MATCH=stale).status_code == 412
    woken = api.post(f"{where}/wake", {}, format="json")
    assert woken.status_code == 202, woken.content
    assert api.get(where).json()["last_job"] == woken.json()["job"]["id"]
    assert api.delete(where).status_code == 204
    assert not WakeHost.objects.exists()


def test_the_page_adds_edits_wakes_and_forgets(oscar: Browser) -> None:
    assert "No machine yet." in oscar.get("/wake/").content.decode()
    form = {"gateway": "local", "name": "<b>nas", "mac": MAC, "broadcast": "10.0.0.255"}
    refused = oscar.post("/wake/new/", {**form, "mac": "x"})
    assert refused.status_code == 400
    assert "like aa:bb:cc:dd:ee:ff" in refused.content.decode()
    assert oscar.post("/wake/new/", form)["Location"] == "/wake/"
    host = WakeHost.objects.get()
    page = oscar.get("/wake/").content.decode()
    assert "&lt;b&gt;nas" in page
    changed = {"name": "nas", "mac": MAC, "link": "eth0", "broadcast": "10.0.0.255"}
    assert oscar.post(f"/wake/{host.uuid}/edit/", changed).status_code == 302
    assert oscar.post(f"/wake/{host.uuid}/").status_code == 302
    assert f"/jobs/{Job.objects.get().uuid}/" in oscar.get("/wake/").content.decode()
    assert oscar.post(f"/wake/{host.uuid}/delete/").status_code == 302
    done = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert [one for one in done if one.startswith("wake_host.")] == [
        "wake_host.created", "wake_host.updated", "wake_host.woken", "wake_host.deleted",
    ]  # fmt: skip


def test_who_only_reads_sees_no_button_and_wakes_nobody(host: WakeHost) -> None:
    browser = Browser()
    browser.force_login(make_user("rita", operator="read-only"))
    page = browser.get("/wake/")
    assert page.status_code == 200
    assert f'action="/wake/{host.uuid}/' not in page.content.decode()
    assert browser.post(f"/wake/{host.uuid}/").status_code == 403
    assert not Job.objects.exists()
