"""What a reseller sells: clients."""

import uuid

from django.db import models
from django.db.models import Q

from quotas.models import Plan


class Client(models.Model):
    """What a reseller sells: a name and one or more devices.

    After ``deleted_at`` it can be brought back until ``purge_at``; then its secrets, addresses and
    rows go.
    """

    class NextPlan(models.TextChoices):
        PERIOD = "period", "when the period ends"
        END = "end", "when what was sold ends"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="clients")
    name = models.CharField(max_length=120)
    external_id = models.CharField(max_length=120, null=True, blank=True)
    email = models.EmailField(blank=True)
    telegram_id = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    tags = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    plan = models.ForeignKey(
        "quotas.Plan", on_delete=models.PROTECT, null=True, blank=True, related_name="clients"
    )
    #: What was sold: bytes of a period (together, or each way), and until when; ``duration_days``
    #: count from the first handshake, which must come before ``start_before``.
    quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    upload_quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    download_quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    reset = models.CharField(max_length=20, choices=Plan.Reset.choices, default=Plan.Reset.NONE)
    #: When what was sold begins, or began; periods from the start count from there.
    starts_at = models.DateTimeField(null=True, blank=True)
    start_before = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    duration_days = models.PositiveIntegerField(null=True, blank=True)
    first_connected_at = models.DateTimeField(null=True, blank=True)
    upload_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    download_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    at_limit = models.CharField(
        max_length=12, choices=Plan.AtLimit.choices, default=Plan.AtLimit.DISCONNECT
    )
    throttle_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    #: It connects for so long after its end.
    grace_seconds = models.PositiveIntegerField(default=0)
    #: Days after the end when it is deleted; null keeps it.
    delete_after_days = models.PositiveIntegerField(null=True, blank=True)
    #: The plan that follows: at the period's end, or at the end of what was sold.
    next_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    next_plan_when = models.CharField(max_length=8, choices=NextPlan.choices, blank=True)
    #: The bytes that are left go over into it.
    next_plan_carries = models.BooleanField(default=False)
    #: +1 with every change of the configuration; the ETag.
    version = models.PositiveBigIntegerField(default=1)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    purge_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"],
                condition=Q(deleted_at__isnull=True),
                name="client_external_id_once",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="client_name_not_empty"),
            models.CheckConstraint(
                condition=Q(at_limit="disconnect", throttle_kbit__isnull=True)
                | Q(at_limit="throttle", throttle_kbit__gt=0),
                name="client_throttle_has_rate",
            ),
            models.CheckConstraint(
                condition=Q(next_plan__isnull=True, next_plan_when="")
                | Q(next_plan__isnull=False) & ~Q(next_plan_when=""),
                name="client_next_plan_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "-id"],
                condition=Q(deleted_at__isnull=True),
                name="client_tenant_newest",
            ),
            models.Index(
                fields=["tenant", "name", "id"],
                condition=Q(deleted_at__isnull=True),
                name="client_tenant_name",
            ),
            models.Index(
                fields=["purge_at"], condition=Q(purge_at__isnull=False), name="client_purge_due"
            ),
            models.Index(
                fields=["deleted_at"],
                condition=Q(deleted_at__isnull=False, purge_at__isnull=True),
                name="client_purge_undated",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(deleted_at__isnull=True, expires_at__isnull=False),
                name="client_end_due",
            ),
            models.Index(
                fields=["start_before"],
                condition=Q(deleted_at__isnull=True, start_before__isnull=False),
                name="client_start_due",
            ),
        ]

    def __str__(self) -> str:
        return self.name
