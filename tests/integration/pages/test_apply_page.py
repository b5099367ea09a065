"""Apply: the plan before, the same job as the API's, and the outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from gateways.models import Interface, Job, JobItem
from peers.models import Peer


@pytest.fixture
def read(interface: Interface) -> Interface:
    interface.state, interface.observed_at = "up", timezone.now()
    interface.save()
    return interface


def test_the_plan_says_what_to_whom_and_by_which_tier(
    browser: Browser, read: Interface, alice_peer: Peer
) -> None:
    page = browser.get("/apply/").content.decode()
    assert "Apply 1 change to wg0?" in page
    assert "peer is added" in page
    assert alice_peer.public_key in page
    assert "Nobody else is touched." in page
    assert "Tier 1" in page
    assert not Job.objects.exists()


def test_nobody_else_is_promised_only_from_a_young_reading(
    browser: Browser, read: Interface, alice_peer: Peer
) -> None:
    Interface.objects.update(observed_at=timezone.now() - timedelta(seconds=31))
    page = browser.get("/apply/").content.decode()
    assert "Nobody else is touched." not in page
    assert "That reading is old" in page


def test_a_dead_interface_is_tier_3_and_says_so(browser: Browser, read: Interface) -> None:
    Interface.objects.update(state="down")
    page = browser.get("/apply/").content.decode()
    assert "Tier 3" in page
    assert "Nobody else is touched." not in page


def test_a_foreign_interface_cannot_be_applied(browser: Browser, read: Interface) -> None:
    Interface.objects.update(state="foreign", state_reason="no stamp")
    page = browser.get("/apply/").content.decode()
    assert "writes nothing to it" in page
    assert 'type="submit" form="apply"' not in page


def test_apply_makes_the_job_of_the_api(browser: Browser, read: Interface) -> None:
    answer = browser.post("/apply/", {"interface": str(read.uuid)})
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.uuid}/"
    assert (job.kind, job.tenant, job.actor_name) == ("apply", None, "oscar")
    item = JobItem.objects.get()
    assert (item.action, item.interface) == ("check", read)


@pytest.mark.parametrize("named", ["no-uuid", "6f2a3d0e-0000-4000-8000-000000000000"])
def test_an_unknown_interface_is_404(browser: Browser, read: Interface, named: str) -> None:
    assert browser.get("/apply/", {"interface": named}).status_code == 404
    assert browser.post("/apply/", {"interface": named}).status_code == 404
    assert not Job.objects.exists()


def test_the_job_page_runs_then_tells_tier_and_duration(browser: Browser, read: Interface) -> None:
    browser.post("/apply/", {"interface": str(read.uuid)})
    job = Job.objects.get()
    piece = {"HX-Request": "true"}
    running = browser.get(f"/jobs/{job.uuid}/", headers=piece).content.decode()
    assert 'aria-busy="true"' in running
    assert "<progress" in running
    assert "<html" not in running
    words = "Applied server config successfully without disrupting active connections"
    done = job.created_at + timedelta(milliseconds=8)
    Job.objects.update(status="succeeded", done=1, tier=1, finished_at=done, message=words)
    page = browser.get(f"/jobs/{job.uuid}/", headers=piece).content.decode()
    assert words in page
    assert "Tier 1: exactly the difference" in page
    assert "8 ms" in page
    assert "hx-get" not in page


def test_a_failed_job_says_why(browser: Browser, read: Interface) -> None:
    browser.post("/apply/", {"interface": str(read.uuid)})
    job = Job.objects.get()
    Job.objects.update(
        status="failed", done=1, failed=1, finished_at=timezone.now(), message="wg0 is foreign"
    )
    assert "wg0 is foreign" in browser.get(f"/jobs/{job.uuid}/").content.decode()
