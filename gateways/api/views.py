"""What became of a change: jobs and their items, to read."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import JobDetailSerializer, JobItemSerializer, JobSerializer
from gateways.models import Job, JobItem
from gateways.queries import get_job, items_of, visible_jobs
from rest.filters import AllowListedFilters, Choice, Identifier, Moment, check_query
from rest.pagination import MAX_LIMIT, Cursor
from rest.views import ApiView
from tenants.scoping import caller_of

_SHOWN: Final = 200


class OnInterface(Identifier):
    """Jobs with an item on the interface of this id."""

    def __init__(self) -> None:
        super().__init__("interface__uuid")

    def __call__(self, value: str) -> Q:
        items = JobItem.objects.filter(super().__call__(value))
        return Q(pk__in=items.values("job"))


class JobList(ApiView, ListAPIView[Job]):
    """The jobs of the tenant (of all, for an operator), newest first."""

    scopes = {"GET": "jobs:read"}
    serializer_class = JobSerializer
    filter_backends = [AllowListedFilters]
    filters = {
        "status": Choice("status", Job.Status.values),
        "kind": Choice("kind", Job.Kind.values),
        "tenant": Identifier("tenant__uuid"),
        "interface": OnInterface(),
        "created_after": Moment("created_at__gt"),
        "created_before": Moment("created_at__lt"),
    }
    ordering_fields = ("created_at", "finished_at")
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        return visible_jobs(caller_of(self.request))


class JobDetail(ApiView):
    """One job with its first 200 items."""

    scopes = {"GET": "jobs:read"}

    @extend_schema(responses=JobDetailSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        check_query(request, ())
        job = get_job(caller_of(request), job_id)
        items = list(items_of(job)[: _SHOWN + 1])
        shown: dict[str, Any] = {"first_items": items[:_SHOWN], "items_next": None}
        if len(items) > _SHOWN:
            cursor = Cursor("id", items[_SHOWN - 1].pk, items[_SHOWN - 1].pk).encode()
            href = reverse("job-items", kwargs={"job_id": job.uuid})
            shown["items_next"] = f"{href}?limit={MAX_LIMIT}&cursor={cursor}"
        for name, value in shown.items():
            setattr(job, name, value)
        return Response(JobDetailSerializer(job, context={"request": request}).data)


class JobItems(ApiView, ListAPIView[JobItem]):
    """All items of one job, in the order in which they were asked for."""

    scopes = {"GET": "jobs:read"}
    serializer_class = JobItemSerializer
    filter_backends = [AllowListedFilters]
    filters = {"outcome": Choice("status", JobItem.Status.values)}
    ordering = "id"
    queryset = JobItem.objects.none()

    def get_queryset(self) -> QuerySet[JobItem]:
        job_id: Any = self.kwargs["job_id"]
        return items_of(get_job(caller_of(self.request), job_id))
