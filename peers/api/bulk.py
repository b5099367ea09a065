"""/api/v1/clients/bulk and /api/v1/bulk: many clients in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import job_ref
from gateways.models import Job
from peers.api.bulk_request import entries_of
from peers.api.bulk_serializers import BulkRequest, BulkResult, BulkSerializer, BulkWithResults
from peers.api.bulk_shapes import BULK_REQUEST, EXAMPLES
from peers.api.representation import moment
from peers.bulk_queries import (
    BriefDevice,
    brief_devices,
    find_run,
    own_client,
    visible_items,
    visible_runs,
)
from peers.models import BulkItem, BulkRun, Client
from peers.services.bulk.entries import Outcome
from peers.services.bulk.runs import BULK_SCOPE, Started, start
from rest.filters import AllowListedFilters, Choice, check_query
from rest.pagination import KeysetPagination
from rest.views import ApiView, checked
from tenants.scoping import Caller, caller_of

Devices = Mapping[int, Sequence[BriefDevice]]


class ClientBulk(ApiView):
    """Create, change or delete up to 1,000 clients; each has a result of its own.

    Up to 100 are done at once (200, with the results); more are done by a worker (202, with a
    run to look at). With ``all_or_nothing`` one failure undoes all; with ``dry_run`` everything
    is checked and nothing stays.
    """

    scopes = {"POST": BULK_SCOPE}

    @extend_schema(
        request=BULK_REQUEST,
        responses={200: BulkWithResults, 202: BulkSerializer},
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        check_query(request, ())
        wanted = checked(BulkRequest(data=request.data))
        caller = caller_of(request)
        started = start(
            caller=caller,
            action=wanted["action"],
            entries=entries_of(caller, wanted),
            at=timezone.now(),
            all_or_nothing=wanted.get("all_or_nothing", False),
            dry_run=wanted.get("dry_run", False),
        )
        return _answer(caller, started)


class BulkList(ApiView):
    """The tenant's bulk requests, newest first."""

    scopes = {"GET": "clients:read"}
    filter_backends = [AllowListedFilters]
    filters = {
        "action": Choice("action", BulkRun.Action.values),
        "status": Choice("status", BulkRun.Status.values),
    }
    pagination_class = KeysetPagination

    @extend_schema(operation_id="bulk_list", responses=BulkSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = visible_runs(caller_of(request)).prefetch_related("jobs")
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[BulkRun] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response([_run_body(run) for run in page])


class BulkDetail(ApiView):
    """One bulk request and how far it has come."""

    scopes = {"GET": "clients:read"}

    @extend_schema(operation_id="bulk_retrieve", responses=BulkSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        check_query(request, ())
        return Response(_run_body(find_run(caller_of(request), run_id)))


class BulkItems(ApiView):
    """What became of each item that is done, in the order of the request."""

    scopes = {"GET": "clients:read"}
    filter_backends = [AllowListedFilters]
    filters = {"outcome": Choice("outcome", ("done", "failed", "skipped"))}
    pagination_class = KeysetPagination
    ordering_fields = ("index",)
    ordering = "index"

    @extend_schema(operation_id="bulk_items_list", responses=BulkResult(many=True))
    def get(self, request: Request, run_id: UUID) -> Response:
        caller = caller_of(request)
        rows = visible_items(caller, find_run(caller, run_id))
        rows = AllowListedFilters().filter_queryset(request, rows, self)
        paginator = KeysetPagination()
        page: list[BulkItem] = paginator.paginate_queryset(rows, request, view=self)
        for item in page:
            item.client = own_client(caller, item.client)
        clients = (item.client for item in page)
        devices = brief_devices(caller, (one.pk for one in clients if one is not None))
        return paginator.get_paginated_response([_item_body(item, devices) for item in page])


# -- Bodies ----------------------------------------------------------------------------------


def _answer(caller: Caller, started: Started) -> Response:
    run, outcomes = started.run, started.outcomes
    if outcomes is None:
        body = _run_body(run, jobs=[])
        return Response(body, status=202, headers={"Location": body["href"]})
    clients = (one.client for one in outcomes)
    devices = brief_devices(caller, (one.pk for one in clients if one is not None))
    results = [_outcome_body(outcome, devices) for outcome in outcomes]
    return Response({**_run_body(run, jobs=started.jobs), "results": results})


def _run_body(run: BulkRun, *, jobs: Sequence[Job] | None = None) -> dict[str, Any]:
    href = reverse("bulk", kwargs={"run_id": run.uuid}) if run.pk else None
    return {
        "id": str(run.uuid) if run.pk else None,
        "action": run.action,
        "status": run.status,
        "all_or_nothing": run.all_or_nothing,
        "dry_run": run.dry_run,
        "progress": {"total": run.total, "done": run.done, "failed": run.failed},
        "jobs": [job_ref(job) for job in (run.jobs.all() if jobs is None else jobs)],
        "href": href,
        "items_href": f"{href}/items" if href else None,
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
    }


def _outcome_body(outcome: Outcome, devices: Devices) -> dict[str, Any]:
    failure = outcome.failure
    return _result(
        outcome.entry.index,
        outcome.entry.ref,
        outcome.word,
        outcome.client,
        devices,
        {"field": failure.field, "code": failure.code, "detail": failure.message}
        if failure
        else None,
    )


def _item_body(item: BulkItem, devices: Devices) -> dict[str, Any]:
    error = {"field": item.field or None, "code": item.code, "detail": item.message}
    return _result(
        item.index, item.ref, item.outcome, item.client, devices, error if item.code else None
    )


def _result(
    index: int,
    ref: str,
    outcome: str,
    client: Client | None,
    devices: Devices,
    error: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "index": index,
        "ref": ref,
        "outcome": outcome,
        "client": None if client is None else str(client.uuid),
        "external_id": None if client is None else client.external_id,
        "devices": [] if client is None else [_device(one) for one in devices.get(client.pk, ())],
        "error": error,
    }


def _device(device: BriefDevice) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "interface": device.interface,
        "public_key": device.public_key,
        "addresses": list(device.addresses),
    }
