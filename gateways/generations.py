"""When customers' files become outdated because of what stands above the device.

Every file is made from a device, its interface, the gateway and the global settings. Each of the
four counts its own changes; a file is outdated when the sum has risen since it was handed out.
"""

from __future__ import annotations

from typing import Final

from django.db.models import F

from gateways.models import Gateway, GlobalSetting, Interface

#: The fields of each that files are made of, from what lies above to what inherits it.
GATEWAY_IN_FILES: Final = frozenset({"endpoint_address", "relay_endpoint"})
INTERFACE_IN_FILES: Final = GATEWAY_IN_FILES | {"dns_servers", "mtu", "listen_port"}
SETTINGS_IN_FILES: Final = GATEWAY_IN_FILES | {
    "dns_servers", "mtu", "persistent_keepalive", "default_routes"
}  # fmt: skip


def raise_config_generation(row: Interface | Gateway | GlobalSetting) -> None:
    """Files made from this row are outdated: +1, in the row and in the object.

    Call it in the transaction of the change.
    """
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.update(config_generation=F("config_generation") + 1)
    row.config_generation += 1
