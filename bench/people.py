"""``python -m bench.people FROM TO``: clients with a device and a usage each, past the services.

All on one interface, applied and verified as an apply leaves them; keys and addresses follow from
the number of the row, so that a dump can be written for them (`dump_lines`).
"""

from __future__ import annotations

import hashlib
import sys
from base64 import b64encode
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Final
from uuid import uuid4

import django
from django.db import connection, transaction
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from bench.crowd import write
from gateways.models import Gateway, Interface
from gateways.sealing import seal_interface_key
from peers.models import Client, Peer
from quotas.models import Usage
from tenants.models import Tenant
from wireguard.types import Secret, psk_digest

TENANTS: Final = 50
#: Sold to each, and for a month; so far they have used anything between nothing and all but 1 %.
QUOTA: Final = 100 * 10**9
PART: Final = 5_000
_FIRST: Final = IPv4Address("10.0.0.2")


def fill(made: int, size: int) -> None:
    """Rows for clients number ``made`` + 1 to ``size``."""
    place = interface()
    tenants = [Tenant.objects.get_or_create(slug=f"crowd-{n}")[0] for n in range(TENANTS)]
    for begin in range(made + 1, size + 1, PART):
        part = range(begin, min(begin + PART, size + 1))
        owner = {n: tenants[n % TENANTS].pk for n in part}
        with transaction.atomic():
            write(Client, [_client(n, owner[n]) for n in part])
            write(Peer, [_peer(n, owner[n], place) for n in part])
            write(Usage, [_usage(n, owner[n]) for n in part])
    settle()


def settle() -> None:
    """What autovacuum does in time: rows that are gone are no work, and plans know the sizes."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def interface() -> Interface:
    """The interface that all devices are on."""
    gateway, _ = Gateway.objects.get_or_create(slug="elsewhere")
    identity = uuid4()
    found, _ = Interface.objects.select_related("gateway").get_or_create(
        gateway=gateway,
        name="wg0",
        defaults={
            "uuid": identity,
            "private_key": seal_interface_key(identity, Secret(key("private", 0))),
            "public_key": key("interface", 0),
            "listen_port": 51820,
            "stamp": "bench",
            "state": Interface.State.UP,
        },
    )
    return found


def key(kind: str, number: int) -> str:
    """32 bytes as WireGuard writes them, always the same for this number."""
    return b64encode(hashlib.sha256(f"{kind} {number}".encode()).digest()).decode()


def network(number: int) -> str:
    """The address of a device."""
    return f"{_FIRST + number}/32"


def _client(number: int, tenant_id: int) -> Client:
    now = timezone.now()
    return Client(
        pk=number,
        tenant_id=tenant_id,
        name=f"c{number}",
        quota_bytes=QUOTA,
        reset="month",
        starts_at=now - timedelta(days=1),
        first_connected_at=now - timedelta(days=1),
        created_at=now,
        updated_at=now,
    )


def _peer(number: int, tenant_id: int, place: Interface) -> Peer:
    now, public_key = timezone.now(), key("peer", number)
    return Peer(
        pk=number,
        tenant_id=tenant_id,
        client_id=number,
        interface=place,
        public_key=public_key,
        created_at=now,
        applied_key=public_key,
        applied_allowed_ips=network(number),
        applied_psk=psk_digest(Secret(key("psk", number))),
        applied_generation=1,
        applied_at=now,
        verified_generation=1,
        verified_at=now,
        observed_present=True,
        observed_endpoint=endpoint(number),
        last_handshake_at=now - timedelta(hours=1),
    )


def endpoint(number: int) -> str:
    """Where a device was last seen."""
    return f"{IPv4Address('100.64.0.0') + number}:51820"


def _usage(number: int, tenant_id: int) -> Usage:
    used = number * 7_919_000_000 % (QUOTA * 99 // 100)
    ends = timezone.now() + timedelta(days=9)
    return Usage(client_id=number, tenant_id=tenant_id, billed_up=used, period_ends_at=ends)


if __name__ == "__main__":
    fill(int(sys.argv[1]), int(sys.argv[2]))
