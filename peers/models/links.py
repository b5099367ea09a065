"""Secret URLs to a device's file."""

import uuid

from django.db import models

from peers.models.devices import Peer


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
