"""Bringing a link itself to its row: port, mark, key, MTU, addresses, NAT. No peer is touched.

Port and mark stand in every dump, so a difference is found by the next observation, and healed.
The rest is brought to its row when an operator has edited it: the job's item then names the
interface's key (`gateways.services.changes.tell_links`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from control.claims import Item
from control.desired import device, firewall_mark, interface_config, load_all
from control.link import spec_of
from gateways.drivers import Station
from gateways.models import Interface, Job, JobItem
from wireguard.link import DEFAULT_MTU
from wireguard.types import InterfaceStatus

logger = logging.getLogger("WireGuard")


def differing(interface: Interface, seen: InterfaceStatus) -> tuple[str, ...]:
    """The fields in which the running interface differs from its row."""
    wanted = {
        "listen_port": (interface.listen_port, seen.listen_port),
        "firewall_mark": (firewall_mark(interface), seen.fwmark or None),
        "public_key": (interface.public_key, seen.public_key),
    }
    return tuple(name for name, (row, shown) in wanted.items() if row != shown)


def is_edit(interface: Interface, item: Item) -> bool:
    """Whether an operator's edit of the interface stands behind an item."""
    return item.action == JobItem.Action.CHECK and item.public_key == interface.public_key


def adjust(
    interface: Interface,
    post: Station,
    fields: Collection[str],
    *,
    edited: bool,
    job_id: int,
) -> bool:
    """Send those of the fields that differ, and nothing else; after an edit the link's own
    settings too. False when there was nothing to send.

    The key is sent for a rotation's job alone: it ends every session. Raises DriverError.
    """
    given: dict[str, Any] = {}
    if "listen_port" in fields:
        given["listen_port"] = interface.listen_port
    if "firewall_mark" in fields:
        given["fwmark"] = firewall_mark(interface) or 0
    if "public_key" in fields and Job.objects.filter(pk=job_id, kind=Job.Kind.ROTATE).exists():
        given["private_key"] = interface_config(interface).private_key
    if given:
        post.driver.set_interface(**given)
        logger.warning("WireGuard interface %s: set %s", interface.name, ", ".join(given))
    if edited:
        _refresh(interface, post)
    return bool(given)


def _refresh(interface: Interface, post: Station) -> None:
    """MTU, addresses, NAT and routes; of an adopted interface of wg-quick the MTU alone."""
    interface.refresh_from_db()
    if interface.wg_quick:
        post.link.set_mtu(interface.mtu or DEFAULT_MTU)
        return
    rows = [row.config for row in load_all(interface).rows if row.live]
    post.link.refresh(spec_of(interface, device(interface, rows)))
