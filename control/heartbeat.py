"""Signs of life: which queues answer, and whose host serves a gateway."""

from __future__ import annotations

import logging
import platform
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from gateways.drivers import needs_sudo
from gateways.generations import raise_config_generation
from gateways.models import Gateway, Heartbeat, Interface
from wireguard.host import command_prefix, dialled_address
from wireguard.runner import LocalRunner

logger = logging.getLogger("WireGuard")


def queues() -> list[str]:
    """Every queue that must have a worker."""
    slugs = Interface.objects.filter(enabled=True).values_list("gateway__slug", flat=True)
    return ["control", *(f"gateway.{slug}" for slug in sorted(set(slugs)))]


def beat(*, queue: str, at: datetime) -> None:
    """Note that a queue's worker lives, and which host serves a gateway."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"seen_at": at})
    if queue.startswith("gateway."):
        _claim(queue.removeprefix("gateway."))
        find_address(queue.removeprefix("gateway."))


def host_id() -> str:
    """The machine's own id (machine-id(5)), or its name."""
    try:
        return Path("/etc/machine-id").read_text().strip() or platform.node()
    except OSError:
        return platform.node()


def _claim(slug: str) -> None:
    gateway = Gateway.objects.filter(slug=slug).only("pk", "host_id", "alarm").first()
    if gateway is None or gateway.host_id == host_id():
        return
    if not gateway.host_id:
        Gateway.objects.filter(pk=gateway.pk, host_id="").update(host_id=host_id())
        return
    alarm = f"a second host ({platform.node()}) serves the gateway {slug}; stop one of them"
    if gateway.alarm != alarm:
        logger.error("WireGuard: %s", alarm)
        Gateway.objects.filter(pk=gateway.pk).update(alarm=alarm)


def find_address(slug: str) -> None:
    """Note the host's address on its default route, which clients dial unless told otherwise."""
    if settings.VWG_DRIVER == "memory":
        return
    gateway = Gateway.objects.filter(slug=slug).first()
    if gateway is None:
        return
    prefix = command_prefix(gateway.netns or None, sudo=needs_sudo())
    found = dialled_address(LocalRunner(), prefix)
    if not found or found == gateway.found_address:
        return
    is_new = not gateway.found_address
    with transaction.atomic():
        Gateway.objects.filter(pk=gateway.pk).update(found_address=found)
        if not is_new and not (settings.VWG_ENDPOINT or gateway.endpoint_address):
            raise_config_generation(gateway)
