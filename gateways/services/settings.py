"""The global settings: one row that interfaces and devices inherit from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from audit.events import Actor
from gateways.generations import SETTINGS_IN_FILES
from gateways.models import GlobalSetting, Interface
from gateways.services.changes import Edited, differing, store, tell_links
from gateways.services.effects import Preview, count_devices, count_files, heirs
from gateways.values import SETTING_CHECKS
from rest.errors import Invalid
from rest.values import check_fields
from rest.versions import Version, check_version

LEAST_IPV6_MTU: Final = 1280
"""Bytes that every link must carry for IPv6 (RFC 8200, section 5)."""


@transaction.atomic
def update_settings(
    *,
    actor: Actor,
    changes: Mapping[str, Any],
    at: datetime,
    if_match: Version | None = None,
    dry_run: bool = False,
) -> Edited:
    """Change defaults. Raises `StaleVersion` and `Invalid`."""
    row = GlobalSetting.objects.select_for_update(no_key=True).get(pk=1)
    check_version(row, if_match)
    changed = differing(row, check_fields(changes, SETTING_CHECKS))
    _refuse_small_mtu(changed)
    preview = _preview(changed)
    if not changed or dry_run:
        return Edited(row, preview)
    store(row, changed, outdates_files=preview.outdates_files, actor=actor)
    job = tell_links(_linked(changed), actor=actor, at=at)
    return Edited(row, preview, job)


def _refuse_small_mtu(changed: Mapping[str, Any]) -> None:
    if changed.get("mtu", LEAST_IPV6_MTU) >= LEAST_IPV6_MTU:
        return
    for interface in Interface.objects.filter(mtu=None, simulated=False):
        if any(":" in address for address in interface.addresses):
            raise Invalid(
                f"{interface} speaks IPv6, which needs {LEAST_IPV6_MTU} bytes.", field="mtu"
            )


def _linked(changed: Mapping[str, Any]) -> list[Interface]:
    """The interfaces whose own link the change reaches: those without a mark of their own."""
    if "firewall_mark" not in changed:
        return []
    return list(Interface.objects.filter(firewall_mark=None, enabled=True))


def _preview(changed: Mapping[str, Any]) -> Preview:
    concerned = heirs(
        Interface.objects.all(),
        [name for name in changed if name in SETTINGS_IN_FILES],
        of_settings=True,
    )
    return Preview(
        changes=tuple(changed),
        live=tuple(name for name in changed if name == "firewall_mark"),
        next_bring_up=tuple(name for name in changed if name == "table"),
        outdates_files=concerned.exists(),
        devices=count_devices(concerned),
        files_outdated=count_files(concerned),
    )
