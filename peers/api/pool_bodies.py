"""Pools of addresses as JSON, and the shapes of their bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gateways.api.serializers import JobRef
from gateways.models import AddressPool
from peers.pools import Utilisation
from rest.fields import PlainText, StrictSerializer


class PoolSerializer(serializers.Serializer[Any]):
    """A range of addresses that devices are given from."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    interface_id = serializers.UUIDField()
    interface = serializers.CharField()
    gateway = serializers.CharField()
    network = serializers.CharField()
    family = serializers.IntegerField()
    first = serializers.CharField()
    last = serializers.CharField()
    size = serializers.IntegerField()
    given = serializers.IntegerField()
    held_back = serializers.IntegerField(
        help_text="Released, and kept from others for a while: their former user's traffic may "
        "still arrive."
    )
    free = serializers.IntegerField()


class PoolWithJob(PoolSerializer):
    """A new pool, and the job that gives the interface its address in it."""

    job = JobRef(allow_null=True)


def pool_body(pool: AddressPool, used: Utilisation) -> dict[str, Any]:
    """A pool (read with its interface and gateway) and how far it is given out."""
    return {
        "id": str(pool.uuid),
        "name": pool.name,
        "interface_id": str(pool.interface.uuid),
        "interface": pool.interface.name,
        "gateway": pool.interface.gateway.slug,
        "network": pool.network,
        "family": pool.family,
        "first": pool.first,
        "last": pool.last,
        "size": pool.size,
        "given": used.given,
        "held_back": used.held_back,
        "free": used.free,
    }


class PoolCreate(StrictSerializer):
    """Another network of an interface; the first host of it becomes the server's address."""

    interface_id = serializers.UUIDField()
    network = PlainText(max_length=64)
    name = PlainText(max_length=64, required=False)


class PoolPatch(StrictSerializer):
    """A change of a pool's name. What cannot be changed may be sent back as it was read."""

    name = PlainText(max_length=64)
    id = serializers.UUIDField(read_only=True)
    interface_id = serializers.UUIDField(read_only=True)
    interface = serializers.CharField(read_only=True)
    gateway = serializers.CharField(read_only=True)
    network = serializers.CharField(read_only=True)
    family = serializers.IntegerField(read_only=True)
    first = serializers.CharField(read_only=True)
    last = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    given = serializers.IntegerField(read_only=True)
    held_back = serializers.IntegerField(read_only=True)
    free = serializers.IntegerField(read_only=True)

    def to_representation(self, instance: tuple[AddressPool, Utilisation]) -> dict[str, Any]:
        return pool_body(*instance)
