"""Answers about one client: as it is, and after a change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.models import Job
from peers.api.representation import client_body, tag_of
from peers.models import Client
from peers.queries import ClientView, view_client
from peers.services.changes import Changed
from rest.etag import wanted_version
from rest.filters import check_query
from rest.prefer import respond
from tenants.scoping import caller_of


def act(
    request: Request, service: Callable[..., Changed], client_id: UUID, **details: Any
) -> Response:
    """Carry out an act on a client, and answer with the client and its job."""
    check_query(request, ())
    changed = service(
        caller=caller_of(request),
        client_id=client_id,
        at=timezone.now(),
        if_match=wanted_version(request),
        **details,
    )
    return answer_change(request, changed)


def show(client: Client) -> Response:
    """The client as it is."""
    body = client_body(view_client(client), at=timezone.now())
    return Response(body, headers={"ETag": tag_of(client, body)})


def answer_change(request: Request, changed: Changed) -> Response:
    """The client after a change."""
    return answer(request, view_client(changed.client), changed.job, status=200, headers={})


def answer(
    request: Request, view: ClientView, job: Job, *, status: int, headers: dict[str, str]
) -> Response:
    """The client with its job, at once or when the job is done (`rest.prefer`)."""

    def now(fresh: Job) -> dict[str, Any]:
        return client_body(view_client(view.client), at=timezone.now(), job=fresh)

    return respond(
        job,
        request,
        client_body(view, at=timezone.now(), job=job),
        status=status,
        finished=now,
        headers=headers,
        tag=partial(tag_of, view.client),
    )
