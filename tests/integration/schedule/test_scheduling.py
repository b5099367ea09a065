"""Every run of the schedule is written down, and a job that does not run is seen."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client as Browser

from control import observe, tasks
from control.clock import database_now
from control.doctor import examine
from control.scheduling import Missed, expect, recorded, scheduled
from gateways import schedule
from gateways.drivers import memory_station
from gateways.models import Heartbeat, Interface, ScheduledJob
from tests.make import make_gateway, make_interface
from wireguard.lock import LockBusy

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The tasks that others sent, in place of a broker."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, **options: sent.append({"name": name, **options})
    )
    return sent


@pytest.fixture
def everybody_ran() -> None:
    """All is well, and stays so however slow the test is: every job finishes in ten minutes."""
    expect()
    then = database_now() + timedelta(minutes=10)
    ScheduledJob.objects.update(started_at=then, finished_at=then)


def job(name: str) -> ScheduledJob:
    return ScheduledJob.objects.get(name=name)


def age(name: str, seconds: float) -> None:
    """Let the job's last finish (and its being expected) lie back so far."""
    past = database_now() - timedelta(seconds=seconds)
    ScheduledJob.objects.filter(name=name).update(since=past)
    ScheduledJob.objects.filter(name=name, finished_at__isnull=False).update(finished_at=past)


def miss() -> None:
    raise Missed("busy")


def late() -> list[str]:
    return [one.job.name for one in schedule.late_jobs()]


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_every_job_of_the_schedule_is_recorded(
    name: str, interface: Interface, sent: list[dict[str, Any]]
) -> None:
    """Whoever adds a job to the schedule and forgets `scheduled` fails here."""
    current_app.tasks[settings.CELERY_BEAT_SCHEDULE[name]["task"]]()
    row = job(name)
    assert (row.runs, row.failures, row.error) == (1, 0, "")
    assert row.started_at is not None
    assert row.finished_at is not None
    assert row.started_at <= row.finished_at <= database_now()
    assert row.duration_ms is not None
    assert all(isinstance(number, int) for number in row.counts.values())


def test_a_run_costs_one_update(django_assert_num_queries: Any) -> None:
    expect()
    with django_assert_num_queries(1) as asked, recorded("sweep") as run:
        run.counts = {"interfaces": 3}
    assert asked.captured_queries[0]["sql"].startswith("UPDATE")
    assert job("sweep").counts == {"interfaces": 3}


def test_the_first_run_of_a_job_that_has_no_row_is_kept() -> None:
    ScheduledJob.objects.all().delete()
    with recorded("sweep"):
        pass
    assert job("sweep").runs == 1


def test_a_number_is_what_was_done() -> None:
    scheduled("due")(lambda: 7)()
    assert job("due").counts == {"done": 7}


def test_a_failure_is_recorded_and_goes_on() -> None:
    expect()

    @scheduled("sweep")
    def sweep() -> None:
        raise ValueError("no such thing\nand a second line")

    with pytest.raises(ValueError, match="no such thing"):
        sweep()
    row = job("sweep")
    assert (row.runs, row.failures, row.finished_at) == (1, 1, None)
    assert row.error == "ValueError: no such thing"
    assert row.failed_at is not None
    with recorded("sweep"):
        pass
    row = job("sweep")
    assert (row.runs, row.failures, row.error) == (2, 1, "ValueError: no such thing")
    assert row.finished_at is not None


def test_a_missed_run_is_a_failure_that_ends_there() -> None:
    expect()
    scheduled("sweep")(miss)()
    row = job("sweep")
    assert (row.failures, row.error, row.finished_at) == (1, "busy", None)


def test_without_a_database_the_work_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("the database is away")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", away)
    done: list[int] = []
    scheduled("sweep")(lambda: done.append(1))()
    assert done == [1]

    def fails() -> None:
        raise KeyError("the task's own error is not hidden")

    with pytest.raises(KeyError):
        scheduled("sweep")(fails)()


# -- late ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("everybody_ran")
def test_a_job_is_late_after_three_intervals() -> None:
    age("prune", 3 * 600 - 5)
    assert late() == []
    age("prune", 3 * 600 + 5)
    assert late() == ["prune"]


@pytest.mark.usefixtures("everybody_ran")
def test_a_job_that_only_fails_is_late() -> None:
    age("prune", 3 * 600 + 5)
    scheduled("prune")(miss)()
    assert late() == ["prune"]
    with recorded("prune"):
        pass
    assert late() == []


@pytest.mark.usefixtures("everybody_ran")
def test_a_job_that_never_ran_is_late_since_it_must_run() -> None:
    ScheduledJob.objects.filter(name="prune").update(started_at=None, finished_at=None)
    assert late() == []
    age("prune", 3 * 600 + 5)
    assert late() == ["prune"]


def test_a_migration_made_the_rows_of_a_beat_that_never_started() -> None:
    """Nobody has to start anything for the alarm to come."""
    assert set(settings.CELERY_BEAT_SCHEDULE) <= set(
        ScheduledJob.objects.values_list("name", flat=True)
    )
    ScheduledJob.objects.update(since=database_now() - timedelta(days=1))
    assert set(late()) == set(settings.CELERY_BEAT_SCHEDULE)


@pytest.mark.usefixtures("everybody_ran")
def test_a_host_whose_clock_is_wrong_raises_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = database_now() + timedelta(days=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: wrong)
    assert late() == []


@pytest.mark.usefixtures("everybody_ran")
def test_a_job_that_the_schedule_has_no_more_is_not_expected() -> None:
    ScheduledJob.objects.create(name="old", interval_seconds=1)
    age("old", 1000)
    assert late() == []


@pytest.mark.usefixtures("everybody_ran")
def test_the_numbers_for_a_monitor() -> None:
    with recorded("sweep"):
        pass
    found = schedule.numbers()
    assert set(found) == set(settings.CELERY_BEAT_SCHEDULE)
    sweep = found["sweep"]
    assert sweep.seconds_since_finished is not None
    assert sweep.duration_seconds is not None
    assert (sweep.runs, sweep.failures, sweep.late) == (1, 0, False)


# -- an interface's own -------------------------------------------------------------------------


@pytest.fixture
def own(interface: Interface) -> str:
    """The job that reads the interface, which is up and vwg's own."""
    interface.stamp = "0b8f7f4e-0000-4000-8000-000000000001"
    interface.save(update_fields=["stamp"])
    memory_station(interface)
    expect()
    return "observe:local/wg0"


def test_each_interface_that_is_read_has_its_own_row(own: str, interface: Interface) -> None:
    tasks.observe_one(interface_id=interface.pk)
    row = job(own)
    assert (row.runs, row.failures, row.counts) == (1, 0, {"drift": 0})


def test_an_interface_that_cannot_be_read_did_not_finish(
    own: str, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any, **__: Any) -> Any:
        raise LockBusy("held")

    monkeypatch.setattr(observe, "read", busy)
    tasks.observe_one(interface_id=interface.pk)
    assert (job(own).failures, job(own).finished_at) == (1, None)


def test_a_gateway_that_is_cut_off_is_late_by_itself(own: str, interface: Interface) -> None:
    other = make_interface(gateway=make_gateway("ams"), is_default=False)
    expect()
    now = database_now()
    ScheduledJob.objects.update(finished_at=now + timedelta(minutes=10))
    age(own, 3 * settings.VWG_OBSERVE_SECONDS + 1)
    assert late() == [own]
    Interface.objects.filter(pk=other.pk).update(enabled=False)
    expect()
    names = set(schedule.observations().values_list("name", flat=True))
    assert names == {own}


def test_an_interface_that_is_switched_off_is_not_late(own: str, interface: Interface) -> None:
    ScheduledJob.objects.exclude(name=own).update(
        finished_at=database_now() + timedelta(minutes=10)
    )
    age(own, 1000)
    Interface.objects.filter(pk=interface.pk).update(enabled=False)
    assert late() == []


def test_the_canary_makes_what_is_missing(interface: Interface, sent: list[dict[str, Any]]) -> None:
    tasks.send_canaries()
    assert schedule.observations().get().interval_seconds == settings.VWG_OBSERVE_SECONDS
    ScheduledJob.objects.filter(name="prune").update(interval_seconds=1)
    ScheduledJob.objects.filter(name="sweep").delete()
    tasks.send_canaries()
    assert job("prune").interval_seconds == 600
    assert job("sweep").runs == 0
    assert job("canary").runs == 2


def test_setup_expects_the_jobs() -> None:
    ScheduledJob.objects.all().delete()
    call_command("setup", stdout=StringIO())
    assert set(ScheduledJob.objects.values_list("name", flat=True)) == set(schedule.expected())


# -- who says so --------------------------------------------------------------------------------


@pytest.mark.usefixtures("everybody_ran")
def test_the_doctor_says_what_is_late_and_why() -> None:
    def findings() -> dict[str, tuple[str, bool]]:
        return {
            one.subject: (one.text, one.ok)
            for one in examine(None)
            if one.subject.startswith(("job", "schedule"))
        }

    assert findings() == {"schedule": (f"{ScheduledJob.objects.count()} jobs, none is late", True)}
    age("due", 4)
    age("prune", 9000)
    assert late() == ["due", "prune"]
    ScheduledJob.objects.filter(name="sweep").delete()
    found = findings()
    text, fine = found["job prune"]
    assert (text[:23], text[-23:], fine) == (
        "late: last finished 900",
        ", every 600 s is wanted",
        False,
    )
    assert found["job sweep"][1] is False
    assert len(found) == 2


@pytest.mark.usefixtures("everybody_ran")
def test_a_late_job_takes_no_web_host_out_of_service(client: Browser) -> None:
    Heartbeat.objects.create(queue="control", seen_at=database_now())
    age("prune", 9000)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["late_jobs"]) == (200, ["prune"])


def test_two_at_once_count_both() -> None:
    """Two beats: each run counts, whoever finishes first."""
    expect()
    with recorded("sweep"), recorded("sweep"):
        pass
    assert job("sweep").runs == 2
