"""Everything that happens to a shop's devices, in random order, against the ledger in the database.

The truth is kept beside it: each byte that passes is written down as it passes, and those that
nobody could have read before they were gone are taken off again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock

from django.utils import timezone

from control import (
    adoption,
    auditing,
    escalation,
    harvest,
    metering,
    meters,
    observe,
    sending,
    tier1,
)
from gateways.drivers import memory_station, station
from gateways.models import Interface, Job, JobItem
from peers.models import Client, Peer
from peers.services.clients import create_client, disable_client, enable_client
from peers.services.due import purge_due
from peers.services.moving import move_client
from peers.services.removal import delete_client, restore_client
from peers.services.rotation import rotate_keys
from peers.services.transfer import transfer_client
from quotas.models import Meter, Usage
from rest.errors import Conflict, Missing
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.integration.control.conftest import Gateway
from wireguard.errors import DriverRejected, DriverUnavailable
from wireguard.plan import PeerChange, Plan


class Killed(BaseException):
    """kill -9, as far as a test can do it in its own process."""


#: Where a worker may be killed: before or after one of these returns.
DEADLY: tuple[tuple[Any, str], ...] = (
    (tier1, "write"),
    (tier1, "send"),
    (harvest, "account"),
    (observe, "account"),
    (sending, "_bisect"),
    (metering, "_write"),
    (meters, "close_missing"),
)


class Storm:
    """``interfaces`` share their shop's devices; ``tenants`` hand clients to each other."""

    def __init__(self, seed: int, gateways: list[Gateway], tenants: list[Tenant]) -> None:
        self.random = Random(seed)
        self.gateways = gateways
        self.tenants = tenants
        self.callers = [replace(gateways[0].caller, tenant=tenant) for tenant in tenants]
        self.late: list[tuple[Gateway, Any]] = []
        #: What passed, and what of it is to be billed: by client.
        self.up: dict[int, int] = {}
        self.down: dict[int, int] = {}
        self.billed: dict[int, int] = {}
        self.killed = 0
        self.stolen = False
        self.done: list[str] = []
        for _ in range(3):
            self.create()

    # -- the world ------------------------------------------------------------------------------

    def choose(self, *, deleted: bool = False) -> Client | None:
        rows = list(Client.objects.filter(deleted_at__isnull=not deleted).order_by("pk"))
        return self.random.choice(rows) if rows else None

    def told(self, client: Client) -> dict[str, Any]:
        caller: Caller = next(one for one in self.callers if one.tenant_id == client.tenant_id)
        return {"caller": caller, "client_id": client.uuid, "at": timezone.now()}

    def owner(self, gateway: Gateway, key: str) -> Peer | None:
        """The device whose bytes these are: of the row that has the key applied."""
        rows = Peer.objects.filter(interface=gateway.interface)
        return (
            rows.filter(applied_key=key).order_by("-pk").first()
            or rows.filter(public_key=key, applied_key="", deleted_at__isnull=True).first()
            or rows.filter(public_key=key, applied_key="").order_by("-pk").first()
        )

    def traffic(self) -> None:
        """Everybody who is on plays; who is off knocks, in vain."""
        for gateway in self.gateways:
            if not gateway.link.exists:
                continue
            for key, status in gateway.driver.read().peers.items():
                peer = self.owner(gateway, key)
                if peer is None or self.random.random() < 0.3:
                    continue
                on = bool(status.allowed_ips)
                up, down = self.random.randrange(3000), self.random.randrange(3000) * on
                gateway.driver.report(
                    key, rx_bytes=status.rx_bytes + up, tx_bytes=status.tx_bytes + down
                )
                client = peer.client_id
                self.up[client] = self.up.get(client, 0) + up
                self.down[client] = self.down.get(client, 0) + down
                self.billed[client] = self.billed.get(client, 0) + (up + down) * on

    def forget(self, gateway: Gateway, keys: Any = None) -> None:
        """What was not read of these keys is gone with their counters."""
        if self.random.random() < 0.5:
            gateway.observe()  # then dumps that are kept later are all late
        else:
            self.late = [one for one in self.late if one[0] is not gateway]
        for key, status in gateway.driver.read().peers.items():
            peer = self.owner(gateway, key)
            if peer is None or (keys is not None and key not in keys):
                continue
            # A meter of an earlier life of the interface has read nothing of these counters.
            meter = Meter.objects.filter(peer=peer, run__stamp=gateway.link.stamp_text).first()
            up = status.rx_bytes - (meter.rx if meter else 0)
            down = status.tx_bytes - (meter.tx if meter else 0)
            self.up[peer.client_id] = self.up.get(peer.client_id, 0) - up
            self.down[peer.client_id] = self.down.get(peer.client_id, 0) - down
            self.billed[peer.client_id] = -(10**12)  # not followed any further

    # -- what happens -----------------------------------------------------------------------------

    def create(self) -> None:
        gateway, caller = self.random.choice(self.gateways), self.random.choice(self.callers)
        create_client(caller=caller, name="Sara", interface=gateway.interface, at=timezone.now())

    def disable(self) -> None:
        if (client := self.choose()) is not None:
            disable_client(**self.told(client), note="")

    def enable(self) -> None:
        if (client := self.choose()) is not None:
            enable_client(**self.told(client))

    def delete(self) -> None:
        if (client := self.choose()) is not None:
            delete_client(**self.told(client))

    def restore(self) -> None:
        if (client := self.choose(deleted=True)) is not None:
            restore_client(**self.told(client))

    def purge(self) -> None:
        if (client := self.choose(deleted=True)) is not None:
            Client.objects.filter(pk=client.pk).update(purge_at=timezone.now())
            purge_due(at=timezone.now())

    def made_again(self) -> None:
        """A deleted device's key comes back as another client's, maybe before it left."""
        rows = Peer.objects.filter(client__deleted_at__isnull=False).order_by("pk")
        for peer in rows[:1]:
            taken = Peer.objects.filter(public_key=peer.public_key, deleted_at__isnull=True)
            if not taken.exists():
                create_client(
                    caller=self.random.choice(self.callers), name="again", at=timezone.now(),
                    interface=peer.interface, public_key=peer.public_key,
                )  # fmt: skip

    def rotate(self) -> None:
        """But not a key whose add was never written down: then nobody knows whose it was."""
        client = self.choose()
        if client is None:
            return
        unsure = client.peers.filter(applied_key="", deleted_at__isnull=True)
        keys = set(unsure.values_list("public_key", flat=True))
        if not any(keys & gateway.driver._peers.keys() for gateway in self.gateways):
            rotate_keys(**self.told(client))

    def move(self) -> None:
        if (client := self.choose()) is not None:
            move_client(interface=self.random.choice(self.gateways).interface, **self.told(client))

    def transfer(self) -> None:
        if (client := self.choose()) is not None:
            transfer_client(tenant=self.random.choice(self.tenants), **self.told(client))

    def apply(self) -> None:
        JobItem.objects.filter(status="open").update(due_at=timezone.now())
        for gateway in self.gateways:
            gateway.apply()

    def observe(self) -> None:
        for gateway in self.gateways:
            gateway.observe()

    def read_for_later(self) -> None:
        gateway = self.random.choice(self.gateways)
        row = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
        if gateway.link.exists and gateway.link.up and gateway.link.stamp_text == row.stamp:
            self.late.append((gateway, observe.read(row, station(row))))

    def keep_late_books(self) -> None:
        if self.late:
            gateway, reading = self.random.choice(self.late)
            row = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
            observe.keep_books(row, station(row), reading)

    def times_out(self) -> None:
        """The next call is cut short, with some of it in force."""
        gateway = self.random.choice(self.gateways)
        gateway.driver.fail_next(DriverUnavailable("late"), after=self.random.randrange(3))
        self.random.choice([gateway.apply, gateway.observe])()
        gateway.driver._failures.clear()

    def refuses_everything(self) -> None:
        gateway = self.random.choice(self.gateways)
        self.create()
        gateway.driver.fail_next(DriverRejected("Unable to modify interface", explained=False))
        gateway.apply()
        gateway.driver._failures.clear()

    def restart(self) -> None:
        gateway = self.random.choice(self.gateways)
        row = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
        if gateway.link.exists:
            escalation.restart(row, station(row))

    def crash(self) -> None:
        """Somebody kills the interface; vwg brings it back."""
        gateway = self.random.choice(self.gateways)
        self.forget(gateway)
        memory_station(gateway.interface).bring_down()
        gateway.driver.exists = False
        gateway.observe()
        gateway.driver.exists = True

    def outsider_removes(self) -> None:
        """And a tick later it is seen that they are missing."""
        gateway = self.random.choice(self.gateways)
        if keys := list(gateway.peers()):
            key = self.random.choice(keys)
            self.forget(gateway, {key})
            gateway.driver.apply(Plan(removals=[key]))
            gateway.observe()

    def outsider_steals(self) -> None:
        gateway = self.random.choice(self.gateways)
        if len(keys := list(gateway.peers())) > 1:
            thief, victim = self.random.sample(keys, 2)
            ips = gateway.peers()[victim]
            if ips and gateway.peers()[thief]:
                gateway.driver.apply(Plan(changes=[PeerChange(thief, ips)]))
                self.stolen = True  # somebody is off, and by no act of vwg's

    def loses_its_alias(self) -> None:
        """And an operator adopts it; its counters go on."""
        gateway = self.random.choice(self.gateways)
        row = Interface.objects.select_related("gateway").get(pk=gateway.interface.pk)
        if gateway.link.exists:
            gateway.observe()
            stamp, gateway.link.stamp_text = gateway.link.stamp_text, ""
            try:
                adoption.adopt(
                    row,
                    station(row),
                    tenant=self.tenants[0],
                    actor=self.callers[0].actor,
                    at=timezone.now(),
                )
            except Conflict:  # a bring-up that timed out: not even a key
                gateway.link.stamp_text = stamp

    # -- carrying it out --------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        deeds: list[tuple[Callable[[], None], int]] = [
            (self.traffic, 14), (self.observe, 6), (self.apply, 10), (self.create, 1),
            (self.disable, 3), (self.enable, 3), (self.delete, 2), (self.restore, 2),
            (self.purge, 1), (self.made_again, 2), (self.rotate, 2), (self.move, 2),
            (self.transfer, 1), (self.read_for_later, 4), (self.keep_late_books, 4),
            (self.times_out, 1), (self.refuses_everything, 1), (self.restart, 1), (self.crash, 1),
            (self.outsider_removes, 1), (self.outsider_steals, 1), (self.loses_its_alias, 1),
        ]  # fmt: skip
        names, weights = zip(*deeds, strict=True)
        for _ in range(steps):
            deed = self.random.choices(names, weights)[0]
            self.done.append(deed.__name__)
            if deed.__name__ in ("apply", "observe") and self.random.random() < 0.15:
                with self.death():
                    deed()
            else:
                with suppress(Conflict, Missing):  # a key that another has by now, say
                    deed()
            self.check_over()
        self.come_to_rest()

    @contextmanager
    def death(self) -> Iterator[None]:
        """Kill the worker somewhere on its way."""
        module, name = self.random.choice(DEADLY)
        before, turns = self.random.random() < 0.5, self.random.randrange(1, 3)
        whole = getattr(module, name)
        left = [turns]

        def deadly(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 and before:
                raise Killed
            found = whole(*args, **kwargs)
            if left[0] == 0:
                raise Killed
            return found

        with mock.patch.object(module, name, deadly):
            try:
                yield
            except Killed:
                self.killed += 1
                self.done[-1] += f" killed {'before' if before else 'after'} {name}"

    def come_to_rest(self) -> None:
        for _ in range(4):
            self.apply()
            self.observe()

    def check_over(self) -> None:
        """Nothing is counted twice, ever."""
        for usage in Usage.objects.all():
            client = usage.client_id
            assert usage.raw_up <= self.up.get(client, 0), self.story()
            assert usage.raw_down <= self.down.get(client, 0), self.story()

    def check(self) -> None:
        """The ledger is the truth, to the byte, and every sum is right."""
        for usage in Usage.objects.all():
            client = usage.client_id
            assert (usage.raw_up, usage.raw_down) == (self.up[client], self.down[client]), (
                self.story()
            )
            assert usage.billed_up + usage.billed_down <= usage.raw_up + usage.raw_down
            if not (self.killed or self.stolen) and self.billed[client] >= 0:
                assert usage.billed_up + usage.billed_down == self.billed[client], self.story()
        counted = set(Usage.objects.values_list("client_id", flat=True))
        living = set(Client.objects.values_list("pk", flat=True))
        for client in living - counted:
            assert (self.up.get(client, 0), self.down.get(client, 0)) == (0, 0), self.story()
        assert [one for one in auditing.audit() if one.violations] == [], self.story()
        assert not Job.objects.filter(finished_at=None).exists(), self.story()

    def story(self) -> str:
        return "\n".join(self.done)
