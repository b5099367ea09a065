"""What a tenant sells."""

import uuid

from django.db import models
from django.db.models import Q


class Plan(models.Model):
    """What a tenant sells. A null limit is no limit; enforcement reads the client's own fields."""

    class Start(models.TextChoices):
        NOW = "now"
        DATE = "date"
        FIRST_HANDSHAKE = "first-handshake"

    class Reset(models.TextChoices):
        NONE = "none"
        DAY = "day"
        WEEK = "week"
        MONTH = "month", "calendar month"
        MONTH_FROM_START = "month-from-start"
        YEAR = "year"

    class AtLimit(models.TextChoices):
        DISCONNECT = "disconnect"
        THROTTLE = "throttle"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="plans")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    price_label = models.CharField(max_length=60, blank=True)
    #: Bytes of both directions together, or of each apart.
    total_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    upload_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    download_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    duration_days = models.PositiveIntegerField(null=True, blank=True)
    start = models.CharField(max_length=16, choices=Start.choices, default=Start.NOW)
    #: Days within which the first handshake must come; null waits for ever.
    start_within_days = models.PositiveIntegerField(null=True, blank=True)
    reset = models.CharField(max_length=20, choices=Reset.choices, default=Reset.NONE)
    devices = models.PositiveIntegerField(default=1)
    upload_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    download_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    at_limit = models.CharField(max_length=12, choices=AtLimit.choices, default=AtLimit.DISCONNECT)
    throttle_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    grace_seconds = models.PositiveIntegerField(default=0)
    #: Days after the end when the client is deleted; null keeps it.
    delete_after_days = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    #: Sold no more; clients that have it keep it.
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                condition=Q(archived_at__isnull=True),
                name="plan_name_once_per_tenant",
            ),
            models.CheckConstraint(
                condition=Q(at_limit="disconnect", throttle_kbit__isnull=True)
                | Q(at_limit="throttle", throttle_kbit__gt=0),
                name="plan_throttle_has_rate",
            ),
            models.CheckConstraint(condition=Q(devices__gte=1), name="plan_devices_positive"),
        ]

    def __str__(self) -> str:
        return self.name
