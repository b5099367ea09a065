"""Gateways and settings as JSON, and the shapes of their bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from gateways.api.serializers import JobRef
from gateways.models import Gateway, GlobalSetting
from gateways.services.effects import Preview
from gateways.values import LEAST_DAYS, MAX_PERCENT, MOST_DAYS
from rest.etag import etag
from rest.fields import PlainText, StrictInteger, StrictSerializer

_LATE_S = 60.0
_PERCENT = "Billed per 100 bytes that were counted from now on; 0 for a gateway that is free."


def texts(most: int, longest: int, **options: Any) -> serializers.ListField:
    """A list of texts that need not be sent."""
    return serializers.ListField(
        child=PlainText(max_length=longest), max_length=most, required=False, **options
    )


def moment(value: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


class PreviewSerializer(serializers.Serializer[Any]):
    """What an edit does. ``live`` fields are in force within moments and no session notices."""

    changes = serializers.ListField(child=serializers.CharField())
    live = serializers.ListField(child=serializers.CharField())
    next_bring_up = serializers.ListField(child=serializers.CharField())
    rebinds_socket = serializers.BooleanField()
    ends_sessions = serializers.BooleanField()
    outdates_files = serializers.BooleanField()
    devices = serializers.IntegerField()
    files_outdated = serializers.IntegerField()
    summary = serializers.CharField()


def preview_body(preview: Preview) -> dict[str, Any]:
    """The body of `PreviewSerializer`."""
    return dict(PreviewSerializer(preview).data)


class QueueSerializer(serializers.Serializer[Any]):
    """Whether a gateway's worker answers. ``age_seconds`` since it last did."""

    name = serializers.CharField()
    health = serializers.ChoiceField(choices=["alive", "silent", "unknown"])
    seen_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)


class GatewaySerializer(serializers.Serializer[Any]):
    """A host with WireGuard interfaces.

    ``unreachable_since``: when its worker was last heard of, if that is more than a minute ago.
    """

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    endpoint_address = serializers.CharField()
    relay_endpoint = serializers.CharField()
    location = serializers.CharField()
    country = serializers.CharField()
    netns = serializers.CharField()
    usage_percent = serializers.IntegerField(help_text=_PERCENT)
    found_address = serializers.CharField()
    host_id = serializers.CharField()
    alarm = serializers.CharField()
    queue = QueueSerializer()
    unreachable_since = serializers.DateTimeField(allow_null=True)
    interfaces = serializers.ListField(child=serializers.CharField())
    last_seen_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    config_generation = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class GatewayEdited(GatewaySerializer):
    """A gateway after an edit, and what that does."""

    preview = PreviewSerializer()


def gateway_body(gateway: Gateway, *, seen: datetime | None, at: datetime) -> dict[str, Any]:
    """A gateway (read with its interfaces) whose queue was last heard of at ``seen``."""
    age = None if seen is None else (at - seen).total_seconds()
    health = "unknown" if age is None else "alive" if age <= _LATE_S else "silent"
    return {
        "id": str(gateway.uuid),
        **{
            name: getattr(gateway, name)
            for name in ("slug", "name", "endpoint_address", "relay_endpoint", "location",
                         "country", "netns", "usage_percent", "found_address", "host_id", "alarm")
        },
        "queue": {
            "name": gateway.queue,
            "health": health,
            "seen_at": moment(seen),
            "age_seconds": age,
        },
        "unreachable_since": moment(seen) if health == "silent" else None,
        "interfaces": sorted(one.name for one in gateway.interfaces.all()),
        "last_seen_at": moment(gateway.last_seen_at),
        "version": gateway.version,
        "config_generation": gateway.config_generation,
        "created_at": moment(gateway.created_at),
    }  # fmt: skip


def gateway_tag(gateway: Gateway, body: Mapping[str, Any]) -> str:
    """The ETag of a gateway's body: when it was last heard of is another each time, its health
    is not.
    """
    moments = ("last_seen_at", "unreachable_since")
    shown = {name: value for name, value in body.items() if name not in moments}
    return etag(gateway, {**shown, "queue": body["queue"]["health"]})


class GatewayFields(StrictSerializer):
    """What may be set of a gateway."""

    name = PlainText(max_length=120, allow_blank=True, required=False)
    endpoint_address = PlainText(max_length=255, allow_blank=True, required=False)
    relay_endpoint = PlainText(max_length=255, allow_blank=True, required=False)
    location = PlainText(max_length=64, allow_blank=True, required=False)
    country = PlainText(max_length=2, allow_blank=True, required=False)
    netns = PlainText(max_length=64, allow_blank=True, required=False)
    usage_percent = StrictInteger(
        min_value=0, max_value=MAX_PERCENT, required=False, help_text=_PERCENT
    )


class GatewayCreate(GatewayFields):
    """A new gateway. Its worker eats the queue ``gateway.<slug>``."""

    slug = PlainText(max_length=32)


class GatewayPatch(GatewayFields):
    """A change; ``alarm`` may be set to "". What cannot be changed may be sent back as read."""

    moving = frozenset({"queue", "unreachable_since", "last_seen_at"})
    alarm = PlainText(max_length=1000, allow_blank=True, required=False)
    id = serializers.UUIDField(read_only=True)
    slug = serializers.CharField(read_only=True)
    found_address = serializers.CharField(read_only=True)
    host_id = serializers.CharField(read_only=True)
    queue = QueueSerializer(read_only=True)
    unreachable_since = serializers.DateTimeField(read_only=True)
    interfaces = serializers.ListField(child=serializers.CharField(), read_only=True)
    last_seen_at = serializers.DateTimeField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    config_generation = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance


class SettingsSerializer(serializers.Serializer[Any]):
    """Defaults that interfaces and devices inherit."""

    endpoint_address = serializers.CharField()
    relay_endpoint = serializers.CharField()
    dns_servers = serializers.ListField(child=serializers.CharField())
    mtu = serializers.IntegerField()
    persistent_keepalive = serializers.IntegerField()
    default_routes = serializers.ListField(child=serializers.CharField())
    firewall_mark = serializers.IntegerField(allow_null=True)
    table = serializers.CharField()
    config_file_path = serializers.CharField()
    timezone = serializers.CharField()
    language = serializers.CharField()
    address_hold_seconds = serializers.IntegerField()
    undelete_seconds = serializers.IntegerField()
    keep_ledger_days = serializers.IntegerField(help_text="Rows of the ledger, once summed up.")
    keep_quarters_days = serializers.IntegerField(
        help_text="Sums by quarters of an hour; then days."
    )
    keep_sessions_days = serializers.IntegerField(help_text="When devices were connected.")
    version = serializers.IntegerField()
    config_generation = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class SettingsEdited(SettingsSerializer):
    """The settings after an edit, what that does, and the job that brings it to interfaces."""

    preview = PreviewSerializer()
    job = JobRef(allow_null=True)


def settings_body(row: GlobalSetting) -> dict[str, Any]:
    """The body of `SettingsSerializer`."""
    return dict(SettingsSerializer(row).data)


class SettingsPatch(StrictSerializer):
    """A change of the settings."""

    endpoint_address = PlainText(max_length=255, allow_blank=True, required=False)
    relay_endpoint = PlainText(max_length=255, allow_blank=True, required=False)
    dns_servers = texts(8, 253)
    mtu = StrictInteger(min_value=576, max_value=65535, required=False)
    persistent_keepalive = StrictInteger(min_value=0, max_value=65535, required=False)
    default_routes = texts(100, 64)
    firewall_mark = StrictInteger(min_value=0, max_value=2**32 - 1, allow_null=True, required=False)
    table = PlainText(max_length=16, required=False)
    config_file_path = PlainText(max_length=255, allow_blank=True, required=False)
    timezone = PlainText(max_length=64, required=False)
    language = PlainText(max_length=8, required=False)
    address_hold_seconds = StrictInteger(min_value=0, max_value=366 * 86400, required=False)
    undelete_seconds = StrictInteger(min_value=0, max_value=366 * 86400, required=False)
    keep_ledger_days = StrictInteger(min_value=LEAST_DAYS, max_value=MOST_DAYS, required=False)
    keep_quarters_days = StrictInteger(min_value=LEAST_DAYS, max_value=MOST_DAYS, required=False)
    keep_sessions_days = StrictInteger(min_value=LEAST_DAYS, max_value=MOST_DAYS, required=False)
    version = serializers.IntegerField(read_only=True)
    config_generation = serializers.IntegerField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: GlobalSetting) -> dict[str, Any]:
        return settings_body(instance)
