"""``python -m bench.crowd TENANTS CLIENTS``: a portal's worth of rows, written past the services.

The clients live on gateways elsewhere, whose workers are not on this machine. Prints one line of
JSON: for each tenant a token, and the ids of some of its clients.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import django
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, Model
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from gateways.models import AddressPool, Gateway, Interface
from peers.models import Client, Peer, PeerAddress, PeerKey
from peers.sealing import seal_preshared_key, seal_private_key
from quotas.models import Hold, Meter, Plan
from tenants.models import ApiToken, Tenant
from tenants.tokens import issue
from wireguard.types import Secret

PER_GATEWAY = 10_000
SHOWN = 100


def crowd(tenants: int, clients: int) -> list[dict[str, Any]]:
    """So many tenants with as many clients in all; what callers need to know of them."""
    chance = random.Random(20)
    places = [_place(number) for number in range(-(-clients // PER_GATEWAY))]
    made = [_tenant(number) for number in range(tenants)]
    rows = list(_clients(clients, [tenant for tenant, _ in made]))
    for start in range(0, clients, PER_GATEWAY):
        _house(rows[start : start + PER_GATEWAY], places[start // PER_GATEWAY], chance)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [_shown(tenant, token, rows, chance) for tenant, token in made]


def _tenant(number: int) -> tuple[Tenant, str]:
    tenant = Tenant.objects.create(
        slug=f"crowd-{number}", name=f"Crowd {number}", requests_per_minute=10**6
    )
    token, text = issue(tenant=tenant, name="shop", scopes=["*"])
    ApiToken.objects.filter(pk=token.pk).update(requests_per_minute=10**6)
    for gigabytes in (10, 50, 100):
        Plan.objects.create(
            tenant=tenant,
            name=f"{gigabytes} GB",
            total_bytes=gigabytes * 10**9,
            duration_days=30,
        )
    return tenant, text


def _place(number: int) -> AddressPool:
    """An interface of a gateway elsewhere; its one pool."""
    gateway = Gateway.objects.create(slug=f"elsewhere-{number}", location="Elsewhere")
    interface = Interface.objects.create(
        gateway=gateway,
        name="wg0",
        private_key="",
        public_key=make_key(),
        listen_port=51820,
        addresses=["10.0.0.1/16"],
        enabled=False,
        state=Interface.State.UP,
    )
    return AddressPool.objects.create(
        gateway=gateway,
        interface=interface,
        name="IPv4",
        network="10.0.0.0/16",
        family=4,
        first="10.0.0.2",
        last="10.0.255.254",
        size=2**16 - 3,
        next_offset=PER_GATEWAY,
    )


def _clients(number: int, tenants: Sequence[Tenant]) -> Iterator[Client]:
    now = timezone.now()
    plans = {tenant.pk: list(tenant.plans.order_by("pk")) for tenant in tenants}
    first = (Client.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    for place in range(number):
        tenant = tenants[place % len(tenants)]
        plan = plans[tenant.pk][place % 3] if place % 2 else None
        yield Client(
            pk=first + place,
            tenant=tenant,
            name=f"Customer {place}",
            external_id=f"order-{place}",
            email=f"customer{place}@example.org",
            note="pays by the month",
            tags=["gold"] if place % 10 == 0 else [],
            metadata={"order": place},
            plan=plan,
            quota_bytes=None if plan is None else plan.total_bytes,
            expires_at=now + timedelta(days=30),
            created_by="shop",
            created_at=now,
            updated_at=now,
        )


def _house(clients: Sequence[Client], pool: AddressPool, chance: random.Random) -> None:
    """A device for each of the clients, applied and seen; one in twenty is switched off."""
    now = timezone.now()
    first_peer = (Peer.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    base = int(ip_address(pool.first))
    peers, keys, addresses, holds, meters = [], [], [], [], []
    for place, client in enumerate(clients):
        off = chance.random() < 0.05
        peer = Peer(
            pk=first_peer + place,
            tenant_id=client.tenant_id,
            client=client,
            interface_id=pool.interface_id,
            public_key=make_key(),
            blocked=off,
            created_at=now,
            applied_generation=1,
            verified_generation=1,
            applied_at=now,
            verified_at=now,
            observed_present=not off,
            last_handshake_at=now - timedelta(seconds=chance.randrange(86_400)),
        )
        peer.preshared_key = seal_preshared_key(peer.uuid, Secret(make_key()))
        peer.applied_key = peer.public_key
        peers.append(peer)
        meters.append(_meter(peer, client, chance))
        keys.append(PeerKey(peer=peer, private_key=seal_private_key(peer.uuid, Secret(make_key()))))
        text = str(ip_address(base + place))
        addresses.append(_address(pool, peer, text))
        if off:
            holds.append(_hold(client))
    with transaction.atomic():
        write(Client, clients)
        write(Peer, peers)
    Meter.objects.bulk_create(meters, batch_size=500)
    PeerKey.objects.bulk_create(keys, batch_size=500)
    PeerAddress.objects.bulk_create(addresses, batch_size=500)
    Hold.objects.bulk_create(holds, batch_size=500)


def _meter(peer: Peer, client: Client, chance: random.Random) -> Meter:
    up, down = chance.randrange(10**9), chance.randrange(10**10)
    return Meter(
        peer=peer,
        peer_uuid=peer.uuid,
        client=client,
        tenant_id=client.tenant_id,
        interface_id=peer.interface_id,
        client_uuid=client.uuid,
        client_name=client.name,
        external_id=client.external_id,
        raw_up=up,
        raw_down=down,
        billed_up=up,
        billed_down=down,
    )


def _address(pool: AddressPool, peer: Peer, text: str) -> PeerAddress:
    return PeerAddress(
        gateway_id=pool.gateway_id,
        tenant_id=peer.tenant_id,
        pool=pool,
        address=text,
        family=4,
        peer=peer,
    )


def _hold(client: Client) -> Hold:
    return Hold(
        tenant_id=client.tenant_id,
        client=client,
        reason="manual",
        opened_at=timezone.now(),
        opened_by="shop",
    )


def write(model: type[Model], rows: Sequence[Model]) -> None:
    """Rows with their primary keys, the short way of each database."""
    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    table = model._meta.db_table
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
        for row in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
            for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
                cursor.execute(statement)
        else:
            marks = ", ".join(["%s"] * len(fields))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
            cursor.executemany(statement, values)


def make_key() -> str:
    """A public key that nobody has the private half of."""
    return b64encode(secrets.token_bytes(32)).decode()


def _shown(
    tenant: Tenant, token: str, rows: Sequence[Client], chance: random.Random
) -> dict[str, Any]:
    own = [client for client in rows if client.tenant_id == tenant.pk]
    some = chance.sample(own, min(SHOWN, len(own)))
    return {
        "token": token,
        "ids": [str(client.uuid) for client in some],
        "names": [client.name for client in some],
        "external_ids": [client.external_id for client in some],
    }


if __name__ == "__main__":
    print(json.dumps(crowd(int(sys.argv[1]), int(sys.argv[2]))))
