"""What was done, by whom, to what: append-only events, written with the change they describe."""

import uuid

from django.db import models


class AuditEvent(models.Model):
    """One act. ``tenant`` is null for acts on what belongs to no tenant.

    The database refuses every change and every deletion, but for an `Erasure`.
    """

    class Actor(models.TextChoices):
        USER = "user"
        TOKEN = "token"  # noqa: S105  a kind of actor
        SYSTEM = "system"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, null=True)
    actor_kind = models.CharField(max_length=8, choices=Actor.choices)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=32)
    target_id = models.CharField(max_length=64)
    target_name = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    #: An operator acted for the tenant.
    by_operator = models.BooleanField(default=False)
    #: "ok": an event is written with its change, and what is refused leaves neither.
    result = models.CharField(max_length=64, default="ok")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-id"], name="audit_tenant_newest"),
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_target_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_name or self.target_id}"


class Erasure(models.Model):
    """The events of this tenant may be deleted: it was closed, and its erasure decided on.

    It names a tenant that may be gone, so it is no foreign key.
    """

    tenant_id = models.BigIntegerField(primary_key=True)
    tenant_name = models.CharField(max_length=150)
    allowed_by = models.CharField(max_length=150)
    allowed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.tenant_name
