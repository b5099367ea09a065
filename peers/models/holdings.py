"""What devices hold: addresses and the networks behind them."""

from django.db import models
from django.db.models import Q

from peers.models.devices import Peer


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
