"""Jobs as the API shows them."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from gateways.models import Job, JobItem
from tenants.scoping import caller_of

#: How a check's summary begins when it lists numbers, and what a tenant reads instead.
_COUNTS, _DIFFERS = "Drift: ", "The interface differs from its records"


class JobRef(serializers.Serializer[Any]):
    """How a write names its job."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Job.Status.choices)
    href = serializers.CharField()


class JobOnly(serializers.Serializer[Any]):
    """What a deletion answers to who waited for it."""

    job = JobRef()


#: What a deletion that makes a job answers, for its description.
DELETED: Final[dict[int, Any]] = {
    204: OpenApiResponse(description="Deleted; X-VWG-Job names the job."),
    200: JobOnly,
}


def job_ref(job: Job) -> dict[str, str]:
    """The body of `JobRef`."""
    return {
        "id": str(job.uuid),
        "status": str(job.status),
        "href": reverse("job", kwargs={"job_id": job.uuid}),
    }


class Progress(serializers.Serializer[Any]):
    """How many of a job's items are settled, and how many of those failed."""

    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()


class JobSerializer(serializers.Serializer[Any]):
    """A job without its items."""

    id = serializers.UUIDField(source="uuid")
    href = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(choices=Job.Kind.choices)
    status = serializers.ChoiceField(choices=Job.Status.choices)
    progress = Progress(source="*")
    tier = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_href(self, job: Job) -> str:
        return job_ref(job)["href"]


class JobItemSerializer(serializers.Serializer[Any]):
    """What became of one device on one interface; ``client`` is null once it is gone."""

    public_key = serializers.CharField()
    interface = serializers.CharField(source="interface.name")
    client = serializers.SerializerMethodField()
    outcome = serializers.ChoiceField(source="status", choices=JobItem.Status.choices)
    tier = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    duration_ms = serializers.FloatField(allow_null=True)
    message = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"], "format": "uuid"})
    def get_client(self, item: JobItem) -> str | None:
        return None if item.peer is None else str(item.peer.client.uuid)

    def get_message(self, item: JobItem) -> str:
        """A check counts what differs, whoever's it is: the numbers are for operators."""
        request = self.context.get("request")
        if request is not None and caller_of(request).operator:
            return item.message
        counts = item.action == JobItem.Action.CHECK and item.message.startswith(_COUNTS)
        return _DIFFERS if counts else item.message


class JobDetailSerializer(JobSerializer):
    """A job with its first items; ``items_next`` leads to the rest, null when there is none."""

    items = JobItemSerializer(many=True, source="first_items")
    items_next = serializers.CharField(allow_null=True)
