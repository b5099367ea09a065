"""What is sold: clients and their devices (peers), their keys, addresses and networks."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class Client(models.Model):
    """What a reseller sells: a name and one or more devices.

    After ``deleted_at`` it can be brought back until ``purge_at``; then its secrets, addresses and
    rows go.
    """

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
    #: What was sold: bytes, and until when; ``duration_days`` count from the first handshake.
    quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    duration_days = models.PositiveIntegerField(null=True, blank=True)
    first_connected_at = models.DateTimeField(null=True, blank=True)
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
        ]

    def __str__(self) -> str:
        return self.name


class Peer(models.Model):
    """One device on one interface: what is wanted, what was applied, what was last seen.

    ``generation`` rises whenever WireGuard must learn of a change. ``blocked`` repeats whether the
    client has an open hold; both change in one transaction (peers.entitlement).
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="peers")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="peers")
    interface = models.ForeignKey(
        "gateways.Interface", on_delete=models.PROTECT, related_name="peers"
    )
    name = models.CharField(max_length=120, blank=True)

    # -- desired ----------------------------------------------------------------------------
    public_key = models.CharField(max_length=44)
    preshared_key = models.TextField(blank=True, editable=False)  # sealed, gateway ring
    persistent_keepalive = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(65535)]
    )
    endpoint = models.CharField(max_length=64, blank=True)
    blocked = models.BooleanField(default=False)
    generation = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # -- the customer's file ----------------------------------------------------------------
    use_server_dns = models.BooleanField(default=True)
    dns_servers = models.JSONField(default=list, blank=True)
    mtu = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(576), MaxValueValidator(65535)]
    )
    client_keepalive = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(65535)]
    )
    routes = models.JSONField(default=list, blank=True)
    endpoint_override = models.CharField(max_length=255, blank=True)
    #: The customer makes the key: until it is sent, nobody has the private half of this one.
    awaits_key = models.BooleanField(default=False)
    #: +1 whenever the device's file changes for a reason of its own.
    file_generation = models.PositiveBigIntegerField(default=1)
    #: The sum of all generations (own, interface, gateway, settings) in the file last handed out.
    delivered_generation = models.PositiveBigIntegerField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    # -- applied: what was last sent; written by the gateway's worker alone -------------------
    applied_generation = models.PositiveBigIntegerField(default=0)
    applied_seq = models.PositiveBigIntegerField(default=0)
    applied_at = models.DateTimeField(null=True, blank=True)
    #: "" = not on the interface; else the key that is.
    applied_key = models.CharField(max_length=44, blank=True)
    applied_allowed_ips = models.TextField(blank=True)  # comma-separated, canonical order
    applied_psk = models.CharField(max_length=32, blank=True)  # digest
    applied_keepalive = models.PositiveIntegerField(null=True, blank=True)
    applied_endpoint = models.CharField(max_length=64, blank=True)
    #: A send was cut short: what the interface holds is not known, everything is sent again.
    applied_unknown = models.BooleanField(default=False)
    #: Why this row is left out of every apply; empty when it is not.
    quarantine_reason = models.TextField(blank=True)

    # -- observed: what the last dump showed --------------------------------------------------
    verified_generation = models.PositiveBigIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    observed_present = models.BooleanField(default=False)
    observed_endpoint = models.CharField(max_length=64, blank=True)
    last_handshake_at = models.DateTimeField(null=True, blank=True)
    #: The interface's counters as last read (bytes; rx = the client's upload).
    rx_bytes = models.PositiveBigIntegerField(default=0)
    tx_bytes = models.PositiveBigIntegerField(default=0)
    #: What it counted before it last began at 0: with another key, elsewhere, before a restart.
    carried_rx_bytes = models.PositiveBigIntegerField(default=0)
    carried_tx_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interface", "public_key"],
                condition=Q(deleted_at__isnull=True),
                name="peer_key_once_per_interface",
            ),
            # 43 characters and "=": the last one of a canonical 32-byte key carries 4 bits.
            models.CheckConstraint(
                condition=Q(public_key__regex=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"),
                name="peer_key_canonical",
            ),
            models.CheckConstraint(
                condition=Q(persistent_keepalive__isnull=True)
                | Q(persistent_keepalive__gte=1, persistent_keepalive__lte=65535),
                name="peer_keepalive_range",
            ),
            models.CheckConstraint(
                condition=Q(mtu__isnull=True) | Q(mtu__gte=576, mtu__lte=65535),
                name="peer_mtu_range",
            ),
        ]
        indexes = [
            models.Index(fields=["interface", "applied_key"], name="peer_applied_key"),
            models.Index(
                fields=["interface"], condition=Q(deleted_at__isnull=False), name="peer_tombstone"
            ),
            models.Index(fields=["public_key"], name="peer_public_key"),
        ]

    def __str__(self) -> str:
        return self.name or self.public_key[:8]

    @property
    def upload_bytes(self) -> int:
        """What its customer sent since it was added."""
        return self.carried_rx_bytes + self.rx_bytes

    @property
    def download_bytes(self) -> int:
        """What its customer got since it was added."""
        return self.carried_tx_bytes + self.tx_bytes


class PeerKey(models.Model):
    """A device's private key, where the portal made it. A ring of its own opens it."""

    peer = models.OneToOneField(Peer, on_delete=models.CASCADE, related_name="key")
    private_key = models.TextField(editable=False)  # sealed, client ring
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"private key of {self.peer_id}"


class PeerAddress(models.Model):
    """An address of a gateway, held by one peer, or held back for a while after its release."""

    gateway = models.ForeignKey("gateways.Gateway", on_delete=models.PROTECT)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT)
    pool = models.ForeignKey("gateways.AddressPool", on_delete=models.PROTECT)
    address = models.CharField(max_length=39)  # canonical text
    family = models.PositiveSmallIntegerField()
    peer = models.ForeignKey(
        Peer, on_delete=models.SET_NULL, null=True, blank=True, related_name="addresses"
    )
    #: Null while held; then from when on others may have it.
    free_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "address"], name="address_once_per_gateway"),
            models.CheckConstraint(condition=Q(family__in=[4, 6]), name="address_family_known"),
        ]
        indexes = [
            models.Index(
                fields=["pool", "free_at"],
                condition=Q(peer__isnull=True),
                name="address_released",
            )
        ]

    def __str__(self) -> str:
        return self.address


class PeerNetwork(models.Model):
    """A network behind a device (site-to-site), as 16-byte bounds so that SQL finds overlaps."""

    gateway = models.ForeignKey("gateways.Gateway", on_delete=models.PROTECT)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT)
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="networks")
    network = models.CharField(max_length=43)
    start = models.BinaryField(max_length=16)
    end = models.BinaryField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "network"], name="network_once_per_gateway")
        ]
        indexes = [models.Index(fields=["gateway", "start"], name="network_start")]

    def __str__(self) -> str:
        return self.network


class ShareLink(models.Model):
    """A secret URL that shows a device's file to whoever has it. Only its digest is stored."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="share_links")
    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120, blank=True)
    single_use = models.BooleanField(default=False)
    #: The page may set the device's public key, while it awaits one.
    allows_key = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["peer", "-id"], name="share_link_newest")]

    def __str__(self) -> str:
        return f"share link of {self.peer_id}"


class BulkRun(models.Model):
    """One bulk request: what to do to many clients, and how far it has come."""

    class Action(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        ENABLE = "enable"
        DISABLE = "disable"
        DELETE = "delete"
        EXTEND = "extend"

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
