"""Customers who sign in to see their own clients."""

import uuid

from django.conf import settings
from django.db import models

from peers.models.clients import Client


class CustomerAccess(models.Model):
    """A person who may look at a client as its customer. That makes nobody a member."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="logins")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logins"
    )
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "user"], name="customer_access_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} as customer of {self.client_id}"
