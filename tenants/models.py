"""Who: users, tenants (resellers), memberships and API tokens."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

DEFAULT_TENANT = "default"

slug_validator = RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$", "Use a-z, 0-9 and dashes.")


def default_percents() -> list[int]:
    """Percent of a quota at which people are told."""
    return [80, 95]


def default_days() -> list[int]:
    """Days before an end at which people are told."""
    return [3, 1]


class User(AbstractUser):
    """A person. Operators see everything; others see the tenants they are members of."""

    class Operator(models.TextChoices):
        NONE = "", "not an operator"
        READ_ONLY = "read-only", "may look"
        FULL = "full", "may do everything"

    class Theme(models.TextChoices):
        """Empty: never chosen; the browser's cookie says."""

        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    class Digits(models.TextChoices):
        """Empty: those of the language. Likewise the calendar."""

        LATIN = "latin"
        PERSIAN = "persian"

    class Calendar(models.TextChoices):
        GREGORIAN = "gregorian"
        JALALI = "jalali"

    class ByteUnits(models.TextChoices):
        DECIMAL = "decimal"
        BINARY = "binary"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    operator = models.CharField(
        max_length=16, choices=Operator.choices, default=Operator.NONE, blank=True
    )
    tenants = models.ManyToManyField("tenants.Tenant", through="tenants.Membership")
    #: The password was given by somebody else: nothing opens before it is changed.
    must_change_password = models.BooleanField(default=False)

    # -- how the pages read for this person -------------------------------------------------
    language = models.CharField(max_length=8, blank=True, default="")  # "": as the browser says
    theme = models.CharField(max_length=8, choices=Theme.choices, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")  # "": the tenant's
    digits = models.CharField(max_length=8, choices=Digits.choices, blank=True, default="")
    calendar = models.CharField(max_length=10, choices=Calendar.choices, blank=True, default="")
    byte_units = models.CharField(
        max_length=8, choices=ByteUnits.choices, default=ByteUnits.DECIMAL
    )
    single_keys = models.BooleanField(default=True)

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
    """A reseller: owns clients, plans and tokens.

    A null limit is no limit. A sandbox is the twin of a tenant for its integrators: its clients
    live on simulated interfaces alone, and reach no real one.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    class PoolCounts(models.TextChoices):
        USED = "used", "what clients used"
        SOLD = "sold", "what was sold to clients"

    class PoolReset(models.TextChoices):
        NONE = "none"
        DAY = "day"
        WEEK = "week"
        MONTH = "month"
        YEAR = "year"

    class PoolStops(models.TextChoices):
        ALL = "all", "all clients stop"
        NEW = "new", "no new client is made"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(max_length=48, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=255, blank=True)
    status_since = models.DateTimeField(null=True, blank=True)
    sandbox_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="sandbox"
    )
    #: +1 with every change of what the API shows of it; the ETag.
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # -- limits -----------------------------------------------------------------------------
    max_clients = models.PositiveIntegerField(null=True, blank=True)
    max_devices_per_client = models.PositiveIntegerField(null=True, blank=True)
    max_bytes_per_period = models.PositiveBigIntegerField(null=True, blank=True)
    #: What counts against these bytes: what its clients used, or what was sold to them.
    pool_counts = models.CharField(
        max_length=4, choices=PoolCounts.choices, default=PoolCounts.USED
    )
    pool_reset = models.CharField(max_length=8, choices=PoolReset.choices, default=PoolReset.MONTH)
    #: Who stops when they are used up.
    pool_stops = models.CharField(max_length=4, choices=PoolStops.choices, default=PoolStops.ALL)
    #: When its people are told: percent of a quota or of the pool, and days before an end.
    warn_percents = models.JSONField(default=default_percents, blank=True)
    warn_days = models.JSONField(default=default_days, blank=True)
    max_speed_kbit = models.PositiveBigIntegerField(null=True, blank=True)
    #: Only with these set do the lists count: an empty list then allows nothing.
    limits_interfaces = models.BooleanField(default=False)
    interfaces = models.ManyToManyField("gateways.Interface", blank=True, related_name="+")
    limits_pools = models.BooleanField(default=False)
    pools = models.ManyToManyField("gateways.AddressPool", blank=True, related_name="+")
    #: Requests a minute of all its tokens together; null takes the setting's default.
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)

    # -- contact, branding, place -----------------------------------------------------------
    contact_name = models.CharField(max_length=120, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=32, blank=True)
    brand_name = models.CharField(max_length=60, blank=True)
    #: A PNG or JPEG of at most 64 KiB, checked when it is stored.
    brand_logo = models.BinaryField(null=True, blank=True)
    brand_logo_type = models.CharField(max_length=16, blank=True)
    brand_color = models.CharField(max_length=7, blank=True)  # #rrggbb
    brand_color_dark = models.CharField(max_length=7, blank=True)
    support_url = models.CharField(max_length=255, blank=True)
    config_prefix = models.CharField(max_length=8, blank=True)  # of a file's name
    timezone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="en")
    #: Whether customers see their clients by a login of their own (`peers.customers`).
    customers_sign_in = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "closed"]),
                name="tenant_status_known",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_sandbox(self) -> bool:
        """Whether its clients never reach a real interface."""
        return self.sandbox_of_id is not None


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
    #: Requests a minute; null takes the setting's default.
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)

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
