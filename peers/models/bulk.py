"""Bulk requests, and what became of each of their entries."""

import uuid

from django.db import models
from django.db.models import Q

from peers.models.clients import Client


class BulkRun(models.Model):
    """One bulk request: what to do to many clients, and how far it has come."""

    class Action(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        ENABLE = "enable"
        DISABLE = "disable"
        DELETE = "delete"
        EXTEND = "extend"
        TOP_UP = "top-up"
        RESET = "reset"
        MOVE = "move"

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    action = models.CharField(max_length=8, choices=Action.choices)
    all_or_nothing = models.BooleanField(default=False)
    dry_run = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    #: The actor and the arguments; sealed, since they may hold preshared keys.
    request = models.TextField(editable=False)
    actor_name = models.CharField(max_length=150, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    #: Jobs that bring the changes to the interfaces.
    jobs = models.ManyToManyField("gateways.Job", blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done__lte=models.F("total")) & Q(failed__lte=models.F("done")),
                name="bulk_counts_consistent",
            )
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="bulk_tenant_newest")]

    def __str__(self) -> str:
        return f"bulk {self.action} {self.uuid}"


class BulkItem(models.Model):
    """What became of one entry of a bulk request."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="items")
    index = models.PositiveIntegerField()
    client = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True, blank=True)
    #: How the request named it: an id or an external id.
    ref = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=8, default="open")  # open, done, failed, skipped
    code = models.CharField(max_length=64, blank=True)
    field = models.CharField(max_length=120, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "index"], name="bulk_item_once")]

    def __str__(self) -> str:
        return f"{self.index} {self.outcome}"
