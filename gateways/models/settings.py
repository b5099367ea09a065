"""Defaults that interfaces and clients inherit."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


class GlobalSetting(models.Model):
    """Defaults that interfaces and clients inherit. There is exactly one row."""

    endpoint_address = models.CharField(max_length=255, blank=True)
    relay_endpoint = models.CharField(max_length=255, blank=True)
    dns_servers = models.JSONField(default=list, blank=True)
    mtu = models.PositiveIntegerField(
        default=1420, validators=[MinValueValidator(576), MaxValueValidator(65535)]
    )
    persistent_keepalive = models.PositiveIntegerField(
        default=25, validators=[MaxValueValidator(65535)]
    )
    firewall_mark = models.PositiveBigIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(2**32 - 1)]
    )
    table = models.CharField(max_length=16, default="auto")
    config_file_path = models.CharField(max_length=255, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="en")
    address_hold_seconds = models.PositiveIntegerField(default=24 * 3600)
    #: How long a deleted client can be brought back with its keys and addresses.
    undelete_seconds = models.PositiveIntegerField(default=24 * 3600)
    #: How long the ledger, buckets of a quarter of an hour, and sessions are kept (days).
    keep_ledger_days = models.PositiveIntegerField(default=35)
    keep_quarters_days = models.PositiveIntegerField(default=62)
    keep_sessions_days = models.PositiveIntegerField(default=90)
    #: +1 whenever client files made from these settings become outdated.
    config_generation = models.PositiveIntegerField(default=1)
    version = models.PositiveBigIntegerField(default=1)
    default_routes = models.JSONField(default=list, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="global_setting_single_row"),
            models.CheckConstraint(
                condition=Q(mtu__gte=576, mtu__lte=65535), name="global_setting_mtu_range"
            ),
            models.CheckConstraint(
                condition=Q(persistent_keepalive__lte=65535),
                name="global_setting_keepalive_range",
            ),
        ]

    def __str__(self) -> str:
        return "Global settings"
