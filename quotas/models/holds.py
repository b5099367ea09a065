"""Open reasons why a client may not connect."""

import uuid

from django.db import models
from django.db.models import Q


class Hold(models.Model):
    """An open reason why a client may not connect. Entitled = no open hold."""

    class Reason(models.TextChoices):
        MANUAL = "manual"
        QUOTA = "quota"
        EXPIRED = "expired"
        TENANT_SUSPENDED = "tenant-suspended"
        TENANT_POOL = "tenant-pool"
        PLAN = "plan"
        SUSPENDED = "suspended"  # by the shop: an unpaid bill
        KICK = "kick"  # for a moment

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    client = models.ForeignKey("peers.Client", on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(max_length=24, choices=Reason.choices)
    note = models.CharField(max_length=255, blank=True)
    #: Of a quota: the period that was judged; a verdict on an old one is void.
    period = models.PositiveIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)
    #: When a timed hold closes by itself.
    until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "reason"],
                condition=Q(closed_at__isnull=True),
                name="hold_open_once_per_reason",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="")
                | Q(closed_at__isnull=False) & ~Q(closed_by=""),
                name="hold_closed_says_by_whom",
            ),
        ]
        indexes = [
            models.Index(fields=["client"], condition=Q(closed_at__isnull=True), name="hold_open"),
            models.Index(
                fields=["until"],
                condition=Q(closed_at__isnull=True, until__isnull=False),
                name="hold_due",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
