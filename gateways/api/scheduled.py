"""/api/v1/scheduled-jobs: what the schedule runs, when it last ran, and what is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.forms.models import model_to_dict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.models import ScheduledJob
from gateways.schedule import Standing, jobs, late_jobs, standings
from rest.filters import AllowListedFilters, Text
from rest.pagination import KeysetPagination
from rest.views import ApiView


class ScheduledJobSerializer(serializers.Serializer[Any]):
    """A job of the schedule. ``late``: it has not finished for three intervals.

    ``age_seconds`` counts from its last finished run, or from when it first had to run. A run that
    failed is not finished: ``error`` says why, and ``failed_at`` when.
    """

    name = serializers.CharField()
    interval_seconds = serializers.FloatField()
    late = serializers.BooleanField()
    age_seconds = serializers.FloatField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    runs = serializers.IntegerField()
    failures = serializers.IntegerField()
    error = serializers.CharField()
    failed_at = serializers.DateTimeField(allow_null=True)


class Late:
    """``true``: only the jobs that are late; ``false``: only the others."""

    def __call__(self, value: str) -> Q:
        if value not in ("true", "false"):
            raise ValueError("This must be true or false.")
        found = Q(name__in=[one.job.name for one in late_jobs()])
        return found if value == "true" else ~found

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class ScheduledJobList(ApiView):
    """The jobs of the schedule, by name."""

    scopes = {"GET": "jobs:read"}
    operator_only = True
    filters = {"late": Late(), "search": Text(("name__icontains",))}
    filter_backends = [AllowListedFilters]
    pagination_class = KeysetPagination
    ordering = "name"
    ordering_fields = ("name", "finished_at", "duration_ms")

    @extend_schema(responses=ScheduledJobSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows: QuerySet[ScheduledJob] = AllowListedFilters().filter_queryset(request, jobs(), self)
        paginator = KeysetPagination()
        page: list[ScheduledJob] = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response([_body(one) for one in standings(page)])


def _body(standing: Standing) -> dict[str, Any]:
    job = standing.job
    interval = timedelta(seconds=job.interval_seconds)
    told = {
        "late": standing.late,
        "age_seconds": round(standing.age_seconds, 3),
        "next_at": job.started_at + interval if job.started_at else None,
    }
    return dict(ScheduledJobSerializer({**model_to_dict(job), **told}).data)
