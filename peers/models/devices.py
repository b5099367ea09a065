"""A client's devices (peers) and their private keys."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from peers.models.clients import Client


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
        """What its customer sent since it was added: one look at its meter, where it has one."""
        meter = getattr(self, "meter", None)
        return 0 if meter is None else meter.raw_up

    @property
    def download_bytes(self) -> int:
        """What its customer got since it was added."""
        meter = getattr(self, "meter", None)
        return 0 if meter is None else meter.raw_down


class PeerKey(models.Model):
    """A device's private key, where the portal made it. A ring of its own opens it."""

    peer = models.OneToOneField(Peer, on_delete=models.CASCADE, related_name="key")
    private_key = models.TextField(editable=False)  # sealed, client ring
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"private key of {self.peer_id}"
