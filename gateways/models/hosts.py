"""Hosts, their interfaces, and the addresses these give out."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

#: IFNAMSIZ is 16 with the final NUL; "/" and blanks are refused by the kernel (dev_valid_name).
interface_name_validator = RegexValidator(
    r"^[a-zA-Z0-9_=+.-]{1,15}$", "Use 1 to 15 letters, digits and _=+.-"
)
slug_validator = RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", "Use a-z, 0-9, dashes.")


class Gateway(models.Model):
    """A host with WireGuard interfaces; its worker eats the queue ``gateway.<slug>``."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.CharField(max_length=32, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=120, blank=True)
    endpoint_address = models.CharField(max_length=255, blank=True)
    relay_endpoint = models.CharField(max_length=255, blank=True)
    #: Where it stands, as sellers show it: "Frankfurt" and its ISO 3166 country, "DE".
    location = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    #: +1 whenever client files made from this gateway become outdated.
    config_generation = models.PositiveIntegerField(default=1)
    version = models.PositiveBigIntegerField(default=1)
    #: The host's own address on its default route; what clients dial when nobody says otherwise.
    found_address = models.CharField(max_length=45, blank=True, editable=False)
    netns = models.CharField(max_length=64, blank=True)
    #: Billed per 100 bytes that its interfaces counted; 0 for a gateway that is free.
    usage_percent = models.PositiveIntegerField(default=100)
    #: Machine id of the host whose worker serves this gateway; a second one raises an alarm.
    host_id = models.CharField(max_length=64, blank=True)
    alarm = models.TextField(blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug

    @property
    def queue(self) -> str:
        """The Celery queue that this gateway's worker eats."""
        return f"gateway.{self.slug}"


class Interface(models.Model):
    """A WireGuard interface: what it should be, and what its worker last saw of it."""

    class RestartPolicy(models.TextChoices):
        AUTO = "auto", "only when it already carries no traffic"
        ALWAYS = "always", "whenever runtime methods fail"
        NEVER = "never", "wait for the operator"

    class Backend(models.TextChoices):
        AUTO = "auto", "kernel where there is one, else wireguard-go"
        KERNEL = "kernel"
        USERSPACE = "userspace"

    class State(models.TextChoices):
        UNKNOWN = "unknown", "not seen yet"
        UP = "up"
        DOWN = "down"
        FOREIGN = "foreign", "exists, but vwg did not bring it up"
        UNREACHABLE = "unreachable", "does not answer"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="interfaces")
    name = models.CharField(max_length=15, validators=[interface_name_validator])
    is_default = models.BooleanField(default=False)
    private_key = models.TextField(editable=False)  # sealed, gateway ring
    public_key = models.CharField(max_length=44, unique=True)
    listen_port = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    addresses = models.JSONField(default=list)
    mtu = models.PositiveIntegerField(null=True, blank=True)
    firewall_mark = models.PositiveBigIntegerField(null=True, blank=True)
    table = models.CharField(max_length=16, blank=True)
    dns_servers = models.JSONField(default=list, blank=True)
    endpoint_address = models.CharField(max_length=255, blank=True)
    relay_endpoint = models.CharField(max_length=255, blank=True)
    #: What sellers call it: "Gaming, low latency".
    label = models.CharField(max_length=64, blank=True)
    #: Of the sandbox: it has no worker, and what is asked of it is settled at once.
    simulated = models.BooleanField(default=False)
    pre_up = models.JSONField(default=list, blank=True)
    post_up = models.JSONField(default=list, blank=True)
    pre_down = models.JSONField(default=list, blank=True)
    post_down = models.JSONField(default=list, blank=True)
    forward = models.BooleanField(default=True)
    nat = models.BooleanField(default=True)
    #: Adopted from wg-quick: brought up and down by the unit `wg-quick@NAME`.
    wg_quick = models.BooleanField(default=False)
    backend = models.CharField(max_length=16, choices=Backend.choices, default=Backend.AUTO)
    restart_policy = models.CharField(
        max_length=8, choices=RestartPolicy.choices, default=RestartPolicy.AUTO
    )
    enabled = models.BooleanField(default=True)
    #: +1 whenever client files made from this interface become outdated.
    config_generation = models.PositiveIntegerField(default=1)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    # -- applied: written by the gateway's worker alone --------------------------------------
    #: +1 with every apply; an observation ignores peers applied after its dump.
    apply_seq = models.PositiveBigIntegerField(default=0)
    #: The link's alias stamp as this worker set it; names the epoch of its counters.
    stamp = models.CharField(max_length=36, blank=True)
    #: The boot file on disk is older than the rows since then.
    boot_dirty_since = models.DateTimeField(null=True, blank=True)

    # -- observed ---------------------------------------------------------------------------
    state = models.CharField(max_length=16, choices=State.choices, default=State.UNKNOWN)
    state_reason = models.TextField(blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)
    #: Dumps taken so far, and the newest of them whose books are kept.
    observed_seq = models.PositiveBigIntegerField(default=0)
    observed_done_seq = models.PositiveBigIntegerField(default=0)
    observed_backend = models.CharField(max_length=16, blank=True)
    observed_peers = models.PositiveIntegerField(default=0)
    boot_id = models.CharField(max_length=64, blank=True)
    drift = models.JSONField(default=dict, blank=True)
    #: Public keys that run without a row or a recorded cause; nothing is done to them.
    guard_keys = models.JSONField(default=list, blank=True)
    guard_since = models.DateTimeField(null=True, blank=True)
    #: What the kernel holds of quotas and speeds: how much, since when, or why not.
    cutoff = models.JSONField(default=dict, blank=True)
    shaping = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "name"], name="interface_name_once"),
            models.UniqueConstraint(
                fields=["gateway", "listen_port"], name="interface_port_once_per_gateway"
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="interface_one_default"
            ),
            models.CheckConstraint(
                condition=Q(listen_port__gte=1, listen_port__lte=65535),
                name="interface_port_range",
            ),
            models.CheckConstraint(
                condition=~Q(simulated=True, is_default=True) & ~Q(simulated=True, enabled=True),
                name="interface_simulated_is_off",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway.slug} {self.name}"


class AddressPool(models.Model):
    """A range of a gateway's addresses that peers are given from, lowest first.

    ``next_offset`` is the first offset from ``first`` that was never given out: allocation looks
    at the released addresses, then here, and so costs the same in an empty and in a full pool.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="pools")
    interface = models.ForeignKey(Interface, on_delete=models.PROTECT, related_name="pools")
    name = models.CharField(max_length=64)
    network = models.CharField(max_length=43)  # canonical CIDR
    family = models.PositiveSmallIntegerField(choices=[(4, "IPv4"), (6, "IPv6")])
    first = models.CharField(max_length=39)  # first and last address that may be given
    last = models.CharField(max_length=39)
    size = models.PositiveBigIntegerField()
    next_offset = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "network"], name="pool_network_once"),
            models.UniqueConstraint(fields=["interface", "name"], name="pool_name_once"),
            models.CheckConstraint(condition=Q(family__in=[4, 6]), name="pool_family_known"),
            models.CheckConstraint(
                condition=Q(next_offset__lte=F("size")), name="pool_offset_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.network}"
