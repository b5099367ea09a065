"""The outbox of changes, and the pulse of its workers."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from gateways.models.hosts import Interface


class Job(models.Model):
    """Something that must be applied: the outbox row. ``tenant`` is null for the operator's own."""

    class Kind(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        DELETE = "delete"
        ENABLE = "enable"
        DISABLE = "disable"
        APPLY = "apply"
        HEAL = "heal"
        LINK = "link"
        SUSPEND = "suspend"
        RESUME = "resume"
        KICK = "kick"
        ROTATE = "rotate"
        MOVE = "move"
        TRANSFER = "transfer"
        RESTORE = "restore"
        BULK = "bulk"
        WAKE = "wake"

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    actor_name = models.CharField(max_length=150, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done__lte=F("total")) & Q(failed__lte=F("done")),
                name="job_counts_consistent",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["succeeded", "failed"], finished_at__isnull=False)
                | Q(status__in=["pending", "running"], finished_at__isnull=True),
                name="job_finished_says_when",
            ),
            models.CheckConstraint(
                condition=Q(tier__isnull=True) | Q(tier__in=[1, 2, 3]), name="job_tier_known"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="job_tenant_newest"),
            models.Index(
                fields=["id"], condition=Q(status__in=["pending", "running"]), name="job_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class JobItem(models.Model):
    """One peer (or the interface itself) of a job on one interface, with its own outcome."""

    class Action(models.TextChoices):
        PEER = "peer", "bring this peer to what its row wants"
        CHECK = "check", "compare the interface with the rows and heal"
        RESTART = "restart", "bring the interface down and up again"
        ADOPT = "adopt", "take over the interface, or its peers without a record"
        DROP = "drop", "remove its peers without a record"

    class Status(models.TextChoices):
        OPEN = "open"
        DONE = "done"
        FAILED = "failed"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    interface = models.ForeignKey(Interface, on_delete=models.CASCADE, related_name="items")
    #: Null for the interface itself, and after the peer's row is gone.
    peer = models.ForeignKey("peers.Peer", on_delete=models.SET_NULL, null=True, blank=True)
    public_key = models.CharField(max_length=44, blank=True)
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.PEER)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    tier = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", settled_at__isnull=True)
                | Q(status__in=["done", "failed"], settled_at__isnull=False),
                name="item_settled_says_when",
            )
        ]
        indexes = [
            models.Index(
                fields=["interface", "due_at"], condition=Q(status="open"), name="item_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.public_key[:8]}"


class Heartbeat(models.Model):
    """When a queue's worker last answered the canary."""

    queue = models.CharField(max_length=64, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.queue


class ScheduledJob(models.Model):
    """A job of the schedule: when it last ran, how long it took, what it counted.

    Its moments are of the database's clock.
    """

    name = models.CharField(max_length=64, unique=True)
    #: Seconds between two runs; late is more than three of them.
    interval_seconds = models.FloatField()
    #: It must run since then: what never ran is late from here.
    since = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    #: When it last did its work; a run that failed is not finished.
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    #: Why it last failed, and when.
    error = models.CharField(max_length=500, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
