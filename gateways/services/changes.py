"""What every edit of a gateway, an interface or the settings ends with: version, event, job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.events import Actor, Target, record
from gateways.models import Gateway, GlobalSetting, Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from gateways.services.effects import Preview

Row = Gateway | Interface | GlobalSetting


@dataclass(frozen=True)
class Edited:
    """A row after an edit (or as it was, after a dry run), what that does, and its job."""

    row: Any
    preview: Preview
    job: Job | None = None


def differing(row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the row's already."""
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def store(row: Row, changed: Mapping[str, Any], *, outdates_files: bool, actor: Actor) -> None:
    """Write the changed fields with a new version, and the event. The caller holds the row."""
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    written = [*changed, "version"]
    if outdates_files:
        row.config_generation += 1
        written.append("config_generation")
    if isinstance(row, GlobalSetting):
        written.append("updated_at")
    row.save(update_fields=written)
    note(row, "updated", actor=actor, before=before, after=changed)


def note(
    row: Row,
    verb: str,
    *,
    actor: Actor,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the event of an act on a row. Values must hold no secret."""
    kind, identity = target_of(row)
    target = Target(type=kind, id=identity, name=str(row))
    record(actor=actor, action=f"{kind}.{verb}", target=target, before=before, after=after)


def target_of(row: Row) -> tuple[str, str]:
    """The plain name of a row's model, and its public id."""
    if isinstance(row, GlobalSetting):
        return "settings", ""
    return ("gateway" if isinstance(row, Gateway) else "interface"), str(row.uuid)


def tell_links(
    interfaces: Iterable[Interface],
    *,
    actor: Actor,
    at: datetime,
    kind: str = Job.Kind.LINK,
) -> Job | None:
    """Have the gateways' workers bring these links to their rows; None when there is none.

    The items name the interface's own key: by that a worker tells an operator's edit from a mere
    check (`control.adjust`).
    """
    wishes = [
        Wish(one.pk, public_key=one.public_key, action=JobItem.Action.CHECK)
        for one in interfaces
        if not one.simulated
    ]
    if not wishes:
        return None
    ids = [wish.interface_id for wish in wishes]
    Interface.objects.filter(pk__in=ids, boot_dirty_since=None).update(boot_dirty_since=at)
    return enqueue(kind=kind, tenant_id=None, actor_name=actor.name, wishes=wishes, at=at)
