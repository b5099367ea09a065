"""Answers that are kept, so that a request that is sent twice is carried out once."""

from django.db import models
from django.db.models import Q


class IdempotentRequest(models.Model):
    """A POST that named an ``Idempotency-Key``: claimed before it runs, with its answer after."""

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    #: SHA-256 of method, path, query and body.
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    #: Who runs it, and until when nobody else may take it over.
    claim = models.UUIDField()
    claimed_until = models.DateTimeField()
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer_headers = models.JSONField(default=dict)
    answer_body = models.TextField(blank=True)  # JSON, less secrets that are shown once
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(status="running") | Q(answer_status__isnull=False),
                name="idempotency_done_has_answer",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.key} {self.status}"
