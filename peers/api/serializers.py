"""Shapes of bodies. What the values may be is `peers.values`' business, and the services'."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from rest_framework import serializers

from gateways.api.serializers import JobRef
from peers.api.representation import client_body
from peers.api.term_serializers import NextPlan, OffSerializer, TermFields, TermsShown
from peers.filters import STATES, STATUSES
from peers.queries import DELETED, ClientView
from quotas.models import Hold
from rest.fields import (
    PlainText,
    StrictBoolean,
    StrictChoice,
    StrictInteger,
    StrictSerializer,
    StrictUUID,
)

CLIENT_STATES: Final = (*STATES, DELETED)
KEY_MODES: Final = ("portal", "customer")
KEY_MODE_HELP: Final = (
    "Who makes a key that is not given: the portal, which keeps it for the file, or the customer "
    "on his device, by a share link that allows it."
)


def _texts(most: int, longest: int, **options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=PlainText(max_length=longest), max_length=most, required=False, **options
    )


class LiveSerializer(serializers.Serializer[Any]):
    """What was last seen of a device; bytes as the client sees them, since it was added."""

    online = serializers.BooleanField()
    endpoint = serializers.CharField(allow_null=True)
    last_handshake_at = serializers.DateTimeField(
        allow_null=True, help_text="Also one that it made while it was off: it knocked in vain."
    )
    upload_bytes = serializers.IntegerField()
    download_bytes = serializers.IntegerField()
    observed_at = serializers.DateTimeField(allow_null=True)


class FileState(serializers.Serializer[Any]):
    """Whether the file that was handed out last has been overtaken by a change, and when it was."""

    outdated = serializers.BooleanField()
    delivered_at = serializers.DateTimeField(allow_null=True)


class DeviceSerializer(serializers.Serializer[Any]):
    """A device. ``status`` says how far its latest change has come, ``reason`` why not further."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    interface = serializers.CharField()
    gateway = serializers.CharField()
    public_key = serializers.CharField()
    private_key_known = serializers.BooleanField()
    awaits_key = serializers.BooleanField(
        help_text="The customer has still to make the key; until then there is no file."
    )
    preshared_key_set = serializers.BooleanField()
    addresses = serializers.ListField(child=serializers.CharField())
    networks = serializers.ListField(child=serializers.CharField())
    persistent_keepalive = serializers.IntegerField(allow_null=True)
    endpoint = serializers.CharField()
    dns_servers = serializers.ListField(child=serializers.CharField(), allow_null=True)
    mtu = serializers.IntegerField(allow_null=True)
    client_keepalive = serializers.IntegerField(allow_null=True)
    routes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    endpoint_override = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    reason = serializers.CharField()
    file = FileState()
    live = LiveSerializer()


class HoldSerializer(serializers.Serializer[Any]):
    """An open reason why the client may not connect."""

    reason = serializers.ChoiceField(choices=Hold.Reason.choices)
    note = serializers.CharField()
    opened_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="When it closes by itself.")


class UsageSerializer(serializers.Serializer[Any]):
    """How much of its period's bytes a client used, as they are billed."""

    used_bytes = serializers.IntegerField()
    left_bytes = serializers.IntegerField(allow_null=True, help_text="Null: there is no limit.")
    percent = serializers.IntegerField(allow_null=True)


class ClientSerializer(TermsShown):
    """A client with its devices."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=CLIENT_STATES)
    enabled = serializers.BooleanField(help_text="False while its seller has switched it off.")
    holds = HoldSerializer(many=True)
    off = OffSerializer(allow_null=True, help_text="Why it is off; null while it may connect.")
    tags = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()
    note = serializers.CharField()
    email = serializers.CharField()
    telegram_id = serializers.CharField()
    plan = serializers.UUIDField(allow_null=True)
    usage = UsageSerializer()
    first_connected_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    purge_at = serializers.DateTimeField(
        allow_null=True, help_text="Until then a deleted client can be restored."
    )
    devices = DeviceSerializer(many=True)


class ClientWithJob(ClientSerializer):
    """A client after a change, with the job that applies it."""

    job = JobRef()


class DeviceFields(StrictSerializer):
    """What may be set of a device."""

    preshared_key = PlainText(
        max_length=64,
        allow_null=True,
        required=False,
        help_text='44 characters of base64, null for none, or "generate".',
    )
    addresses = _texts(16, 64)
    networks = _texts(50, 64, allow_empty=True)
    persistent_keepalive = StrictInteger(
        min_value=0, max_value=65535, allow_null=True, required=False
    )
    endpoint = PlainText(max_length=64, allow_blank=True, required=False)
    dns_servers = _texts(8, 253, allow_null=True)
    mtu = StrictInteger(min_value=576, max_value=65535, allow_null=True, required=False)
    client_keepalive = StrictInteger(min_value=0, max_value=65535, allow_null=True, required=False)
    routes = _texts(100, 64, allow_null=True)
    endpoint_override = PlainText(max_length=255, allow_blank=True, required=False)


class ClientFields(DeviceFields, TermFields):
    """What may be set of a client and of its one device."""

    name = PlainText(max_length=120)
    external_id = PlainText(max_length=120, allow_null=True, required=False)
    email = PlainText(max_length=254, allow_blank=True, required=False)
    telegram_id = PlainText(max_length=64, allow_blank=True, required=False)
    note = PlainText(max_length=2000, allow_blank=True, required=False)
    tags = _texts(50, 64)
    metadata = serializers.DictField(required=False)
    enabled = StrictBoolean(required=False)
    plan = StrictUUID(
        allow_null=True,
        required=False,
        help_text="Fills in what is not said here: the limits, and for a new client the end.",
    )
    device_name = PlainText(max_length=120, allow_blank=True, required=False)


class ClientCreate(ClientFields):
    """A new client. Without ``public_key`` the portal makes the key pair."""

    interface = PlainText(max_length=36, allow_null=True, required=False)
    public_key = PlainText(max_length=64, allow_null=True, required=False)
    key_mode = StrictChoice(choices=KEY_MODES, required=False, help_text=KEY_MODE_HELP)


class ClientPatch(ClientFields):
    """A change. What cannot be changed may be sent back as it was read."""

    moving = frozenset({"usage"})
    id = serializers.UUIDField(read_only=True)
    state = serializers.CharField(read_only=True)
    holds = HoldSerializer(many=True, read_only=True)
    off = OffSerializer(read_only=True)
    next_plan = NextPlan(read_only=True)
    first_connected_at = serializers.DateTimeField(read_only=True)
    usage = UsageSerializer(read_only=True)
    version = serializers.IntegerField(read_only=True)
    created_by = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    deleted_at = serializers.DateTimeField(read_only=True)
    purge_at = serializers.DateTimeField(read_only=True)
    devices = DeviceSerializer(many=True, read_only=True)

    def to_representation(self, instance: ClientView) -> dict[str, Any]:
        return client_body(instance, at=timezone.now())


class Nothing(StrictSerializer):
    """An empty body, or {}."""


class AddPeer(StrictSerializer):
    """The founding call's body. Without ``allowed_ips`` a new peer gets addresses of the pools."""

    public_key = PlainText(max_length=64)
    allowed_ips = _texts(64, 64)
    preshared_key = PlainText(max_length=64, allow_null=True, required=False)
    persistent_keepalive = StrictInteger(
        min_value=0, max_value=65535, allow_null=True, required=False
    )
    endpoint = PlainText(max_length=64, allow_blank=True, allow_null=True, required=False)
    name = PlainText(max_length=120, required=False)
    interface = PlainText(max_length=36, allow_null=True, required=False)


class RemovePeer(StrictSerializer):
    """The founding call's body."""

    public_key = PlainText(max_length=64)
    interface = PlainText(max_length=36, allow_null=True, required=False)


class OnInterface(StrictSerializer):
    """Which interface; the default one if none is named."""

    interface = PlainText(max_length=36, allow_null=True, required=False)


class FoundingChange(serializers.Serializer[Any]):
    """The answer to a founding call that changes something; ``client`` is null for an apply."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    client = serializers.UUIDField(allow_null=True)
    job = JobRef()


class FoundingStatus(serializers.Serializer[Any]):
    """The interface as last seen, ``age_seconds`` ago."""

    success = serializers.BooleanField()
    interface = serializers.CharField()
    status = serializers.ChoiceField(
        choices=["active", "inactive", "foreign", "unreachable", "unknown"]
    )
    active = serializers.BooleanField()
    reason = serializers.CharField()
    peers = serializers.IntegerField()
    online = serializers.IntegerField()
    pending = serializers.IntegerField()
    drift = serializers.BooleanField()
    observed_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
