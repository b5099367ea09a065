"""Jobs, quarantine, the schedule and the audit log: found, understood, tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import Interface, Job, JobItem, ScheduledJob
from peers.models import Peer
from tenants.models import Tenant
from tests.make import make_client, make_job, make_peer


def failed(tenant: Tenant, peer: Peer) -> Job:
    job = make_job(tenant, interface=peer.interface, items=1)
    now = timezone.now()
    job.items.update(status="failed", peer=peer, settled_at=now, message="the key is refused")
    Job.objects.filter(pk=job.pk).update(
        status="failed", done=1, failed=1, finished_at=now, message="1 of 1 failed"
    )
    return job


def test_a_failed_job_says_why_and_is_tried_again(
    browser: Browser, acme: Tenant, alice_peer: Peer
) -> None:
    job = failed(acme, alice_peer)
    Peer.objects.update(quarantine_reason="the key is refused")
    page = browser.get("/jobs/?show=failed").content.decode()
    assert "1 of 1 failed" in page
    assert f"/jobs/{job.uuid}/retry/" in page
    answer = browser.post(f"/jobs/{job.uuid}/retry/")
    again = Job.objects.order_by("-pk")[0]
    assert answer["Location"] == f"/jobs/{again.uuid}/"
    assert again.items.get().peer == alice_peer
    alice_peer.refresh_from_db()
    assert alice_peer.quarantine_reason == ""


def test_what_did_not_fail_is_not_tried_again(
    browser: Browser, acme: Tenant, interface: Interface
) -> None:
    job = make_job(acme, interface=interface, items=1)
    answer = browser.post(f"/jobs/{job.uuid}/retry/", follow=True)
    assert "The job is not finished." in answer.content.decode()
    assert Job.objects.count() == 1


def test_jobs_are_filtered(
    browser: Browser, acme: Tenant, evil: Tenant, interface: Interface
) -> None:
    first = make_job(acme, interface=interface, items=1, kind="move")
    second = make_job(evil, interface=interface, items=1, kind="rotate")
    for query, job in (("kind=move", first), ("tenant=evil", second)):
        rows = browser.get(f"/jobs/?{query}").context["lines"]
        assert [line.row.uuid for line in rows] == [job.uuid]
    assert "No job matches" in browser.get("/jobs/?kind=kick").content.decode()


@pytest.mark.parametrize("path", ["/jobs/live/", "/schedule/live/"])
def test_a_poll_is_304_until_something_changes(
    path: str, browser: Browser, acme: Tenant, interface: Interface
) -> None:
    make_job(acme, interface=interface, items=3)
    ScheduledJob.objects.update_or_create(
        name="sweep", defaults={"interval_seconds": 1, "finished_at": timezone.now()}
    )
    first = browser.get(path)
    assert browser.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Job.objects.update(done=1)
    ScheduledJob.objects.update(runs=7)
    assert browser.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_what_is_set_aside_is_tried_again_alone(
    browser: Browser, acme: Tenant, interface: Interface
) -> None:
    one, other = (make_peer(make_client(acme), interface) for _ in range(2))
    Peer.objects.update(quarantine_reason="refused")
    assert "2 devices were refused" in browser.get("/quarantine/").content.decode()
    browser.post("/quarantine/", {"peer": str(one.uuid)})
    assert list(Peer.objects.exclude(quarantine_reason="")) == [other]
    job = Job.objects.get()
    assert (job.tenant, job.items.get().peer) == (acme, one)
    event = AuditEvent.objects.get()
    assert (event.action, event.tenant, event.target_id) == ("peer.retried", acme, str(one.uuid))
    browser.post("/quarantine/", {"all": "1"})
    assert not Peer.objects.exclude(quarantine_reason="").exists()
    nothing = browser.post("/quarantine/", {"all": "1"}, follow=True)
    assert "None of these is in quarantine." in nothing.content.decode()
    assert JobItem.objects.count() == 2


def test_the_schedule_says_what_is_late_and_what_fails(browser: Browser) -> None:
    now = timezone.now()
    ScheduledJob.objects.all().delete()
    ScheduledJob.objects.create(
        name="rollup", interval_seconds=300, started_at=now, finished_at=now - timedelta(hours=2),
        failed_at=now, error="the database is locked", failures=2, counts={"done": 5},
    )  # fmt: skip
    ScheduledJob.objects.create(
        name="fold", interval_seconds=3600, started_at=now, finished_at=now, duration_ms=12
    )
    page = browser.get("/schedule/").content.decode()
    assert "1 job is late." in page
    assert "the database is locked" in page
    assert "12 ms" in page
    assert [line.job.name for line in browser.get("/schedule/?late=1").context["lines"]] == [
        "rollup"
    ]


def event(action: str = "client.created", **fields: Any) -> AuditEvent:
    kind, _, _ = action.partition(".")
    return AuditEvent.objects.create(
        actor_kind="user", actor_name=fields.pop("actor_name", "mina"), action=action,
        target_type=kind, target_id="1", **fields,
    )  # fmt: skip


def test_the_log_is_filtered_by_who_what_when_and_whose(
    browser: Browser, acme: Tenant, evil: Tenant
) -> None:
    mine = event(tenant=acme, target_name="Sara", after={"name": "<b>Sara</b>"})
    other = event("tenant.updated", tenant=evil, actor_name="oscar")

    def found(query: str) -> list[AuditEvent]:
        return [row for row, _ in browser.get(f"/audit/?{query}").context["lines"]]

    assert found("who=min") == found("what=sara") == found("kind=client") == [mine]
    assert found("tenant=evil") == [other]
    assert found("since=2999-01-01") == found("until=2000-01-01") == []
    assert len(found("since=nonsense&kind=unknown")) == 2
    page = browser.get("/audit/").content.decode()
    assert "Client: made" in page
    assert "<b>Sara</b>" not in page


def test_the_log_as_a_file_is_filtered_too_and_runs_no_formula(
    browser: Browser, acme: Tenant, evil: Tenant
) -> None:
    event(tenant=acme, target_name="=HYPERLINK(1)")
    event(tenant=evil, target_name="other")
    answer = browser.get("/audit/file/?tenant=acme")
    text = answer.content.decode()
    assert "attachment" in answer["Content-Disposition"]
    assert "'=HYPERLINK(1)" in text
    assert "other" not in text


@pytest.mark.parametrize("path", ["/jobs/", "/audit/", "/quarantine/"])
def test_queries_do_not_grow(path: str, browser: Browser, interface: Interface) -> None:
    def queries() -> int:
        browser.get(path)
        with CaptureQueriesContext(connection) as found:
            browser.get(path)
        return len(found)

    def more(number: int) -> None:
        tenant = Tenant.objects.get(slug="default")
        for _ in range(number):
            make_peer(make_client(tenant), interface, quarantine_reason="x")
            make_job(tenant, interface=interface, items=1)
            event(tenant=tenant)

    more(2)
    small = queries()
    more(30)
    assert queries() == small
