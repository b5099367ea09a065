"""The ledger: what each device's counters said, in contiguous segments, and their sums by time."""

import uuid

from django.db import models
from django.db.models import F, Q


class CounterRun(models.Model):
    """One life of an interface's counters: from a bring-up to the next.

    Named by the boot of its host and the link's alias stamp: whoever restarts the interface, one
    of them differs, and every counter began at 0.
    """

    interface = models.ForeignKey(
        "gateways.Interface", on_delete=models.SET_NULL, null=True, related_name="runs"
    )
    boot_id = models.CharField(max_length=64)
    stamp = models.CharField(max_length=36)
    began_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interface", "boot_id", "stamp"], name="run_once")
        ]

    def __str__(self) -> str:
        return f"{self.boot_id[:8]} {self.stamp[:8]}"


class Meter(models.Model):
    """One device's bytes: its counters as last read, and all they ever counted.

    It outlives the device, for statements: then ``peer`` and ``client`` are null, and the names
    are those it had. rx is what the interface received: the client's upload.
    """

    peer = models.OneToOneField(
        "peers.Peer", on_delete=models.SET_NULL, null=True, related_name="meter"
    )
    client = models.ForeignKey(
        "peers.Client", on_delete=models.SET_NULL, null=True, related_name="meters"
    )
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="meters")
    interface = models.ForeignKey(
        "gateways.Interface", on_delete=models.SET_NULL, null=True, related_name="meters"
    )
    peer_uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client_uuid = models.UUIDField()
    client_name = models.CharField(max_length=120, blank=True)
    external_id = models.CharField(max_length=120, null=True, blank=True)

    # -- the counters as last read ------------------------------------------------------------
    run = models.ForeignKey(CounterRun, on_delete=models.PROTECT, null=True, related_name="meters")
    #: +1 whenever the counters begin at 0: another run, added anew, or a fall.
    incarnation = models.PositiveIntegerField(default=0)
    rx = models.PositiveBigIntegerField(default=0)
    tx = models.PositiveBigIntegerField(default=0)
    #: The number of the dump they were read in; an older one is refused.
    seq = models.PositiveBigIntegerField(default=0)
    sampled_at = models.DateTimeField(null=True, blank=True)
    #: Whether what comes next is billed: not while the device is off.
    billing = models.BooleanField(default=True)
    #: Hundredths of a byte that a usage factor left over (upload, download).
    rest_up = models.PositiveSmallIntegerField(default=0)
    rest_down = models.PositiveSmallIntegerField(default=0)

    # -- all they ever counted (bytes) --------------------------------------------------------
    raw_up = models.PositiveBigIntegerField(default=0)
    raw_down = models.PositiveBigIntegerField(default=0)
    billed_up = models.PositiveBigIntegerField(default=0)
    billed_down = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "client_uuid"], name="meter_tenant_client"),
        ]

    def __str__(self) -> str:
        return str(self.peer_uuid)


class LedgerSegment(models.Model):
    """What a device's counters did in one quarter of an hour: from where to where (bytes).

    Of one meter and incarnation each segment begins where the one before ended. Extended while it
    is open, and never rewritten once its quarter is over and rolled up.
    """

    meter = models.ForeignKey(
        Meter, on_delete=models.CASCADE, related_name="segments", db_index=False
    )
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    #: The number stays when the interface goes.
    interface = models.ForeignKey(
        "gateways.Interface",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    incarnation = models.PositiveIntegerField()
    #: When the quarter of an hour began.
    quarter = models.DateTimeField()
    from_rx = models.PositiveBigIntegerField()
    to_rx = models.PositiveBigIntegerField()
    from_tx = models.PositiveBigIntegerField()
    to_tx = models.PositiveBigIntegerField()
    billed_up = models.PositiveBigIntegerField()
    billed_down = models.PositiveBigIntegerField()
    #: Bits of `quotas.metering`: why it began, and what could not be known.
    flags = models.PositiveSmallIntegerField(default=0)
    sampled_at = models.DateTimeField()
    #: Its bytes stand in a bucket too.
    rolled_up = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meter", "incarnation", "quarter", "tenant"], name="segment_once"
            ),
            models.CheckConstraint(
                condition=Q(to_rx__gte=F("from_rx"), to_tx__gte=F("from_tx")),
                name="segment_never_falls",
            ),
        ]
        indexes = [
            models.Index(
                fields=["quarter"], condition=Q(rolled_up=False), name="segment_to_roll_up"
            ),
            models.Index(
                fields=["tenant", "meter"], condition=Q(rolled_up=False), name="segment_to_add"
            ),
            models.Index(fields=["quarter"], condition=Q(rolled_up=True), name="segment_to_drop"),
        ]

    def __str__(self) -> str:
        return f"{self.meter_id} {self.quarter:%Y-%m-%d %H:%M}"


class UsageBucket(models.Model):
    """Bytes of a device in a span of time: a quarter of an hour, and when it is old, a day."""

    meter = models.ForeignKey(
        Meter, on_delete=models.CASCADE, related_name="buckets", db_index=False
    )
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, db_index=False)
    #: The number stays when the interface goes.
    interface = models.ForeignKey(
        "gateways.Interface",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    begins_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    raw_up = models.PositiveBigIntegerField(default=0)
    raw_down = models.PositiveBigIntegerField(default=0)
    billed_up = models.PositiveBigIntegerField(default=0)
    billed_down = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meter", "tenant", "begins_at", "seconds", "interface"],
                name="bucket_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "begins_at"], name="bucket_tenant_begins"),
            models.Index(fields=["seconds", "begins_at"], name="bucket_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.meter_id} {self.begins_at:%Y-%m-%d %H:%M}"


class Session(models.Model):
    """From a device's first handshake after a silence to its last before the next."""

    peer = models.ForeignKey("peers.Peer", on_delete=models.CASCADE, related_name="sessions")
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    endpoint = models.CharField(max_length=64, blank=True)
    #: The meter's raw bytes when it began, and what came in it when it ended.
    base_up = models.PositiveBigIntegerField(default=0)
    base_down = models.PositiveBigIntegerField(default=0)
    up = models.PositiveBigIntegerField(default=0)
    down = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["peer"], condition=Q(ended_at__isnull=True), name="session_open_once"
            )
        ]
        indexes = [
            models.Index(fields=["peer", "-began_at"], name="session_newest"),
            models.Index(fields=["began_at"], name="session_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.peer_id} {self.began_at:%Y-%m-%d %H:%M}"
