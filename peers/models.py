"""What is sold: clients and their devices (peers), their keys, addresses and networks."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class Client(models.Model):
    """What a reseller sells: a name and one or more devices."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="clients")
    name = models.CharField(max_length=120)
    external_id = models.CharField(max_length=120, null=True, blank=True)
    email = models.EmailField(blank=True)
    telegram_id = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    tags = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    #: +1 with every change of the configuration; the ETag.
    version = models.PositiveBigIntegerField(default=1)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

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
