"""Shapes of devices that stand by themselves: /api/v1/peers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from gateways.api.serializers import JobRef
from peers.api.representation import peer_body
from peers.api.serializers import (
    KEY_MODE_HELP,
    KEY_MODES,
    DeviceFields,
    DeviceSerializer,
    FileState,
    LiveSerializer,
)
from peers.models import Client
from peers.queries import Device
from rest.fields import PlainText, StrictChoice


class PeerSerializer(DeviceSerializer):
    """A device and whose it is. ``version`` is its client's: one ETag for both."""

    client = serializers.UUIDField()
    client_external_id = serializers.CharField(allow_null=True)
    version = serializers.IntegerField()


class PeerWithJob(PeerSerializer):
    """A device after a change, with the job that applies it."""

    job = JobRef()


class DeviceCreate(DeviceFields):
    """One more device. Without ``public_key`` the portal makes the key pair."""

    name = PlainText(max_length=120, allow_blank=True, required=False)
    interface = PlainText(max_length=36, allow_null=True, required=False)
    public_key = PlainText(max_length=64, allow_null=True, required=False)
    key_mode = StrictChoice(choices=KEY_MODES, required=False, help_text=KEY_MODE_HELP)


class DevicePatch(DeviceFields):
    """A change. What cannot be changed may be sent back as it was read."""

    name = PlainText(max_length=120, allow_blank=True, required=False)
    id = serializers.UUIDField(read_only=True)
    interface = serializers.CharField(read_only=True)
    gateway = serializers.CharField(read_only=True)
    public_key = serializers.CharField(read_only=True, help_text="Another one: rotate-keys.")
    private_key_known = serializers.BooleanField(read_only=True)
    awaits_key = serializers.BooleanField(read_only=True)
    preshared_key_set = serializers.BooleanField(read_only=True)
    status = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    file = FileState(read_only=True)
    live = LiveSerializer(read_only=True)
    client = serializers.UUIDField(read_only=True)
    client_external_id = serializers.CharField(read_only=True)
    version = serializers.IntegerField(read_only=True)

    def to_representation(self, instance: tuple[Device, Client]) -> dict[str, Any]:
        device, client = instance
        return peer_body(device, client, at=timezone.now())
