"""New clients by the hundred: checked like single ones, written by a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.events import record_all
from gateways.models import Interface, Job
from peers.models import Client, Peer, PeerKey
from peers.queries import as_networks
from peers.ranges import reserve, take
from peers.sealing import seal_private_key
from peers.sellable import find_interface
from peers.services.bulk.entries import Entry, Failure, Outcome
from peers.services.bulk.single import attempt
from peers.services.changes import act, tell_of
from peers.services.clients import create_client
from peers.services.devices import IPV6_MTU, DeviceWish, build_device, check_device, key_taken
from peers.services.limits import admit_devices, places_left
from peers.services.periods import date_periods
from peers.services.sales import sell_to
from peers.services.terms import external_id_taken, is_early, terms_of_new
from quotas.models import Plan
from quotas.policies import MANUAL, PLAN
from quotas.queries import find_sold_plan
from quotas.services import new_hold, open_holds
from rest.errors import Conflict, Invalid, Refusal
from tenants.models import Tenant
from tenants.queries import stands
from tenants.row_security import ADDRESSES, door
from tenants.scoping import Caller
from wireguard.types import Secret


@dataclass(frozen=True)
class _New:
    """A client to write, with its device."""

    entry: Entry
    own: dict[str, Any]
    client: Client
    wish: DeviceWish
    interface: Interface
    peer: Peer
    private_key: Secret | None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the pools has a say in where its device lives."""
        small = self.peer.mtu is not None and self.peer.mtu < IPV6_MTU
        return not (self.wish.addresses or self.wish.networks or small)

    @property
    def is_off(self) -> bool:
        """Whether it is made switched off."""
        return not self.entry.values.get("enabled", True)

    def reasons(self, at: datetime) -> Iterator[str]:
        """The holds that it is made with."""
        if self.is_off:
            yield MANUAL
        if is_early(self.client, at=at):
            yield PLAN


Found = tuple[list[Outcome], list[Job]]


def create_many(*, caller: Caller, entries: Sequence[Entry], at: datetime) -> Found:
    """Make a client of each entry, in the caller's transaction; and the jobs that bring them live.

    Entries that name addresses or networks of their own go the way of a single one. So do all,
    when another transaction was faster with an external id, a key or an address, when the tenant
    is not active, and when its pool has not bytes for all of them.
    """
    left, full = places_left(caller.tenant)  # before `stands`: its lock is the stronger one
    active = stands(caller.tenant_id)[0] == Tenant.Status.ACTIVE
    builder = _Builder(caller, at)
    ready, outcomes = _sorted(entries, builder)
    free, taken = _not_taken(caller, ready)
    late = (
        []
        if left is None
        else [Outcome(new.entry, failure=Failure.of(full)) for new in free[left:]]
    )
    free = free[:left]
    together = [new for new in free if active and new.is_plain]
    alone = [new.entry for new in free if not (active and new.is_plain)]
    jobs: list[Job] = []
    try:
        with transaction.atomic():
            written, job = _write(caller, together, at)
        jobs += [job] if job else []
    except (IntegrityError, Conflict, Invalid):
        written, alone = [], [new.entry for new in free]
    for entry in alone:
        outcome, job = attempt(entry, partial(_create_one, caller, entry, at))
        written.append(outcome)
        jobs += [job] if job else []
    return outcomes + taken + late + written, jobs


def _sorted(
    entries: Sequence[Entry], build: Callable[[Entry], _New]
) -> tuple[list[_New], list[Outcome]]:
    """The entries that can be made, and the failures of the others."""
    ready: list[_New] = []
    failed: list[Outcome] = []
    for entry in entries:
        try:
            ready.append(build(entry))
        except Refusal as refusal:
            failed.append(Outcome(entry, failure=Failure.of(refusal)))
    return ready, failed


class _Builder:
    """Makes the rows of entries; a plan or interface that many of them name is looked up once."""

    def __init__(self, caller: Caller, at: datetime) -> None:
        self._caller, self._at = caller, at
        self._interface = cache(partial(find_interface, caller=caller))
        self._plan: Callable[[UUID], Plan] = cache(partial(find_sold_plan, caller))

    def __call__(self, entry: Entry) -> _New:
        """The rows of an entry, not written. Raises `Refusal`, as `create_client` does."""
        caller, values = self._caller, entry.values
        own = terms_of_new(caller, values, at=self._at, find_plan=self._plan)
        wish = check_device(values)
        interface = self._interface(values.get("interface"))
        client = Client(tenant=caller.tenant, created_by=caller.actor.name[:150], **own)
        admit_devices(client, 1)
        blocked = not values.get("enabled", True) or is_early(client, at=self._at)
        peer, key = build_device(client=client, interface=interface, wish=wish, blocked=blocked)
        return _New(entry, own, client, wish, interface, peer, key)


def _create_one(caller: Caller, entry: Entry, at: datetime) -> tuple[Client, Job]:
    values = dict(entry.values)
    name = values.pop("name")
    interface = find_interface(values.pop("interface", None), caller=caller)
    made = create_client(caller=caller, name=name, at=at, interface=interface, **values)
    return made.client, made.job


def _not_taken(caller: Caller, ready: Sequence[_New]) -> tuple[list[_New], list[Outcome]]:
    """Those whose external id and key nobody has, in the rows or earlier in this request."""
    ids = {new.client.external_id for new in ready} - {None}
    rows = Client.objects.filter(tenant_id=caller.tenant_id, deleted_at__isnull=True)
    taken_ids = set(rows.filter(external_id__in=ids).values_list("external_id", flat=True))
    keys = {new.wish.public_key for new in ready} - {None}
    peers = Peer.objects.filter(public_key__in=keys, deleted_at__isnull=True)
    taken_keys = set(peers.values_list("interface_id", "public_key"))
    free: list[_New] = []
    failed: list[Outcome] = []
    for new in ready:
        key = (new.interface.pk, new.peer.public_key)
        refusal = _taken(new.client.external_id in taken_ids, key in taken_keys)
        if refusal is not None:
            failed.append(Outcome(new.entry, failure=Failure.of(refusal)))
            continue
        taken_ids |= {new.client.external_id} - {None}
        taken_keys.add(key)
        free.append(new)
    return free, failed


def _taken(external_id: bool, key: bool) -> Conflict | None:
    if external_id:
        return external_id_taken()
    return key_taken() if key else None


def _write(
    caller: Caller, wanted: Sequence[_New], at: datetime
) -> tuple[list[Outcome], Job | None]:
    """Write them, interface by interface, with one job for all."""
    groups: defaultdict[int, list[_New]] = defaultdict(list)
    for new in wanted:
        groups[new.interface.pk].append(new)
    outcomes: list[Outcome] = []
    peers: list[Peer] = []
    for group in groups.values():
        with door(ADDRESSES):
            places = reserve(group[0].interface, caller.tenant, number=len(group), at=at)
            housed, homeless = group[: len(places)], group[len(places) :]
            _insert(housed)
            addresses = take([new.peer for new in housed], places)
        _follow(caller, housed, addresses, at)
        outcomes += [Outcome(new.entry, new.client) for new in housed]
        outcomes += [Outcome(new.entry, failure=_EXHAUSTED) for new in homeless]
        peers += [new.peer for new in housed]
    if not peers:
        return outcomes, None
    kind, tenant_id = Job.Kind.BULK, caller.tenant_id
    job = tell_of(tenant_id=tenant_id, kind=kind, actor=caller.actor, peers=peers, at=at)
    sell_to([one.client for one in outcomes if one.client is not None], tenant=caller.tenant)
    return outcomes, job


_EXHAUSTED = Failure("pool_exhausted", "The interface has no free address.")


def _insert(group: Sequence[_New]) -> None:
    """Clients, devices and private keys. Raises IntegrityError."""
    Client.objects.bulk_create([new.client for new in group], batch_size=500)
    for new in group:
        new.peer.client = new.client  # now that it has a primary key
    Peer.objects.bulk_create([new.peer for new in group], batch_size=500)
    PeerKey.objects.bulk_create(
        [
            PeerKey(peer=new.peer, private_key=seal_private_key(new.peer.uuid, new.private_key))
            for new in group
            if new.private_key is not None
        ],
        batch_size=500,
    )


def _follow(
    caller: Caller, group: Sequence[_New], addresses: Sequence[Sequence[str]], at: datetime
) -> None:
    """Holds of those that begin switched off, and an audit event for each."""
    date_periods([new.client for new in group], at=at)
    open_holds(
        new_hold(
            tenant_id=caller.tenant_id,
            client_id=new.client.pk,
            reason=reason,
            by=caller.actor.name,
            at=at,
            until=new.client.starts_at if reason == PLAN else None,
        )
        for new in group
        for reason in new.reasons(at)
    )
    record_all(
        act(
            client=new.client,
            actor=caller.actor,
            action="client.created",
            after={
                **new.own,
                "public_key": new.peer.public_key,
                "interface": new.interface.name,
                "addresses": list(as_networks(given)),
                "networks": [],
                "enabled": not new.is_off,
            },
        )
        for new, given in zip(group, addresses, strict=True)
    )
