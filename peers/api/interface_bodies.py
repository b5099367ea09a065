"""Interfaces as JSON, and the shapes of their bodies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from gateways.api.infrastructure import PreviewSerializer, texts
from gateways.api.serializers import JobRef
from gateways.models import Interface
from peers.api.representation import moment
from rest.etag import etag
from rest.fields import PlainText, StrictBoolean, StrictChoice, StrictInteger, StrictSerializer

#: What only operators are shown of an interface, as its row has it.
_OPERATORS: Final = (
    "listen_port", "addresses", "endpoint_address", "relay_endpoint", "dns_servers",
    "mtu", "firewall_mark", "table", "pre_up", "post_up", "pre_down", "post_down", "nat",
    "forward", "backend", "restart_policy", "enabled", "simulated", "wg_quick",
    "config_generation",
)  # fmt: skip


class ObservedSerializer(serializers.Serializer[Any]):
    """What the gateway's worker last saw of an interface."""

    state = serializers.CharField()
    reason = serializers.CharField()
    backend = serializers.CharField()
    peers = serializers.IntegerField()
    #: Numbers by kind; empty when the interface matches its records.
    drift = serializers.DictField(child=serializers.IntegerField())
    unrecorded_peers = serializers.IntegerField()
    observed_at = serializers.DateTimeField(allow_null=True)


class CutOffSerializer(serializers.Serializer[Any]):
    """Whether the gateway's kernel stops clients at the byte of their limit (docs/cutoff.md)."""

    state = serializers.ChoiceField(
        choices=["unknown", "ready", "armed", "off"],
        help_text="Armed: somebody is near a limit. Off: the interface is read more often instead.",
    )
    clients = serializers.IntegerField(help_text="That are near a limit.")
    reason = serializers.CharField(help_text="Why it is off.")
    since = serializers.DateTimeField(allow_null=True)


class SpeedsSerializer(serializers.Serializer[Any]):
    """How the speeds of clients are kept on an interface (docs/speed.md)."""

    state = serializers.ChoiceField(
        choices=["idle", "queues", "limits", "off"],
        help_text="Idle: nobody has one. Limits: packets beyond are dropped. Off: none is kept.",
    )
    devices = serializers.IntegerField(help_text="Whose speed is set.")
    reason = serializers.CharField(help_text="Why not by queues, or not at all.")
    since = serializers.DateTimeField(allow_null=True)


class InterfaceSerializer(serializers.Serializer[Any]):
    """An interface. Sellers are shown what they sell on; the rest is for operators."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # Field has one of its own
    gateway = serializers.CharField()
    location = serializers.CharField()
    country = serializers.CharField()
    ipv6 = serializers.BooleanField()
    is_default = serializers.BooleanField()
    up = serializers.BooleanField(help_text="As last seen, at `observed_at`.")
    addresses_left = serializers.BooleanField(
        help_text="Whether the pools that the tenant may use have an address for one more device."
    )
    public_key = serializers.CharField()
    observed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    listen_port = serializers.IntegerField(required=False)
    addresses = serializers.ListField(child=serializers.CharField(), required=False)
    endpoint_address = serializers.CharField(required=False)
    relay_endpoint = serializers.CharField(required=False)
    dns_servers = serializers.ListField(child=serializers.CharField(), required=False)
    mtu = serializers.IntegerField(allow_null=True, required=False)
    firewall_mark = serializers.IntegerField(allow_null=True, required=False)
    table = serializers.CharField(required=False)
    pre_up = serializers.ListField(child=serializers.CharField(), required=False)
    post_up = serializers.ListField(child=serializers.CharField(), required=False)
    pre_down = serializers.ListField(child=serializers.CharField(), required=False)
    post_down = serializers.ListField(child=serializers.CharField(), required=False)
    nat = serializers.BooleanField(required=False)
    forward = serializers.BooleanField(required=False)
    backend = serializers.ChoiceField(choices=Interface.Backend.choices, required=False)
    restart_policy = serializers.ChoiceField(
        choices=Interface.RestartPolicy.choices, required=False
    )
    enabled = serializers.BooleanField(required=False)
    simulated = serializers.BooleanField(required=False)
    wg_quick = serializers.BooleanField(required=False)
    config_generation = serializers.IntegerField(required=False)
    observed = ObservedSerializer(required=False)
    cutoff = CutOffSerializer(required=False)
    speeds = SpeedsSerializer(required=False)
    created_at = serializers.DateTimeField(required=False)


class InterfaceEdited(InterfaceSerializer):
    """An interface after an edit, what that does, and the job that does it."""

    preview = PreviewSerializer()
    job = JobRef(allow_null=True)


class InterfaceWithJob(InterfaceSerializer):
    """A new interface, and the job that brings it up (null for one that is off)."""

    job = JobRef(allow_null=True)


def interface_body(
    interface: Interface, *, operator: bool, rooms: Collection[int]
) -> dict[str, Any]:
    """An interface (read with its gateway) as sellers or as operators are shown it.

    ``rooms``: the interfaces that have an address left (`peers.sellable.with_room`).
    """
    body: dict[str, Any] = {
        "id": str(interface.uuid),
        "name": interface.name,
        "label": interface.label,
        "gateway": interface.gateway.slug,
        "location": interface.gateway.location,
        "country": interface.gateway.country,
        "ipv6": any(":" in text for text in interface.addresses),
        "is_default": interface.is_default,
        "up": interface.simulated or interface.state == Interface.State.UP,
        "addresses_left": interface.pk in rooms,
        "public_key": interface.public_key,
        "observed_at": moment(interface.observed_at),
        "version": interface.version,
    }
    if not operator:
        return body
    return {
        **body,
        **{name: getattr(interface, name) for name in _OPERATORS},
        "observed": {
            "state": interface.state,
            "reason": interface.state_reason,
            "backend": interface.observed_backend,
            "peers": interface.observed_peers,
            "drift": interface.drift,
            "unrecorded_peers": len(interface.guard_keys),
            "observed_at": moment(interface.observed_at),
        },
        "cutoff": _cutoff_body(interface.cutoff),
        "speeds": _speeds_body(interface.shaping),
        "created_at": moment(interface.created_at),
    }


def _cutoff_body(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker last wrote down of the cut-off (`control.cutoff`)."""
    clients, reason = told.get("armed", 0), told.get("why_not", "")
    state = "off" if reason else "armed" if clients else "ready" if told else "unknown"
    return {"state": state, "clients": clients, "reason": reason, "since": _utc(told.get("since"))}


def _speeds_body(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker last wrote down of speeds (`control.shaping`)."""
    means = {"htb": "queues", "limit": "limits", "": "off"}
    return {
        "state": means[told.get("by", "")] if told else "idle",
        "devices": told.get("set", 0),
        "reason": told.get("reason", ""),
        "since": _utc(told.get("at")),
    }


def _utc(text: str | None) -> str | None:
    """A moment as a worker wrote it down, as RFC 3339 shows it."""
    return moment(datetime.fromisoformat(text)) if text else None


def interface_tag(interface: Interface, body: Mapping[str, Any]) -> str:
    """The ETag of an interface's body: live figures are others each time, states are not."""
    shown = {name: value for name, value in body.items() if name != "observed_at"}
    if "observed" in shown:
        shown["observed"] = {**shown["observed"], "observed_at": None}
        for name in ("cutoff", "speeds"):
            shown[name] = (shown[name]["state"], shown[name]["reason"])
    return etag(interface, shown)


class InterfaceFields(StrictSerializer):
    """What may be set of an interface."""

    label = PlainText(  # type: ignore[assignment]
        max_length=64, allow_blank=True, required=False
    )
    endpoint_address = PlainText(max_length=255, allow_blank=True, required=False)
    relay_endpoint = PlainText(max_length=255, allow_blank=True, required=False)
    dns_servers = texts(8, 253)
    mtu = StrictInteger(min_value=576, max_value=65535, allow_null=True, required=False)
    listen_port = StrictInteger(min_value=1, max_value=65535)
    firewall_mark = StrictInteger(min_value=0, max_value=2**32 - 1, allow_null=True, required=False)
    table = PlainText(max_length=16, allow_blank=True, required=False)
    pre_up = texts(20, 1000)
    post_up = texts(20, 1000)
    pre_down = texts(20, 1000)
    post_down = texts(20, 1000)
    nat = StrictBoolean(required=False)
    forward = StrictBoolean(required=False)
    backend = StrictChoice(choices=Interface.Backend.choices, required=False)
    restart_policy = StrictChoice(choices=Interface.RestartPolicy.choices, required=False)
    enabled = StrictBoolean(required=False)
    is_default = StrictBoolean(required=False)


class InterfaceCreate(InterfaceFields):
    """A new interface of a gateway (its slug or id). Its keys are made here."""

    gateway = PlainText(max_length=36)
    name = PlainText(max_length=15)
    addresses = serializers.ListField(child=PlainText(max_length=64), max_length=8)


class InterfacePatch(InterfaceFields):
    """A change. What cannot be changed may be sent back as it was read."""

    moving = frozenset({"up", "observed_at", "addresses_left", "observed", "cutoff", "speeds"})
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    gateway = serializers.CharField(read_only=True)
    location = serializers.CharField(read_only=True)
    country = serializers.CharField(read_only=True)
    ipv6 = serializers.BooleanField(read_only=True)
    up = serializers.BooleanField(read_only=True)
    addresses_left = serializers.BooleanField(read_only=True)
    observed_at = serializers.DateTimeField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    public_key = serializers.CharField(read_only=True)
    addresses = serializers.ListField(child=serializers.CharField(), read_only=True)
    simulated = serializers.BooleanField(read_only=True)
    wg_quick = serializers.BooleanField(read_only=True)
    config_generation = serializers.IntegerField(read_only=True)
    observed = ObservedSerializer(read_only=True)
    cutoff = CutOffSerializer(read_only=True)
    speeds = SpeedsSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: Interface) -> dict[str, Any]:
        return interface_body(instance, operator=True, rooms=self.context["rooms"])
