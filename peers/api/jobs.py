"""/api/v1/jobs/{id}/retry."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateways.api.serializers import JobSerializer
from gateways.models import Job
from peers.api.serializers import Nothing
from peers.services.retries import retry_job
from rest.filters import check_query
from rest.prefer import respond
from rest.views import ApiView, checked
from tenants.scoping import caller_of


class JobRetry(ApiView):
    """Try again what failed. The answer is a job of its own; the old one stays as it ended."""

    scopes = {"POST": "interfaces:write"}
    operator_only = True

    @extend_schema(request=Nothing, responses={202: JobSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        check_query(request, ())
        checked(Nothing(data=request.data))
        job = retry_job(caller=caller_of(request), job_id=job_id, at=timezone.now())
        body = _body(job)
        headers = {"Location": body["href"]}
        return respond(job, request, body, finished=_body, headers=headers)


def _body(job: Job) -> dict[str, str]:
    return dict(JobSerializer(job).data)
