"""One database for a module: 20,000 clients of 20 tenants, and a small interface among theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM
from control.apply import apply_interface
from control.observe import observe_interface
from gateways.drivers import forget_memory, memory_station
from gateways.hints import publisher
from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress
from peers.services.clients import create_client
from quotas.models import CounterRun, Hold, LedgerSegment, Meter, Session, Usage, UsageBucket
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.conftest import bearer
from tests.integration.scale.rows import FIRST, analyze, key, later, multiply, new_uuid
from tests.make import make_gateway, make_interface, make_tenant, make_token

CLIENTS: Final = 20_000
TENANTS: Final = 20
FEW: Final = 10
GB: Final = 10**9


@dataclass(frozen=True)
class Crowd:
    """Where the few live that are asked about, and one of the many."""

    at: datetime
    interface: Interface
    tenant: Tenant
    client: Client
    api: APIClient

    def move(self, size: int) -> None:
        """Each device of the small interface has counted so much."""
        driver = memory_station(self.interface).driver
        now = int(timezone.now().timestamp())
        for name in driver.read().peers:
            driver.report(name, rx_bytes=size, tx_bytes=size, latest_handshake=now)

    def observe(self) -> None:
        """A tick of the small interface."""
        found = observe_interface(interface_id=self.interface.pk)
        assert found is not None
        assert not found.drift


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[Crowd]:
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(publisher, "leave", lambda _: None)
        forget_memory()
        made = _make()
        analyze()
        connection.check_constraints()  # once and for all: each test would check all of it again
        yield made
        transaction.set_rollback(True)
        forget_memory()


def _make() -> Crowd:
    at = datetime.now(UTC).replace(microsecond=0)
    interface = make_interface(stamp="0b8f7f4e-0000-4000-8000-000000000001")
    tenants = [make_tenant(f"crowd-{number}") for number in range(TENANTS)]
    assert [one.pk - tenants[0].pk for one in tenants] == list(range(TENANTS))
    places = [_place(number) for number in range(4)]
    assert [one.pk - places[0].pk for one in places] == list(range(4))
    _crowd(tenants[0], places[0], at)
    _few(tenants[7], interface, at)
    _, token = make_token(tenants[7], operator=False)
    client = Client.objects.filter(tenant=tenants[7], pk__gt=FIRST).earliest("pk")
    made = Crowd(at, interface, tenants[7], client, bearer(token))
    made.move(1000)
    made.observe()
    return made


def _place(number: int) -> Interface:
    return make_interface(
        gateway=make_gateway("elsewhere"), name=f"wg{number}", is_default=False,
        addresses=[f"10.{number}.0.1/16"], listen_port=51900 + number,
    )  # fmt: skip


def _few(tenant: Tenant, interface: Interface, at: datetime) -> None:
    """A few clients on the small interface, as the services and an apply leave them."""
    caller = Caller(tenant=tenant, operator="", scopes=frozenset({"*"}), actor=SYSTEM)
    for number in range(FEW):
        create_client(
            caller=caller, name=f"Few {number}", interface=interface, at=at, quota_bytes=100 * GB
        )
    apply_interface(interface_id=interface.pk)


def _crowd(tenant: Tenant, place: Interface, at: datetime) -> None:
    """One of everything for each ``i``; the first tenant and place stand for those after them."""
    whose = {"tenant_id": f"{tenant.pk} + i %% {TENANTS}", "uuid": new_uuid()}
    where = {"interface_id": f"{place.pk} + i %% 4"}
    each = {"client_id": f"{FIRST} + i", "peer_id": f"{FIRST} + i", "meter_id": f"{FIRST} + i"}
    of = {"tenant_id": whose["tenant_id"], **each, **where}
    week = timedelta(days=7)
    multiply(
        Client(quota_bytes=100 * GB, reset="month", starts_at=at - week, created_at=at,
               updated_at=at, first_connected_at=at - week, email="sara@example.org"),
        CLIENTS, **whose, name="'Client ' || i", external_id="'order-' || i",
        expires_at=later(at, "60 * (i - 20)"),
    )  # fmt: skip
    multiply(
        Peer(created_at=at, applied_generation=1, verified_generation=1, observed_present=True,
             applied_allowed_ips="10.0.0.2/32", last_handshake_at=at - week),
        CLIENTS, uuid=whose["uuid"], **of, public_key=key(), applied_key=key(),
    )  # fmt: skip
    pool = place.pools.get()
    multiply(
        PeerAddress(pool=pool, gateway_id=place.gateway_id, family=4),
        CLIENTS, **of, address="'10.' || (i %% 4) || '.' || (i / 250 + 1) || '.' || (i %% 250 + 1)",
    )  # fmt: skip
    run = CounterRun.objects.create(interface=place, boot_id="b", stamp="s", began_at=at - week)
    multiply(
        Meter(run=run, incarnation=1, rx=10, tx=10, seq=1, sampled_at=at, raw_up=10, raw_down=10,
              billed_up=10, billed_down=10, client_name="Client"),
        CLIENTS, **of, peer_uuid=new_uuid(), client_uuid=new_uuid(),
    )  # fmt: skip
    multiply(
        Usage(billed_up=10, billed_down=10, period_began_at=at - week),
        CLIENTS, **of, period_ends_at=later(at, "i - 20"),
    )  # fmt: skip
    _ledger(of, at)
    own = {"uuid": new_uuid(), "client_id": f"{FIRST} + i * 10"}
    own["tenant_id"] = f"{tenant.pk} + i * 10 %% {TENANTS}"
    hold = Hold(reason="manual", opened_at=at - week, opened_by="shop")
    multiply(hold, CLIENTS // 10, **own, until=later(at, "i - 20"))
    hold.reason, hold.closed_at, hold.closed_by = "quota", at, "vwg"
    multiply(hold, CLIENTS, **whose, client_id=each["client_id"], id=f"{FIRST} * 2 + i")


def _ledger(of: dict[str, str], at: datetime) -> None:
    quarter = at.replace(minute=at.minute // 15 * 15, second=0)
    segment = LedgerSegment(
        incarnation=1, from_rx=0, to_rx=10, from_tx=0, to_tx=10, billed_up=10, billed_down=10,
        sampled_at=at,
    )  # fmt: skip
    segment.quarter = quarter
    multiply(segment, CLIENTS, **of)
    segment.rolled_up, back = True, f"{FIRST} * 2 + i"
    multiply(segment, CLIENTS, **of, id=back, quarter=later(quarter, "-15 - 15 * (i %% 2000)"))
    bucket = UsageBucket(seconds=900, raw_up=10, raw_down=10, billed_up=10, billed_down=10)
    multiply(bucket, CLIENTS, **of, begins_at=later(quarter, "-15 - 15 * (i %% 2000)"))
    multiply(
        Session(began_at=at, ended_at=at, up=1, down=1), CLIENTS, **of,
        began_at=later(at, "-i"),
    )  # fmt: skip
