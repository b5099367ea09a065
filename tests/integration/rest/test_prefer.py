"""`Prefer: wait`: what a caller gets who likes to wait for a change to be applied."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from gateways.api.serializers import job_ref
from gateways.models import Job
from rest import prefer
from rest.prefer import respond, wanted_wait
from rest.views import ApiView
from tenants.models import Tenant, User
from tests.make import make_job


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("wait=5", 5),
        ("WAIT=5", 5),
        ("wait = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=5", 5),
        ("wait=5; foo=bar", 5),
        ("wait=3, wait=9", 3),
        ("wait=999999", 20),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("wait", 0),
        ("wait=" + "9" * 2000, 0),
    ],
)
def test_the_preference_is_read_or_ignored(header: str | None, seconds: int) -> None:
    headers = {} if header is None else {"Prefer": header}
    assert wanted_wait(Request(APIRequestFactory().post("/", headers=headers))) == seconds


class Change(ApiView):
    """Answers for a job that exists already."""

    scopes = {"POST": "clients:write"}
    founding = True
    job: Any = None
    status = 202

    def post(self, request: Request) -> Response:
        body = {"success": True, "message": "Accepted", "job": job_ref(self.job)}
        return respond(self.job, request, body, status=self.status, tag=tag_of)


def tag_of(body: Mapping[str, Any]) -> str:
    """A tag that tells of which body it was made."""
    return f'"{body["job"]["status"]}"'


@pytest.fixture
def ask(alice: User) -> Any:
    def post(job: Job, wait: int | None, status: int = 202) -> Any:
        headers = {} if wait is None else {"Prefer": f"wait={wait}"}
        request = APIRequestFactory().post("/", headers=headers)
        force_authenticate(request, alice)
        return Change.as_view(job=job, status=status)(request).render()

    return post


def finish(job: Job, status: str, message: str) -> None:
    Job.objects.filter(pk=job.pk).update(status=status, finished_at=timezone.now(), message=message)


def test_without_the_header_the_answer_comes_at_once(ask: Any, acme: Tenant) -> None:
    answer = ask(make_job(acme), None)
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer
    assert json.loads(answer.content)["job"]["status"] == "pending"
    assert answer["ETag"] == '"pending"'


def test_a_job_that_went_well_is_a_200_with_its_message(ask: Any, acme: Tenant) -> None:
    job = make_job(acme)
    finish(job, "succeeded", "Successfully added 1 new peers to interface wg0")
    answer = ask(job, 5)
    body = json.loads(answer.content)
    assert answer.status_code == 200
    assert answer["Preference-Applied"] == "wait=5"
    assert body["job"]["status"] == "succeeded"
    assert answer["ETag"] == '"succeeded"'
    assert body["message"] == "Successfully added 1 new peers to interface wg0"


def test_a_job_that_failed_is_a_502_with_its_reason(ask: Any, acme: Tenant) -> None:
    job = make_job(acme)
    finish(job, "failed", "wg0 refused the peer")
    answer = ask(job, 5)
    body = json.loads(answer.content)
    assert answer.status_code == 502
    assert body["success"] is False
    assert body["message"] == "wg0 refused the peer"
    assert body["job"] == {**job_ref(job), "status": "failed"}


def test_a_job_that_is_not_finished_in_time_is_a_202(ask: Any, acme: Tenant) -> None:
    began = time.monotonic()
    answer = ask(make_job(acme), 1, 201)
    assert answer.status_code == 202
    assert (answer["Preference-Applied"], answer["ETag"]) == ("wait=1", '"pending"')
    assert 1 <= time.monotonic() - began < 2


def test_an_answer_without_a_body_gets_one_only_from_waiting(ask: Any, acme: Tenant) -> None:
    job = make_job(acme)
    assert ask(job, None, 204).content == b""
    finish(job, "succeeded", "")
    assert ask(job, 5, 204).status_code == 200


def test_beyond_the_places_of_a_process_nobody_waits(
    ask: Any, acme: Tenant, settings: LazySettings
) -> None:
    settings.VWG_MAX_WAITERS = 1
    job = make_job(acme)
    with prefer._place() as first, prefer._place() as second:
        assert (first, second) == (True, False)
        began = time.monotonic()
        answer = ask(job, 5)
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer
    assert time.monotonic() - began < 0.5
    with prefer._place() as again:
        assert again


@pytest.mark.django_db(transaction=True)
def test_a_waiter_sees_what_another_connection_commits(acme: Tenant) -> None:
    job = make_job(acme)
    worker = threading.Timer(0.2, finish_and_close, (job,))
    worker.start()
    began = time.monotonic()
    fresh = prefer.wait_for_job(job, 5)
    worker.join()
    assert fresh.status == "succeeded"
    assert time.monotonic() - began < 1


def finish_and_close(job: Job) -> None:
    finish(job, "succeeded", "")
    connection.close()  # the thread's own


def test_the_page_for_resellers_says_how_long_and_how_many_may_wait() -> None:
    root = Path(__file__).resolve().parents[3]
    page = " ".join((root / "docs" / "api.md").read_text().split())
    places = re.search(r"\| `VWG_MAX_WAITERS` \| `(\d+)` \|", (root / "README.md").read_text())
    workers = re.search(
        r"^workers = (\d+)", (root / "deploy" / "gunicorn.conf.py").read_text(), re.M
    )
    assert places is not None
    assert workers is not None
    assert f"{prefer.MAX_WAIT} seconds at most" in page
    in_all = int(places[1]) * int(workers[1])
    assert f"where {places[1]} requests of a web process wait already, {in_all} in all" in page
