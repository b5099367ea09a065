"""``Prefer: wait=N`` (RFC 7240): a caller who likes to wait for what becomes of a change.

The web process never touches WireGuard; it watches the job's row. Waiters hold a thread each, so
there is a limit per process; beyond it a request is answered as if it had not asked.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from rest.errors import NotApplied

MAX_WAIT: Final = 20
_WAIT: Final = re.compile(r'wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))', re.ASCII | re.IGNORECASE)
_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.05


def wanted_wait(request: Request) -> int:
    """Seconds (0 to 20) the caller likes to wait; a preference that cannot be read is ignored."""
    for part in str(request.headers.get("Prefer", ""))[:1000].split(","):
        match = _WAIT.fullmatch(part.partition(";")[0].strip())
        if match:
            return min(int(match[1] or match[2]), MAX_WAIT)
    return 0


def wait_for_job(job: Any, seconds: float) -> Any:
    """Watch the job's row until it is finished or the time is over; return the fresh job.

    ``job`` is a model instance with ``finished_at``. Call it outside of a transaction: inside one
    PostgreSQL at REPEATABLE READ and SQLite show the same row for ever.
    """
    rows = type(job)._default_manager.filter(pk=job.pk)
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while not rows.filter(finished_at__isnull=False).exists():
        left = end - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(1.3 * pause, _LONGEST_PAUSE)
    job.refresh_from_db()
    return job


class Pending(Response):
    """The answer as it stands at the commit; `settle` waits for what becomes of its job."""

    def __init__(
        self, *args: Any, job: Any, wait: Callable[[], Response] | None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.job = job
        self._wait = wait

    def settle(self) -> Response:
        """Wait, outside of any transaction, if the caller likes to. Raises NotApplied (502)."""
        return self._wait() if self._wait else self


def respond(
    job: Any,
    request: Request,
    accepted: Mapping[str, Any],
    *,
    status: int = 202,
    finished: Callable[[Any], Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    tag: Callable[[Mapping[str, Any]], str] | None = None,
) -> Response:
    """The answer to a write that made a job; ``tag`` makes the ETag of the body that is sent.

    It is ``accepted`` with ``status`` (a 204 has no body). With ``Prefer: wait`` it settles to: 200
    with ``finished(job)`` (by default ``accepted`` with the job brought up to date) and
    ``Preference-Applied``; NotApplied (502) with the job's reason when it failed; 202 with
    ``accepted`` when it was not finished in time.
    """
    seconds = wanted_wait(request)

    def headed(body: Mapping[str, Any]) -> dict[str, str]:
        return {**(headers or {}), **({"ETag": tag(body)} if tag else {})}

    def wait() -> Response:
        return _settled(job, seconds, accepted, status, finished, headed)

    return Pending(
        None if status == 204 else accepted,
        status=status,
        headers=headed(accepted),
        job=job,
        wait=wait if seconds else None,
    )


def _settled(
    job: Any,
    seconds: int,
    accepted: Mapping[str, Any],
    status: int,
    finished: Callable[[Any], Mapping[str, Any]] | None,
    headed: Callable[[Mapping[str, Any]], dict[str, str]],
) -> Response:
    with _place() as free:
        if not free:
            body = None if status == 204 else accepted
            return Response(body, status=status, headers=headed(accepted))
        job = wait_for_job(job, seconds)
    applied = {"Preference-Applied": f"wait={seconds}"}
    if job.finished_at is None:
        return Response(accepted, status=202, headers=headed(accepted) | applied)
    done = finished(job) if finished else _updated(accepted, job)
    if job.status == "failed":
        raise NotApplied(
            job.message or "The change is stored, but could not be applied.", extra=done
        )
    return Response(done, status=200, headers=headed(done) | applied)


def _updated(accepted: Mapping[str, Any], job: Any) -> dict[str, Any]:
    body = dict(accepted)
    if isinstance(body.get("job"), Mapping):
        body["job"] = {**body["job"], "status": job.status}
    if "message" in body and job.message:
        body["message"] = job.message
    return body


_lock = threading.Lock()
_waiting = 0


@contextmanager
def _place() -> Iterator[bool]:
    """One of this process's places for waiters; False when all are taken."""
    global _waiting
    with _lock:
        free = _waiting < settings.VWG_MAX_WAITERS
        _waiting += free
    try:
        yield free
    finally:
        with _lock:
            _waiting -= free
