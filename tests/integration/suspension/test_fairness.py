"""A job of many items does not keep a job of one waiting."""

from __future__ import annotations

import pytest
from django.utils import timezone

from control.claims import claim
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
