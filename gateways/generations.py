"""When customers' files become outdated because of what stands above the device.

Every file is made from a device, its interface, the gateway and the global settings. Each of the
four counts its own changes; a file is outdated when the sum has risen since it was handed out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from django.db.models import F

from gateways.models import Gateway, GlobalSetting, Interface

Above = Interface | Gateway | GlobalSetting

#: The fields of each that are in a file. A change of one of them outdates every file below.
FILE_FIELDS: Final[Mapping[type[Above], frozenset[str]]] = {
    Interface: frozenset(
        {"public_key", "listen_port", "endpoint_address", "relay_endpoint", "dns_servers", "mtu"}
    ),
    Gateway: frozenset({"endpoint_address", "relay_endpoint", "found_address"}),
    GlobalSetting: frozenset(
        {
            "endpoint_address",
            "relay_endpoint",
            "dns_servers",
            "mtu",
            "persistent_keepalive",
            "default_routes",
        }
    ),
}


def outdates_files(row: Above, changed: Collection[str]) -> bool:
    """Whether a change of these fields makes files that were handed out wrong."""
    return not FILE_FIELDS[type(row)].isdisjoint(changed)


def raise_config_generation(row: Above, changed: Collection[str]) -> bool:
    """After these fields changed: +1 in the row and in the object, if a file shows any of them.

    Call it in the transaction of the change. True when files became outdated.
    """
    if not outdates_files(row, changed):
        return False
    type(row)._default_manager.filter(pk=row.pk).update(
        config_generation=F("config_generation") + 1
    )
    row.config_generation += 1
    return True
