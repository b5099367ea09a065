"""/api/v1/scheduled-jobs and its page in the admin site: the operator sees what is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from control.clock import database_now
from control.scheduling import expect, recorded
from gateways.models import Heartbeat, Interface, ScheduledJob
from tenants.models import User
from tests.make import make_gateway

JOBS = "/api/v1/scheduled-jobs"


@pytest.fixture
def late_prune(interface: Interface) -> ScheduledJob:
    """All ran (and will not be late in a slow test), but one."""
    expect()
    now = database_now()
    ScheduledJob.objects.update(started_at=now, finished_at=now + timedelta(minutes=10))
    ScheduledJob.objects.filter(name="prune").update(finished_at=now - timedelta(hours=1))
    return ScheduledJob.objects.get(name="prune")


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


def test_the_list_is_paged_by_name(operator_api: APIClient, late_prune: ScheduledJob) -> None:
    wanted = sorted([*settings.CELERY_BEAT_SCHEDULE, "observe:local/wg0"])
    assert names(operator_api.get(JOBS)) == wanted
    found, page = [], operator_api.get(JOBS, {"limit": 3})
    while True:
        found += names(page)
        if page.json()["next"] is None:
            break
        page = operator_api.get(page.json()["next"])
    assert found == wanted


def test_a_job_says_when_it_ran_and_runs_next(operator_api: APIClient) -> None:
    expect()
    with recorded("purge") as run:
        run.counts = {"clients": 2, "devices": 1}
    (row,) = operator_api.get(JOBS, {"search": "purge"}).json()["results"]
    stored = ScheduledJob.objects.get(name="purge")
    assert row["counts"] == {"clients": 2, "devices": 1}
    assert (row["runs"], row["failures"], row["error"], row["failed_at"]) == (1, 0, "", None)
    assert (row["late"], row["interval_seconds"]) == (False, 30.0)
    assert row["age_seconds"] >= 0
    assert row["duration_ms"] == stored.duration_ms
    assert stored.started_at is not None
    next_at = stored.started_at + timedelta(seconds=30)
    assert row["next_at"] == next_at.isoformat().replace("+00:00", "Z")


def test_what_is_late_is_found(operator_api: APIClient, late_prune: ScheduledJob) -> None:
    assert names(operator_api.get(JOBS, {"late": "true"})) == ["prune"]
    assert "prune" not in names(operator_api.get(JOBS, {"late": "false"}))
    assert operator_api.get(JOBS, {"late": "perhaps"}).status_code == 400
    assert operator_api.get(JOBS, {"late": "true"}).json()["results"][0]["late"] is True


def test_it_is_the_operators_alone(
    alice_api: APIClient, auditor_api: APIClient, late_prune: ScheduledJob
) -> None:
    assert alice_api.get(JOBS).status_code in (403, 404)
    assert auditor_api.get(JOBS).status_code == 200
    assert auditor_api.post(JOBS, {}).status_code == 405


def test_a_gateway_that_is_cut_off_says_since_when(operator_api: APIClient) -> None:
    at = timezone.now()
    for slug, silent in (("near", 5), ("far", 75)):
        make_gateway(slug)
        Heartbeat.objects.create(queue=f"gateway.{slug}", seen_at=at - timedelta(seconds=silent))
    rows = {row["slug"]: row for row in operator_api.get("/api/v1/gateways").json()["results"]}
    assert rows["near"]["unreachable_since"] is None
    assert rows["far"]["unreachable_since"] == rows["far"]["queue"]["seen_at"]


def test_the_admin_lists_them_to_read(operator: User, late_prune: ScheduledJob) -> None:
    browser = Browser()
    browser.force_login(operator)
    page = browser.get("/admin/gateways/scheduledjob/")
    assert page.status_code == 200
    assert page.content.decode().count("icon-no") == 1
    assert browser.get("/admin/gateways/scheduledjob/add/").status_code == 403
    shown = browser.get(f"/admin/gateways/scheduledjob/{late_prune.pk}/change/")
    assert (shown.status_code, b"_save" in shown.content) == (200, False)
