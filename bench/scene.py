"""Steps that run inside vwg's own code, each a process of its own in the stack's environment.

``python -m bench.scene STEP [NUMBER]`` prints one line of JSON.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from typing import Any
from unittest import mock
from uuid import uuid4

import django
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.test import Client as WebClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from control import bootfile, observe
from gateways.drivers import station
from gateways.models import AddressPool, Interface, Job
from gateways.outbox import Wish, enqueue
from peers.models import Client, Peer, PeerAddress
from peers.sealing import seal_preshared_key
from tenants.models import Tenant
from wireguard.drivers.cli import CliDriver
from wireguard.types import Dump, Secret


def fill(number: int) -> dict[str, Any]:
    """Write ``number`` clients with a device each, and one job for all; the job and the moment."""
    begin = time.time()
    at = timezone.now()
    tenant = Tenant.objects.get(slug="default")
    with transaction.atomic():
        interface = Interface.objects.get(is_default=True)
        tag = secrets.token_hex(2)
        clients = Client.objects.bulk_create(
            (Client(tenant=tenant, name=f"bench {tag} {n}") for n in range(number)), batch_size=500
        )
        peers = Peer.objects.bulk_create(
            (_peer(client, interface) for client in clients), batch_size=500
        )
        for pool in AddressPool.objects.select_for_update(no_key=True).filter(interface=interface):
            _give(pool, peers)
        job = enqueue(
            kind=Job.Kind.CREATE,
            tenant_id=tenant.pk,
            actor_name="bench",
            wishes=[Wish(interface.pk, peer.pk, peer.public_key) for peer in peers],
            at=at,
        )
    from_commit = time.time()
    time.sleep(0.3)  # the hint is published by a thread of this process
    return {"job": str(job.uuid), "begin": begin, "committed": from_commit}


def _peer(client: Client, interface: Interface) -> Peer:
    """As `POST /api/v1/clients` makes one by default: with a preshared key."""
    identity = uuid4()
    psk = Secret(b64encode(secrets.token_bytes(32)).decode())
    return Peer(
        uuid=identity,
        tenant_id=client.tenant_id,
        client=client,
        interface=interface,
        public_key=b64encode(secrets.token_bytes(32)).decode(),
        preshared_key=seal_preshared_key(identity, psk),
    )


def _give(pool: AddressPool, peers: list[Peer]) -> None:
    first = ip_address(pool.first) + pool.next_offset
    PeerAddress.objects.bulk_create(
        (
            PeerAddress(
                gateway_id=pool.gateway_id,
                tenant_id=peer.tenant_id,
                pool=pool,
                address=str(first + place),
                family=pool.family,
                peer=peer,
            )
            for place, peer in enumerate(peers)
        ),
        batch_size=500,
    )
    AddressPool.objects.filter(pk=pool.pk).update(next_offset=F("next_offset") + len(peers))


def look(active: int) -> dict[str, Any]:
    """Three observations, in each of which the counters of ``active`` devices have moved."""
    interface = Interface.objects.select_related("gateway").get(is_default=True)
    keys = list(Peer.objects.values_list("applied_key", flat=True)[:active])
    spent: list[float] = []
    locked: list[float] = []
    for turn in range(4):
        with mock.patch.object(CliDriver, "read", _moving(CliDriver.read, keys, turn)):
            begin = time.perf_counter()
            found = observe.observe_interface(interface_id=interface.pk)
            spent.append(time.perf_counter() - begin)
        assert found is not None
        assert not found.drift, found.summary
        post = station(interface)
        begin = time.perf_counter()
        post.driver.read()
        locked.append(time.perf_counter() - begin)
    return {"seconds": spent[1:], "dump_seconds": locked[1:]}


def _moving(read: Callable[[Any], Dump], keys: list[str], turn: int) -> Callable[[Any], Dump]:
    """A reading in which these devices have counted more than in the last turn."""

    def moved(driver: CliDriver) -> Dump:
        dump = read(driver)
        bytes_so_far = 1500 * (turn + 1) + int(time.time())
        for key in keys:
            status = dump.peers[key]
            dump.peers[key] = status._replace(rx_bytes=bytes_so_far, tx_bytes=bytes_so_far)
        return dump

    return moved


def boot(_: int) -> dict[str, Any]:
    """The boot file written by a process for the first time, and again."""
    interface = Interface.objects.select_related("gateway").get(is_default=True)
    spent: list[float] = []
    peers = 0
    for _round in range(4):
        begin = time.process_time(), time.perf_counter()
        peers = bootfile.write(interface)
        spent.append(time.perf_counter() - begin[1])
    return {"seconds": spent, "peers": peers}


def queries(_: int) -> dict[str, Any]:
    """The statements of a POST and of a list page, counted in process. The token is on stdin."""
    token = sys.stdin.readline().strip()
    web = WebClient(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")
    found: dict[str, Any] = {}
    calls: dict[str, Callable[[], Any]] = {
        "post": lambda: web.post(
            "/api/wg/add-peer",
            {"public_key": b64encode(secrets.token_bytes(32)).decode()},
            content_type="application/json",
        ),
        "order": lambda: web.post(
            "/api/v1/clients",
            {"name": "Counted"},
            content_type="application/json",
            headers={"Idempotency-Key": secrets.token_hex(16)},
        ),
        "list": lambda: web.get("/api/v1/clients?limit=50"),
        "one": lambda: web.get(f"/api/v1/clients/{_newest(web)}"),
    }
    for name, call in calls.items():
        call()
        with CaptureQueriesContext(connection) as captured:
            answer = call()
        assert answer.status_code < 300, answer.content
        found[name] = [query["sql"] for query in captured.captured_queries]
    return found


@cache
def _newest(web: WebClient) -> str:
    return str(web.get("/api/v1/clients?limit=1").json()["results"][0]["id"])


STEPS: dict[str, Callable[[int], dict[str, Any]]] = {
    "fill": fill,
    "look": look,
    "boot": boot,
    "queries": queries,
}

if __name__ == "__main__":
    assert settings.VWG_DRIVER == "cli"
    print(json.dumps(STEPS[sys.argv[1]](int((sys.argv[2:] or ["0"])[0]))))
