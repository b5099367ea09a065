"""Who: users, tenants (resellers), memberships and API tokens."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

DEFAULT_TENANT = "default"

slug_validator = RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$", "Use a-z, 0-9 and dashes.")


class User(AbstractUser):
    """A person. Operators see everything; others see the tenants they are members of."""

    class Operator(models.TextChoices):
        NONE = "", "not an operator"
        READ_ONLY = "read-only", "may look"
        FULL = "full", "may do everything"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    operator = models.CharField(
        max_length=16, choices=Operator.choices, default=Operator.NONE, blank=True
    )
    tenants = models.ManyToManyField("tenants.Tenant", through="tenants.Membership")

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(operator__in=["", "read-only", "full"]), name="user_operator_known"
            )
        ]

    @property
    def is_operator(self) -> bool:
        """Whether the person may look at every tenant."""
        return self.is_active and self.operator != User.Operator.NONE


class Tenant(models.Model):
    """A reseller: owns clients, tokens and, later, plans and webhooks."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(max_length=48, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "closed"]),
                name="tenant_status_known",
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """A user's role in one tenant."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MANAGER = "manager"
        VIEWER = "viewer"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "manager", "viewer"]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} as {self.role}"


class ApiToken(models.Model):
    """A bearer token of a tenant. Only its prefix and the digest of the whole are stored."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    operator = models.BooleanField(default=False)
    allowed_cidrs = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                condition=Q(revoked_at__isnull=True),
                name="token_name_once_per_tenant",
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant}/{self.name}"
