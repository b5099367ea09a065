"""What can go wrong: the server refuses (`Problem`), or does not answer (`Unreachable`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class VwgError(Exception):
    """Every error of this package."""


class Unreachable(VwgError):
    """No answer, however often it was asked. A write may have happened or not: ask again with the
    same ``idempotency_key`` (it is in the error), and it happens once.
    """

    def __init__(self, reason: str, *, idempotency_key: str | None = None) -> None:
        super().__init__(reason)
        self.idempotency_key = idempotency_key


class JobFailed(VwgError):
    """A change is stored, but it could not be applied. ``job`` says why."""

    def __init__(self, job: Any) -> None:
        super().__init__(str(job.get("message", "")))
        self.job = job


class Problem(VwgError):
    """A refusal (RFC 9457). ``code`` is the stable word for programs, ``errors`` name the fields.

    Codes and what to do about them: docs/problems.md, or ``type`` on the server. A POST was sent
    with ``idempotency_key``: after 429 and 5xx, ask again with the same.
    """

    idempotency_key: str | None = None

    def __init__(self, status: int, body: dict[str, Any], *, retry_after: float | None) -> None:
        super().__init__(f"{status} {body.get('detail') or body.get('title') or ''}".strip())
        self.status = status
        self.type = str(body.get("type", "about:blank"))
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.errors: list[dict[str, Any]] = list(body.get("errors") or [])
        self.retry_after = retry_after
        self.body = body

    @property
    def code(self) -> str:
        """The problem's word: of its one field, or of the whole."""
        if len(self.errors) == 1:
            return str(self.errors[0]["code"])
        return self.type.rpartition("/")[2].replace("-", "_")


class Moved(Problem):
    """3xx: the portal is elsewhere, at ``location``. Nothing was done here, nothing sent there."""

    location: str = ""


class Invalid(Problem):
    """400: a value cannot be used. ``errors`` names the fields."""


class Unauthorized(Problem):
    """401: the token is missing, wrong, revoked or expired."""


class Forbidden(Problem):
    """403: the token may not do this."""


class NotFound(Problem):
    """404: there is no such thing for this token."""


class Conflict(Problem):
    """409: what exists already stands against it."""


class Stale(Problem):
    """412: it was changed since you read it. Read it again."""


class KeyReused(Problem):
    """422: the idempotency key stands for another request."""


class TooMany(Problem):
    """429: too many requests, for longer than this client was told to wait."""


class ServerError(Problem):
    """5xx: the server's fault, or its database is away."""


class NotApplied(ServerError):
    """502 of a call that waited: the change is stored, but its job failed."""


_BY_STATUS: dict[int, type[Problem]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Stale,
    422: KeyReused,
    429: TooMany,
}


def problem_of(
    status: int, data: bytes, headers: Mapping[str, str], after: float | None, key: str | None
) -> Problem:
    """The error that an answer other than 2xx means."""
    try:
        body = json.loads(data)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    if 300 <= status < 400:
        return _moved(status, headers, key)
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else Problem)
    if str(body.get("type", "")).endswith("/not-applied"):
        kind = NotApplied
    problem = kind(status, body, retry_after=after)
    problem.idempotency_key = key
    return problem


def _moved(status: int, headers: Mapping[str, str], key: str | None) -> Moved:
    location = next((text for name, text in headers.items() if name.lower() == "location"), "")
    place = f"at {location}" if location else "elsewhere"
    moved = Moved(status, {"detail": f"the portal is {place}"}, retry_after=None)
    moved.location, moved.idempotency_key = location, key
    return moved
