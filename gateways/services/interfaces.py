"""Changing an interface that is there, and giving it another key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.events import Actor
from gateways.generations import INTERFACE_IN_FILES
from gateways.models import GlobalSetting, Interface, Job
from gateways.queries import lock_interface
from gateways.sealing import seal_interface_key
from gateways.services.changes import Edited, differing, note, store, tell_links
from gateways.services.effects import Preview, count_devices, count_files
from gateways.services.settings import LEAST_IPV6_MTU
from gateways.values import INTERFACE_CHECKS
from rest.errors import Conflict, Invalid
from rest.values import check_fields
from rest.versions import Version, check_version
from wireguard.keys import generate_private_key, public_key_of

_LIVE: Final = frozenset({"mtu", "firewall_mark", "nat", "forward"})
_NEXT_BRING_UP: Final = frozenset(
    {"table", "backend", "pre_up", "post_up", "pre_down", "post_down"}
)
#: What wg-quick's own file says of an interface that was adopted from it.
_OF_WG_QUICK: Final = frozenset(
    {"nat", "forward", "table", "backend", "pre_up", "post_up", "pre_down", "post_down"}
)


@transaction.atomic
def update_interface(
    *,
    actor: Actor,
    interface_id: UUID,
    changes: Mapping[str, Any],
    at: datetime,
    if_match: Version | None = None,
    dry_run: bool = False,
) -> Edited:
    """Change an interface; its gateway's worker brings the link to the row, without a restart.

    Raises `Missing`, `StaleVersion`, `Invalid`, and `Conflict` (``port_taken``, ``simulated``,
    ``wg_quick``, ``default_needed``).
    """
    interface = lock_interface(interface_id)
    check_version(interface, if_match)
    changed = differing(interface, check_fields(changes, INTERFACE_CHECKS))
    refuse_unfit(interface, changed)
    preview = _preview(interface, changed)
    if not changed or dry_run:
        return Edited(interface, preview)
    if changed.get("is_default"):
        Interface.objects.filter(is_default=True).update(is_default=False)
    store(interface, changed, outdates_files=preview.outdates_files, actor=actor)
    reached = preview.live or preview.rebinds_socket or "enabled" in changed
    job = tell_links([interface] if reached else [], actor=actor, at=at)
    if job is None and preview.next_bring_up:  # the boot file holds the hooks
        Interface.objects.filter(pk=interface.pk, boot_dirty_since=None).update(boot_dirty_since=at)
    return Edited(interface, preview, job)


@transaction.atomic
def rotate_key(
    *,
    actor: Actor,
    interface_id: UUID,
    at: datetime,
    if_match: Version | None = None,
    dry_run: bool = False,
) -> Edited:
    """Give an interface another key pair. Every session ends, and every file is outdated.

    Raises `Missing` and `StaleVersion`.
    """
    interface = lock_interface(interface_id)
    check_version(interface, if_match)
    preview = _concerned(
        interface, changes=("public_key",), ends_sessions=interface.enabled, outdates_files=True
    )
    if dry_run:
        return Edited(interface, preview)
    old, key = interface.public_key, generate_private_key()
    interface.private_key = seal_interface_key(interface.uuid, key)
    interface.public_key = public_key_of(key)
    interface.version += 1
    interface.config_generation += 1
    interface.save(update_fields=["private_key", "public_key", "version", "config_generation"])
    note(
        interface,
        "key_rotated",
        actor=actor,
        before={"public_key": old},
        after={"public_key": interface.public_key},
    )
    job = tell_links([interface], actor=actor, at=at, kind=Job.Kind.ROTATE)
    return Edited(interface, preview, job)


def refuse_unfit(interface: Interface, changed: Mapping[str, Any]) -> None:
    """Raise `Invalid` or `Conflict` for values that do not go with the rest of the interface."""
    port = changed.get("listen_port")
    others = Interface.objects.filter(gateway_id=interface.gateway_id).exclude(pk=interface.pk)
    if port is not None and others.filter(listen_port=port).exists():
        raise Conflict(
            "Another interface of this gateway has this port.",
            field="listen_port",
            code="port_taken",
        )
    if "mtu" in changed:
        refuse_small_mtu(interface, changed["mtu"])
    switches = [name for name in ("enabled", "is_default") if changed.get(name)]
    if interface.simulated and switches:
        raise Conflict(
            "A simulated interface reaches no gateway.", field=switches[0], code="simulated"
        )
    if interface.wg_quick and (fixed := sorted(_OF_WG_QUICK & changed.keys())):
        raise Conflict("wg-quick's own file says this.", field=fixed[0], code="wg_quick")
    if changed.get("is_default") is False:
        raise Conflict(
            "Make another interface the default one instead.",
            field="is_default",
            code="default_needed",
        )


def refuse_small_mtu(interface: Interface, mtu: int | None) -> None:
    """Raise `Invalid` when the interface speaks IPv6 and would carry too little for it."""
    size = mtu or GlobalSetting.objects.values_list("mtu", flat=True).get(pk=1)
    if size < LEAST_IPV6_MTU and any(":" in address for address in interface.addresses):
        raise Invalid(f"IPv6 needs at least {LEAST_IPV6_MTU} bytes.", field="mtu")


def _preview(interface: Interface, changed: Mapping[str, Any]) -> Preview:
    """A new port outdates files unless what they dial names a port of its own: rare, so it counts
    as outdating.
    """
    return _concerned(
        interface,
        changes=tuple(changed),
        live=tuple(name for name in changed if name in _LIVE),
        next_bring_up=tuple(name for name in changed if name in _NEXT_BRING_UP),
        rebinds_socket="listen_port" in changed,
        ends_sessions=changed.get("enabled") is False,
        outdates_files=bool(changed.keys() & INTERFACE_IN_FILES),
    )


def _concerned(interface: Interface, *, outdates_files: bool, **what: Any) -> Preview:
    own = Interface.objects.filter(pk=interface.pk)
    return Preview(
        outdates_files=outdates_files,
        devices=count_devices(own),
        files_outdated=count_files(own) if outdates_files else 0,
        **what,
    )
