"""What an operator decides of peers that vwg has no record of: adopt them, or let them go.

The decision is a job of one item; the interface's worker carries it out, for it alone sees the
link and its boot file. It is the tenant of the job who gets what is adopted.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Actor, Target, record
from audit.models import AuditEvent
from control.adoption import adopt, remove_strays
from control.claims import Item
from control.rounds import Round
from gateways.models import Interface, Job, JobItem
from gateways.outbox import Wish, enqueue
from gateways.queries import lock_interface
from rest.errors import Conflict, Refusal
from tenants.models import Tenant

_FOREIGN = Interface.State.FOREIGN


@transaction.atomic
def ask_adoption(
    *, actor: Actor, interface_id: UUID, tenant: Tenant, strays: int, at: datetime
) -> Job:
    """Have the worker take over a foreign interface, or the peers without a record of our own.

    ``strays``: how many of these whoever decides saw. Raises `Missing`, and `Conflict` when there
    is nothing to adopt, or when there are others by now.
    """
    interface = lock_interface(interface_id)
    _refuse_changed(interface, strays)
    return _ask(interface, JobItem.Action.ADOPT, "adoption_asked", tenant, actor, at)


@transaction.atomic
def ask_removal(*, actor: Actor, interface_id: UUID, strays: int, at: datetime) -> Job:
    """Have the worker remove the peers without a record; their owners are cut off.

    Raises as `ask_adoption`, and `Conflict` for a foreign interface, to which nothing is written.
    """
    interface = lock_interface(interface_id)
    _refuse_changed(interface, strays)
    if interface.state == _FOREIGN:
        raise Conflict("vwg did not bring this interface up, and writes nothing to it.")
    return _ask(interface, JobItem.Action.DROP, "removal_asked", None, actor, at)


def _refuse_changed(interface: Interface, strays: int) -> None:
    if not interface.guard_keys and interface.state != _FOREIGN:
        raise Conflict("There is nothing to decide any more.")
    if len(interface.guard_keys) != strays:
        raise Conflict("There are more or fewer of these peers by now. Look again.")


def _ask(
    interface: Interface, act: str, verb: str, tenant: Tenant | None, actor: Actor, at: datetime
) -> Job:
    record(
        actor=actor,
        action=f"interface.{verb}",
        target=Target(type="interface", id=str(interface.uuid), name=str(interface)),
        after={"peers": len(interface.guard_keys), "tenant": tenant.slug if tenant else None},
    )
    return enqueue(
        kind=Job.Kind.HEAL,
        tenant_id=tenant.pk if tenant else None,
        actor_name=actor.name,
        wishes=[Wish(interface.pk, public_key=interface.public_key, action=act)],
        at=at,
    )


def carry_out(work: Round) -> None:
    """Carry out the decisions among the items of a round, under the interface's lock.

    Raises DriverError: then they stay open.
    """
    for item in work.items:
        if item.action == JobItem.Action.ADOPT:
            _adopt(work, item)
        elif item.action == JobItem.Action.DROP:
            number = remove_strays(work.interface, actor=_decider(item), at=timezone.now())
            work.interface.refresh_from_db()
            work.settle_item(item, ok=True, tier=1, message=f"{number} peers are removed")


def _adopt(work: Round, item: Item) -> None:
    tenant = Tenant.objects.get(job__pk=item.job_id)
    try:
        made = adopt(
            work.interface, work.station, tenant=tenant, actor=_decider(item), at=timezone.now()
        )
    except Refusal as refusal:
        work.settle_item(item, ok=False, tier=None, message=refusal.message)
        return
    work.interface.refresh_from_db()
    what = "The interface and " if made.interface else ""
    work.settle_item(item, ok=True, tier=None, message=f"{what}{made.peers} peers are adopted")


def _decider(item: Item) -> Actor:
    """Who decided: the job has his name."""
    name = Job.objects.values_list("actor_name", flat=True).get(pk=item.job_id)
    return Actor(kind=AuditEvent.Actor.USER, id="", name=name, by_operator=True)
