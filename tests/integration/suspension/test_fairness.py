"""A job of many items does not keep a job of one waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from control.claims import claim, stale_boot_files
from gateways.models import Interface, Job, JobItem
from tenants.models import Tenant
from tests.make import make_job

pytestmark = pytest.mark.django_db


def test_a_claim_takes_a_part_of_each_job(interface: Interface, acme: Tenant) -> None:
    big = make_job(acme, interface=interface, items=30)
    small = make_job(acme, interface=interface, items=1)
    items = claim(interface.pk, at=timezone.now(), share=10)
    assert [item.job_id for item in items] == [big.pk] * 10 + [small.pk]
    assert [item.pk for item in items] == sorted(item.pk for item in items)


def test_all_of_a_big_job_is_claimed_in_the_end(interface: Interface, acme: Tenant) -> None:
    big: Job = make_job(acme, interface=interface, items=25)
    seen: set[int] = set()
    while items := claim(interface.pk, at=timezone.now(), share=10):
        assert len(items) <= 10
        seen |= {item.pk for item in items}
        JobItem.objects.filter(pk__in=[item.pk for item in items]).update(
            status="done", settled_at=timezone.now()
        )
    assert seen == set(JobItem.objects.filter(job=big).values_list("pk", flat=True))


def test_a_boot_file_waits_while_many_changes_are_under_way(
    interface: Interface, acme: Tenant
) -> None:
    now = timezone.now()
    Interface.objects.filter(pk=interface.pk).update(boot_dirty_since=now)
    make_job(acme, interface=interface, items=199)
    assert stale_boot_files(at=now) == [interface.pk]
    make_job(acme, interface=interface, items=1)
    assert stale_boot_files(at=now) == []
    assert stale_boot_files(at=now + timedelta(seconds=10)) == [interface.pk]
    JobItem.objects.update(status="done", settled_at=now)
    assert stale_boot_files(at=now) == [interface.pk]
    Interface.objects.filter(pk=interface.pk).update(boot_dirty_since=None)
    assert stale_boot_files(at=now) == []
