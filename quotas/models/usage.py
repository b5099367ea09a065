"""What a client and a tenant have used, in all and in their period; and the speed that is set."""

from django.db import models
from django.db.models import Q


class Usage(models.Model):
    """A client's bytes. ``billed`` counts against its quota; a reset moves the base, no counter.

    Apart from the client's row, which requests lock: the books of a tick write thousands of these.
    """

    client = models.OneToOneField(
        "peers.Client", on_delete=models.CASCADE, primary_key=True, related_name="usage"
    )
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+")
    raw_up = models.PositiveBigIntegerField(default=0)
    raw_down = models.PositiveBigIntegerField(default=0)
    billed_up = models.PositiveBigIntegerField(default=0)
    billed_down = models.PositiveBigIntegerField(default=0)

    # -- the period -------------------------------------------------------------------------
    #: +1 with every reset; a verdict names the one it judged.
    period = models.PositiveIntegerField(default=1)
    period_began_at = models.DateTimeField(null=True, blank=True)
    #: When the next one begins by itself; null: never.
    period_ends_at = models.DateTimeField(null=True, blank=True)
    base_up = models.PositiveBigIntegerField(default=0)
    base_down = models.PositiveBigIntegerField(default=0)
    #: Topped up, or carried over, for this period.
    extra_bytes = models.PositiveBigIntegerField(default=0)
    #: At the limit, and slowed down instead of cut off.
    throttled_since = models.DateTimeField(null=True, blank=True)

    # -- what its seller was told in this period ----------------------------------------------
    warned_percent = models.PositiveSmallIntegerField(default=0)
    #: Of days left: the lowest threshold that was told of; null: none.
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["period_ends_at"],
                condition=Q(period_ends_at__isnull=False),
                name="usage_period_due",
            ),
            models.Index(fields=["tenant"], name="usage_tenant"),
            models.Index(
                fields=["warned_days"],
                condition=Q(warned_days__isnull=False),
                name="usage_end_told",
            ),
        ]

    def __str__(self) -> str:
        return f"usage of {self.client_id}"


class TenantUsage(models.Model):
    """A tenant's bytes, those of deleted clients too, and its own period."""

    tenant = models.OneToOneField(
        "tenants.Tenant", on_delete=models.CASCADE, primary_key=True, related_name="usage"
    )
    raw_up = models.PositiveBigIntegerField(default=0)
    raw_down = models.PositiveBigIntegerField(default=0)
    billed_up = models.PositiveBigIntegerField(default=0)
    billed_down = models.PositiveBigIntegerField(default=0)
    period = models.PositiveIntegerField(default=1)
    period_began_at = models.DateTimeField(null=True, blank=True)
    period_ends_at = models.DateTimeField(null=True, blank=True)
    base_up = models.PositiveBigIntegerField(default=0)
    base_down = models.PositiveBigIntegerField(default=0)
    #: Sold to clients in the period; counted where the tenant's pool counts what is sold.
    sold_bytes = models.PositiveBigIntegerField(default=0)
    #: The pool is used up since then.
    stopped_since = models.DateTimeField(null=True, blank=True)
    warned_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["period_ends_at"],
                condition=Q(period_ends_at__isnull=False),
                name="tenant_usage_period_due",
            )
        ]

    def __str__(self) -> str:
        return f"usage of tenant {self.tenant_id}"


class Shape(models.Model):
    """The speed that is set for a device on its interface (kbit/s; null: none)."""

    peer = models.OneToOneField(
        "peers.Peer", on_delete=models.CASCADE, primary_key=True, related_name="shape"
    )
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    interface = models.ForeignKey(
        "gateways.Interface", on_delete=models.CASCADE, related_name="shapes"
    )
    #: The class of the device on the interface (the minor of tc's class id), once each.
    minor = models.PositiveIntegerField()
    up_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    down_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    addresses = models.TextField(blank=True)  # comma-separated, canonical order
    applied_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interface", "minor"], name="shape_minor_once"),
            models.CheckConstraint(
                condition=Q(minor__gte=16, minor__lte=65535), name="shape_minor_range"
            ),
        ]

    def __str__(self) -> str:
        return f"shape of {self.peer_id}"
