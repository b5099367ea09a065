"""Sending what wakes a machine: once for each time that somebody asked, or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from gateways.models import Job, WakeHost
from gateways.services.wake import ring
from wireguard.errors import WireGuardError
from wireguard.wake import wake

#: Whoever asked has gone by then: a machine that starts in the night surprises.
TOO_LATE: Final = timedelta(minutes=1)
_RING_AGAIN: Final = timedelta(seconds=5)
_OPEN: Final = (Job.Status.PENDING, Job.Status.RUNNING)


def wake_one(*, host_id: int, at: datetime) -> bool:
    """Send a host's packet if its last job is still to be done; whether it was sent."""
    host = WakeHost.objects.select_related("gateway", "job").filter(pk=host_id).first()
    if host is None or host.job is None or not _begin(host.job, at):
        return False
    if at - host.job.created_at > TOO_LATE:
        _end(host.job, at, "failed: the gateway's worker did not answer in time")
        return False
    try:
        wake(
            host.mac,
            broadcast=host.broadcast,
            link=host.link,
            netns=host.gateway.netns or None,
        )
    except WireGuardError as error:
        _end(host.job, at, f"failed: {error}")
        return False
    way = f" by {host.link}" if host.link else ""
    _end(host.job, at, f"The packet for {host.mac} went out{way} to {host.broadcast}", sent=True)
    return True


def wake_overdue(*, at: datetime) -> int:
    """Ring again for hosts whose hint was lost; end what nobody can do any more."""
    hosts = WakeHost.objects.select_related("gateway", "job").filter(
        job__status__in=_OPEN, job__created_at__lt=at - _RING_AGAIN
    )
    found = 0
    for host in hosts:
        found += 1
        if host.job is not None and at - host.job.created_at > TOO_LATE:
            _end(host.job, at, "failed: the gateway's worker did not answer in time")
        else:
            ring(host)
    return found


def _begin(job: Job, at: datetime) -> bool:
    """Whether it is this worker that does it: a packet is sent once."""
    mine = Job.objects.filter(pk=job.pk, status=Job.Status.PENDING)
    return bool(mine.update(status=Job.Status.RUNNING, started_at=at))


def _end(job: Job, at: datetime, message: str, *, sent: bool = False) -> None:
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, status__in=_OPEN).update(
            status=Job.Status.SUCCEEDED if sent else Job.Status.FAILED,
            done=1,
            failed=0 if sent else 1,
            message=message,
            finished_at=max(at, job.created_at),
        )
