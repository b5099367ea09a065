"""Machines that a gateway can wake."""

import uuid

from django.db import models

from gateways.models.hosts import Gateway
from gateways.models.jobs import Job


class WakeHost(models.Model):
    """A machine beside a gateway, which a magic packet from there wakes (Wake-on-LAN)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gateway = models.ForeignKey(Gateway, on_delete=models.CASCADE, related_name="wake_hosts")
    name = models.CharField(max_length=120)
    mac = models.CharField(max_length=17)  # aa:bb:cc:dd:ee:ff
    #: The link of the gateway that the packet leaves by; "" for where its routes lead.
    link = models.CharField(max_length=15, blank=True)
    broadcast = models.CharField(max_length=15, default="255.255.255.255")
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    #: The last time that somebody wanted it awake.
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "mac"], name="wake_host_once_per_gateway")
        ]

    def __str__(self) -> str:
        return self.name
