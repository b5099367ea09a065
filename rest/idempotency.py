"""``Idempotency-Key``: a POST that is sent twice is carried out once, and answered the same.

A request first claims its key, in a transaction of its own. The handler's transaction stores the
answer beside the change, so that after a crash there are both or neither. Only the holder of the
claim can store an answer: one whose claim was taken over finds that out before it commits, and
nothing of it remains.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from rest.claimants import is_dead, let_go, new_claim
from rest.errors import InProgress, Invalid, Unprocessable
from rest.models import IdempotentRequest
from rest.prefer import Pending, respond
from tenants.scoping import Caller, caller_of
from tenants.writes import Insert, Update

KEPT: Final = timedelta(hours=24)
#: How long a holder that cannot be asked after may take. Longer than any request lasts: a
#: statement ends after 15 s on PostgreSQL, a wait for the write lock after 20 s on SQLite.
LEASE: Final = timedelta(seconds=60)
_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_RUNNING, _DONE = IdempotentRequest.Status.RUNNING, IdempotentRequest.Status.DONE
_NEW: Final = Insert(IdempotentRequest, unless_taken=True)
_STORE: Final = Update(
    IdempotentRequest,
    ("status", "answer_status", "answer_headers", "answer_body"),
    where=("id", "claim", "status"),
)
_JOB: Final = "job"  # in answer_headers: no header has a lower-case name here


def wanted_key(request: Request) -> str | None:
    """The key a POST names, None without one. Raises Invalid."""
    text = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if text is not None and not _KEY.fullmatch(text):
        raise Invalid(
            "This must be 1 to 255 visible ASCII characters.",
            field="Idempotency-Key",
            code="idempotency_key_invalid",
        )
    return text


def is_known(tenant_id: int, key: str) -> bool:
    """Whether a request with this key came before, and was not refused."""
    return IdempotentRequest.objects.filter(tenant_id=tenant_id, key=key).exists()


def once(
    key: str,
    request: Request,
    handle: Callable[[], HttpResponseBase],
    *,
    secrets: Collection[str] = (),
    words: bytes | None = None,
) -> HttpResponseBase:
    """Carry a request out in one transaction, or answer as it was answered before.

    ``secrets`` are the fields of the answer (dotted for nested ones) that are not kept; ``words``
    is what the request says, where that is not its body as it came. Raises
    Unprocessable for a key that stands for another request, InProgress while that one still runs.
    """
    caller = caller_of(request)
    fingerprint = _fingerprint(request, caller, words)
    claim = new_claim()
    try:
        row, mine = _claim(caller.tenant_id, key, fingerprint, claim, at=timezone.now())
        return _carry_out(row, handle, secrets) if mine else _replay(row, request)
    finally:
        let_go(claim)  # where the database was lost, the row says still that it is held


def _carry_out(
    row: IdempotentRequest, handle: Callable[[], HttpResponseBase], secrets: Collection[str]
) -> HttpResponseBase:
    try:
        with transaction.atomic():
            answer = handle()
            _keep(row, answer, secrets)
    except BaseException:
        # What was refused leaves no record: the same request may be right the next time.
        _release(row)
        raise
    return answer


def _release(row: IdempotentRequest) -> int:
    held = IdempotentRequest.objects.filter(pk=row.pk, claim=row.claim, status=_RUNNING)
    return held.delete()[0]


def _fingerprint(request: Request, caller: Caller, words: bytes | None = None) -> str:
    """What was asked, and with which eyes: an operator's answer is not a tenant's."""
    parts = (request.method or "", request.get_full_path(), caller.operator)
    digest = hashlib.sha256("\n".join(parts).encode())
    digest.update(b"\n")
    digest.update(request.body if words is None else words)
    return digest.hexdigest()


def _claim(
    tenant_id: int, key: str, fingerprint: str, claim: UUID, *, at: datetime
) -> tuple[IdempotentRequest, bool]:
    """The key's row, and whether the caller holds it now (else it has an answer)."""
    fresh = {
        "fingerprint": fingerprint,
        "status": _RUNNING,
        "claim": claim,
        "claimed_until": at + LEASE,
        "created_at": at,
    }
    mine = IdempotentRequest(tenant_id=tenant_id, key=key, **fresh)
    if _NEW(mine):
        return mine, True
    row = IdempotentRequest.objects.filter(tenant_id=tenant_id, key=key).first()
    if row is None:  # released in between
        raise _in_progress()
    expired = row.created_at <= at - KEPT
    if row.fingerprint != fingerprint and not expired:
        raise Unprocessable(
            "This key was used for another request.",
            field="Idempotency-Key",
            code="idempotency_key_reused",
        )
    if row.status == _DONE and not expired:
        return row, False
    if row.claimed_until > at and not is_dead(row.claim):
        raise _in_progress()
    taken = IdempotentRequest.objects.filter(pk=row.pk, claim=row.claim, status=row.status)
    if not taken.update(**fresh):
        raise _in_progress()
    row.claim = claim
    return row, True


def _keep(row: IdempotentRequest, answer: HttpResponseBase, secrets: Collection[str]) -> None:
    """Store the answer with the change it tells of. Raises InProgress if the claim is lost."""
    if not isinstance(answer, Response) or answer.status_code >= 400:
        kept = _release(row)  # a file is made anew each time, a refusal judged anew
    else:
        headers: dict[str, Any] = {
            name: text for name, text in answer.items() if name != "Content-Type"
        }
        job = answer.job if isinstance(answer, Pending) else None
        headers |= {_JOB: [job._meta.label, job.pk]} if job else {}
        kept = _STORE(
            (_DONE, answer.status_code, headers, _body(answer.data, secrets)),
            (row.pk, row.claim, _RUNNING),
        )
    if not kept:
        raise _in_progress()


def _body(data: Any, secrets: Collection[str]) -> str:
    if data is None:
        return ""
    text = JSONRenderer().render(data).decode()
    if not secrets:
        return text
    value = json.loads(text)
    for path in secrets:
        _blank(value, path.split("."))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _blank(value: Any, path: list[str]) -> None:
    """Put null in the place of what the path names, in each entry of a list."""
    if isinstance(value, list):
        for entry in value:
            _blank(entry, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) == 1:
            value[path[0]] = None
        else:
            _blank(value[path[0]], path[1:])


def _replay(row: IdempotentRequest, request: Request) -> HttpResponseBase:
    """The kept answer; with ``Prefer: wait`` it waits for its job once more."""
    headers = dict(row.answer_headers)
    named = headers.pop(_JOB, None)
    headers["Idempotency-Replayed"] = "true"
    body = json.loads(row.answer_body) if row.answer_body else None
    status = row.answer_status or 200
    job = named and apps.get_model(named[0])._default_manager.filter(pk=named[1]).first()
    if job is None or body is None:
        return Response(body, status=status, headers=headers)
    return respond(job, request, body, status=status, headers=headers)


def _in_progress() -> InProgress:
    return InProgress("A request with this key is still running.", field="Idempotency-Key")
