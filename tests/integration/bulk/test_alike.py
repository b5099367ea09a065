"""A bulk act leaves what its single act leaves: rows, events, devices to tell of, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from gateways.models import GlobalSetting, Interface, JobItem
from peers.models import BulkItem, BulkRun, Client, Peer, PeerAddress, PeerKey
from peers.sealing import seal_preshared_key, seal_private_key
from peers.services.bulk.acts import act_on_many
from peers.services.bulk.entries import Entry
from peers.services.bulk.runs import start
from peers.services.clients import delete_client, disable_client, enable_client, update_client
from quotas.models import Hold, Plan
from rest.errors import Refusal
from tenants.models import Tenant
from tenants.scoping import Caller
from tests.make import make_client, make_peer, make_plan
from wireguard.types import Secret

AT = timezone.now()
DAY = timedelta(days=1)
PSK = Secret("A" * 43 + "=")

State = Callable[[Client, Interface], None]


def device(client: Client, interface: Interface, **fields: Any) -> Peer:
    peer = make_peer(client, interface, **fields)
    peer.preshared_key = seal_preshared_key(peer.uuid, PSK)
    peer.save()
    PeerKey.objects.create(peer=peer, private_key=seal_private_key(peer.uuid, PSK))
    return peer


def held(*reasons: str, closed: bool = False, **fields: Any) -> State:
    """One device, and a hold for each of the reasons."""

    def bring_about(client: Client, interface: Interface) -> None:
        device(client, interface, blocked=not closed)
        for reason in reasons:
            Hold.objects.create(
                tenant=client.tenant,
                client=client,
                reason=reason,
                note="before",
                opened_at=AT - DAY,
                opened_by="someone",
                closed_at=AT - DAY / 2 if closed else None,
                closed_by="someone" if closed else "",
                **fields,
            )

    return bring_about


def with_fields(**fields: Any) -> State:
    """One device, and these fields of the client."""

    def bring_about(client: Client, interface: Interface) -> None:
        device(client, interface)
        Client.objects.filter(pk=client.pk).update(**fields)

    return bring_about


def with_devices(number: int, **fields: Any) -> State:
    def bring_about(client: Client, interface: Interface) -> None:
        for _ in range(number):
            device(client, interface, **fields)

    return bring_about


def with_a_tombstone(client: Client, interface: Interface) -> None:
    device(client, interface)
    device(client, interface, deleted_at=AT - DAY)


def on_a_plan(client: Client, interface: Interface) -> None:
    device(client, interface)
    Client.objects.filter(pk=client.pk).update(plan=Plan.objects.get(name="small"), quota_bytes=9)


STATES: Mapping[str, State] = {
    "plain": with_devices(1),
    "without a device": with_devices(0),
    "with two devices": with_devices(2),
    "with a tombstone": with_a_tombstone,
    "disabled": held("manual"),
    "disabled once": held("manual", closed=True),
    "suspended": held("suspended"),
    "disabled and suspended": held("manual", "suspended"),
    "of a suspended tenant": held("tenant-suspended"),
    "kicked, and over": held("kick", until=AT - DAY / 4),
    "over its quota and expired": held("quota", "expired"),
    "blocked by mistake": with_devices(1, blocked=True),
    "deleted": with_fields(deleted_at=AT - DAY, purge_at=AT + DAY),
    "limited": with_fields(expires_at=AT + DAY, quota_bytes=5, version=7),
    "over": with_fields(expires_at=AT - DAY, quota_bytes=0),
    "counted from its first handshake": with_fields(duration_days=30, quota_bytes=5),
    "near the end of time": with_fields(
        expires_at=AT.replace(year=2999, month=12, day=1), quota_bytes=2**63 - 2
    ),
    "tagged": with_fields(tags=["a", "b"], metadata={"a": 1, "b": True}, note="new"),
    "with a small MTU": with_devices(1, mtu=1300),
    "on a plan": on_a_plan,
}

UPDATES: Mapping[str, dict[str, Any]] = {
    "note": {"note": "new"},
    "several": {"name": "Mina", "tags": ["b"], "metadata": {"a": True}, "email": "a@example.org"},
    "nothing": {},
    "what was sold": {"quota_bytes": 7, "expires_at": AT + 9 * DAY, "duration_days": None},
    "a past end": {"expires_at": AT - DAY},
    "bad values": {"quota_bytes": -1},
    "off": {"enabled": False, "note": "off"},
    "on": {"enabled": True},
    "a plan": {"plan": "big"},
    "a plan of few devices": {"plan": "small"},
    "a plan of others": {"plan": "theirs"},
    "no plan": {"plan": None},
    "a device's name": {"device_name": "phone"},
    "names in the file": {"dns_servers": ["9.9.9.9"], "client_keepalive": 20, "note": "dns"},
    "what the server learns": {"persistent_keepalive": 25, "enabled": False},
    "an MTU": {"mtu": 1300},
    "an MTU that is too small": {"mtu": 1000},
    "no preshared key": {"preshared_key": None},
    "the same preshared key": {"preshared_key": PSK.reveal()},
}


@pytest.fixture
def caller(acme: Tenant, evil: Tenant) -> Caller:
    make_plan(acme, name="big", total_bytes=99, duration_days=30, devices=5)
    make_plan(acme, name="small", total_bytes=9, devices=1)
    make_plan(evil, name="theirs")
    actor = Actor("token", "t-1", "alice", address="192.0.2.1")
    return Caller(acme, "", frozenset({"*"}), actor)


def made(caller: Caller, interface: Interface, run: str) -> dict[str, Client]:
    """A client in each of the states."""
    found = {}
    for name, bring_about in STATES.items():
        client = make_client(caller.tenant, name="Sara", external_id=f"{run} {name}")
        bring_about(client, interface)
        found[name] = client
    return found


def left(client: Client) -> dict[str, Any]:
    """All that is stored of a client, less what names the rows themselves."""
    own = Client.objects.get(pk=client.pk)
    peers = list(Peer.objects.filter(client=own).order_by("pk"))
    keys = {peer.public_key: f"key {place}" for place, peer in enumerate(peers)}
    rows = AuditEvent.objects.filter(target_id=str(own.uuid)).order_by("pk")
    return {
        "client": columns(own, "external_id", "updated_at", "created_at"),
        "holds": [
            columns(one, "client", "opened_at" if one.note == "before" else "")
            for one in Hold.objects.filter(client=own).order_by("pk")
        ],
        "devices": [
            {
                **columns(peer, "client", "public_key", "preshared_key", "created_at"),
                "preshared": bool(peer.preshared_key),
                "private": PeerKey.objects.filter(peer=peer).exists(),
                "addresses": PeerAddress.objects.filter(peer=peer).count(),
                "told": JobItem.objects.filter(peer=peer, public_key=peer.public_key).count(),
            }
            for peer in peers
        ],
        "events": [
            {
                **columns(one, "target_id", "created_at"),
                "before": _without(one.before, keys),
                "after": _without(one.after, keys),
            }
            for one in rows
        ],
    }


def columns(row: Model, *less: str) -> dict[str, Any]:
    dropped = {"id", "uuid", *less}
    return {
        field.name: repr(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if field.name not in dropped
    }


def _without(values: dict[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """Event values, with their keys named by their place."""
    return {
        name: [keys[one] for one in value] if name == "public_keys" else value
        for name, value in values.items()
    }


def alone(
    caller: Caller, act: Callable[..., Any], client: Client, **given: Any
) -> tuple[str, str | None]:
    """What stands against a single act: code and field."""
    try:
        act(caller=caller, client_id=client.uuid, at=AT, **given)
    except Refusal as refusal:
        return refusal.code, refusal.field
    return "", None


def together(
    caller: Caller,
    action: str,
    clients: Mapping[str, Client],
    values: Mapping[str, Any],
    **how: Any,
) -> dict[str, tuple[str, str | None]]:
    """What stands against each in one request."""
    entries = [
        Entry(index, client=client.uuid, values=values)
        for index, client in enumerate(clients.values())
    ]
    started = start(caller=caller, action=action, entries=entries, at=AT, **how)
    assert started.outcomes is not None
    assert [one.entry.index for one in started.outcomes] == list(range(len(clients)))
    found = [one.failure for one in started.outcomes]
    return {
        name: (failure.code, failure.field) if failure else ("", None)
        for name, failure in zip(clients, found, strict=True)
    }


ACTS: Mapping[str, tuple[str, Callable[..., Any], dict[str, Any]]] = {
    "enable": ("enable", enable_client, {}),
    "disable": ("disable", disable_client, {}),
    "disable with a note": ("disable", disable_client, {"note": "unpaid"}),
    "delete": ("delete", delete_client, {}),
}


def compare(
    caller: Caller,
    interface: Interface,
    action: str,
    act: Callable[..., Any],
    values: dict[str, Any],
    given: dict[str, Any],
) -> None:
    """Twins in each state: the one by its single act, the other among all in one request."""
    ones, others = made(caller, interface, "one"), made(caller, interface, "other")
    refused = {name: alone(caller, act, client, **given) for name, client in ones.items()}
    assert together(caller, action, others, values) == refused
    for name, client in ones.items():
        assert left(others[name]) == left(client), name
    assert set(refused.values()) != {("not_found", None)}


@pytest.mark.parametrize("keeps", [86_400, 0])
@pytest.mark.parametrize("name", ACTS)
def test_acts(caller: Caller, interface: Interface, name: str, keeps: int) -> None:
    GlobalSetting.objects.update(undelete_seconds=keeps)
    action, act, values = ACTS[name]
    compare(caller, interface, action, act, values, values)


@pytest.mark.parametrize("name", UPDATES)
def test_updates(caller: Caller, interface: Interface, name: str) -> None:
    changes = dict(UPDATES[name])
    if changes.get("plan"):
        changes["plan"] = Plan.objects.get(name=changes["plan"]).uuid
    compare(caller, interface, "update", update_client, changes, {"changes": changes})


@pytest.mark.parametrize("values", [{"days": 40}, {"bytes": 2}, {"days": 1, "bytes": 1}])
def test_extensions(caller: Caller, interface: Interface, values: dict[str, int]) -> None:
    """They have no single act: a request for one, and a request for all."""

    def extend(*, caller: Caller, client_id: Any, at: Any) -> None:
        entry = Entry(0, client=client_id, values=values)
        (outcome,), _ = act_on_many(caller=caller, action="extend", entries=[entry], at=at)
        if outcome.failure is not None:
            failure = outcome.failure
            raise Refusal(failure.message, field=failure.field, code=failure.code)

    compare(caller, interface, "extend", extend, values, {})


@pytest.mark.parametrize("action", ["enable", "disable", "delete", "update", "extend"])
@pytest.mark.parametrize("how", ["dry_run", "all_or_nothing"])
def test_what_must_not_stay_leaves_every_state_as_it_is(
    caller: Caller, interface: Interface, action: str, how: str
) -> None:
    clients = made(caller, interface, "one")
    before = {name: left(client) for name, client in clients.items()}
    said: dict[str, dict[str, Any]] = {
        "update": {"note": "x", "enabled": False},
        "extend": {"bytes": 1},
    }
    values = said.get(action, {})
    refused = together(caller, action, clients, values, **{how: True})
    assert refused["deleted"] == ("not_found", None)
    assert ("rolled_back", None) in refused.values() or how == "dry_run"
    assert {name: left(client) for name, client in clients.items()} == before
    assert BulkRun.objects.count() == (how == "all_or_nothing")
    assert BulkItem.objects.count() == (how == "all_or_nothing") * len(clients)
