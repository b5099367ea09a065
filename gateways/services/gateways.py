"""Gateways: made, changed, and deleted while they are empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Actor
from gateways.generations import GATEWAY_IN_FILES
from gateways.models import Gateway, Interface
from gateways.queries import find_gateway
from gateways.services.changes import Edited, differing, note, store
from gateways.services.effects import Preview, count_devices, count_files, heirs
from gateways.values import GATEWAY_CHECKS, check_slug
from rest.errors import Conflict, Invalid
from rest.values import check_fields
from rest.versions import Version, check_version


@transaction.atomic
def create_gateway(*, actor: Actor, slug: str, **details: Any) -> Gateway:
    """Add a host. Its worker is started on it, and eats the queue that the slug names.

    Raises `Invalid`, and `Conflict` (``slug_taken``).
    """
    values = check_fields(details, GATEWAY_CHECKS)
    if Gateway.objects.filter(slug=check_slug(slug, "slug")).exists():
        raise Conflict("Another gateway has this slug.", field="slug", code="slug_taken")
    gateway = Gateway.objects.create(slug=slug, **values)
    note(gateway, "created", actor=actor, after={"slug": slug, **values})
    return gateway


@transaction.atomic
def update_gateway(
    *,
    actor: Actor,
    gateway_id: UUID,
    changes: Mapping[str, Any],
    if_match: Version | None = None,
    dry_run: bool = False,
) -> Edited:
    """Change a gateway. ``alarm`` can be put out, which lets the host that answers next serve it.

    Raises `Missing`, `StaleVersion`, `Invalid`, and `Conflict` (``gateway_in_use``) for another
    network namespace while interfaces are in the old one.
    """
    gateway = find_gateway(gateway_id, lock=True)
    check_version(gateway, if_match)
    changed = differing(gateway, check_fields(changes, GATEWAY_CHECKS))
    changed |= _alarm_put_out(gateway, changes)
    if "netns" in changed and gateway.interfaces.exists():
        raise Conflict(
            "Its interfaces are in the old namespace.", field="netns", code="gateway_in_use"
        )
    preview = _preview(gateway, changed)
    if changed and not dry_run:
        store(gateway, changed, outdates_files=preview.outdates_files, actor=actor)
    return Edited(gateway, preview)


def _alarm_put_out(gateway: Gateway, changes: Mapping[str, Any]) -> dict[str, Any]:
    alarm = changes.get("alarm", gateway.alarm)
    if alarm not in ("", gateway.alarm):
        raise Invalid('An alarm can only be put out: "".', field="alarm")
    return {"alarm": "", "host_id": ""} if alarm == "" and gateway.alarm else {}


def _preview(gateway: Gateway, changed: Mapping[str, Any]) -> Preview:
    concerned = heirs(
        Interface.objects.filter(gateway=gateway), sorted(GATEWAY_IN_FILES & changed.keys())
    )
    return Preview(
        changes=tuple(changed),
        outdates_files=concerned.exists(),
        devices=count_devices(concerned),
        files_outdated=count_files(concerned),
    )


@transaction.atomic
def delete_gateway(*, actor: Actor, gateway_id: UUID, if_match: Version | None = None) -> None:
    """Forget a host without interfaces. Raises `Missing`, `Conflict` (``gateway_in_use``)."""
    gateway = find_gateway(gateway_id, lock=True)
    check_version(gateway, if_match)
    if gateway.interfaces.exists():
        raise Conflict("It has interfaces; delete those first.", code="gateway_in_use")
    note(gateway, "deleted", actor=actor, before={"slug": gateway.slug})
    gateway.delete()
