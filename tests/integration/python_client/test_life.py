"""The Python client does what it says, against the API itself."""

from __future__ import annotations

from typing import Any

import pytest
from vwg_client import (
    Conflict,
    External,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    Stale,
    Unauthorized,
    Unreachable,
    Vwg,
    etag_of,
)

from gateways.models import GlobalSetting, Interface
from peers.models import Client
from rest import idempotency
from tests.integration.python_client.conftest import InProcess
from tests.make import make_interface


@pytest.fixture(autouse=True)
def _sellable(interface: Interface) -> None:
    GlobalSetting.objects.update(endpoint_address="vpn.example.org")


def test_the_life_of_a_client(vwg: Vwg) -> None:
    order = External("order/4711")
    plan = vwg.plans.create(name="Gold", duration_days=30)
    made = vwg.clients.create(name="Sara", external_id=str(order), plan=plan["id"])
    assert made["job"]["status"] == "pending"
    assert "[Interface]" in vwg.clients.config(order)
    assert vwg.clients.qr_svg(order).startswith(b"<svg") or b"<svg" in vwg.clients.qr_svg(order)
    assert vwg.clients.suspend(order, reason="unpaid")["state"] == "suspended"
    assert vwg.clients.unsuspend(order)["state"] in ("active", "pending")
    vwg.clients.change_plan(order, plan=None)
    changed = vwg.clients.update(order, note="pays by the month", if_match=None)
    assert changed["note"] == "pays by the month"
    (device,) = vwg.clients.devices(order)
    assert vwg.devices.get(device["id"])["public_key"] == device["public_key"]
    rotated = vwg.clients.rotate_keys(order)
    assert rotated["devices"][0]["public_key"] != device["public_key"]
    assert vwg.clients.terminate(order)["state"] == "deleted"
    with pytest.raises(NotFound):
        vwg.clients.get(order)
    assert vwg.clients.restore(made["id"])["external_id"] == "order/4711"
    vwg.clients.delete(order)
    actions = [event["action"] for event in vwg.events.list(target=made["id"])]
    assert actions.count("client.created") == 1


def test_every_row_of_a_list_comes_once(vwg: Vwg, wire: InProcess) -> None:
    for number in range(7):
        vwg.clients.create(name=f"c{number}")
    wire.sent.clear()
    names = [client["name"] for client in vwg.clients.list(limit=3, ordering="name")]
    assert names == [f"c{number}" for number in range(7)]
    assert len(wire.sent) == 3


def test_a_lost_answer_makes_no_second_client(vwg: Vwg, wire: InProcess) -> None:
    wire.lose_request, wire.lose_answer = 1, 1
    made = vwg.clients.create(name="Sara")
    assert Client.objects.get().uuid.hex == made["id"].replace("-", "")
    keys = {headers["Idempotency-Key"] for _, _, headers in wire.sent}
    assert (len(wire.sent), len(keys)) == (3, 1)


def test_silence_names_the_key_with_which_to_ask_again(vwg: Vwg, wire: InProcess) -> None:
    wire.lose_answer = 5
    with pytest.raises(Unreachable) as lost:
        vwg.clients.create(name="Sara")
    made = vwg.clients.create(name="Sara", idempotency_key=lost.value.idempotency_key)
    assert [client["id"] for client in vwg.clients.list()] == [made["id"]]


def test_a_try_that_never_ends_leaves_the_key(vwg: Vwg, monkeypatch: pytest.MonkeyPatch) -> None:
    def claimed(*_: object, **__: object) -> None:
        raise idempotency._in_progress()

    monkeypatch.setattr(idempotency, "_claim", claimed)
    with pytest.raises(Unreachable, match="an earlier try still runs") as lost:
        vwg.clients.create(name="Sara", idempotency_key="order-1")
    assert lost.value.idempotency_key == "order-1"


def test_a_deletion_whose_answer_was_lost_is_done(vwg: Vwg, wire: InProcess) -> None:
    made = vwg.clients.create(name="Sara")
    wire.lose_answer = 1
    vwg.clients.delete(made["id"])
    with pytest.raises(NotFound):
        vwg.clients.delete(made["id"])


def test_a_conditional_change_is_never_sent_twice(vwg: Vwg, wire: InProcess) -> None:
    made = vwg.clients.create(name="Sara")
    wire.sent.clear()
    wire.lose_answer = 1
    with pytest.raises(Unreachable):
        vwg.clients.update(made["id"], note="a", if_match=made)
    assert len(wire.sent) == 1
    with pytest.raises(Stale):
        vwg.clients.update(made["id"], note="b", if_match=made)


def test_what_was_read_is_what_a_change_is_bound_to(vwg: Vwg, wire: InProcess) -> None:
    order = External("order-1")
    made = vwg.clients.create(name="Sara", external_id=str(order))
    kept = etag_of(made)
    read = vwg.clients.update(order, note="a", if_match=made)
    assert wire.sent[-1][2]["If-Match"] == kept
    with pytest.raises(Stale):
        vwg.clients.suspend(order, if_match=kept)
    vwg.clients.delete(order, if_match=read)
    again = vwg.clients.create(name="Omid", external_id=str(order))
    with pytest.raises(Stale):
        vwg.clients.update(order, note="not for him", if_match=kept)
    with pytest.raises(Stale):
        vwg.clients.delete(order, if_match=kept)
    assert vwg.clients.get(order)["version"] == again["version"]
    for row in vwg.clients.list():
        with pytest.raises(ValueError, match="read it by itself"):
            vwg.clients.update(order, note="b", if_match=row)


def test_refusals_are_errors_that_name_the_field(vwg: Vwg, operator_vwg: Vwg) -> None:
    with pytest.raises(Invalid) as refused:
        vwg.clients.create(name="a\nb")
    assert refused.value.errors[0]["field"] == "name"
    assert refused.value.code == "characters"
    vwg.clients.create(name="Sara", external_id="1", idempotency_key="k")
    with pytest.raises(Conflict) as refused_too:
        vwg.clients.create(name="Omid", external_id="1")
    assert refused_too.value.code == "external_id_taken"
    with pytest.raises(KeyReused):
        vwg.clients.create(name="Omid", idempotency_key="k")
    with pytest.raises(Forbidden):
        list(vwg.gateways.list())
    with pytest.raises(Unauthorized):
        Vwg("http://testserver", "vwg_x_y", sender=vwg.transport.sender).tenant.me()


def test_many_at_once(vwg: Vwg) -> None:
    done = vwg.clients.bulk(
        {"action": "create", "items": [{"name": "a", "external_id": "1"}, {"name": "b\n"}]},
        idempotency_key="k",
    )
    results: Any = done.get("results")
    assert [one["outcome"] for one in results] == ["done", "failed"]
    extended: Any = vwg.clients.bulk(
        {"action": "extend", "external_ids": ["1"], "arguments": {"days": 30}}
    )
    assert [one["error"]["code"] for one in extended["results"]] == ["not_limited"]


def test_operators_see_what_an_edit_does(operator_vwg: Vwg, interface: Interface) -> None:
    (found,) = operator_vwg.interfaces.list()
    said = operator_vwg.interfaces.update(found["id"], mtu=1380, dry_run=True)["preview"]
    assert said["live"] == ["mtu"]
    interface.refresh_from_db()
    assert interface.mtu is None
    operator_vwg.interfaces.update(found["id"], mtu=1380)
    make_interface(name="wg1", addresses=["10.9.0.1/24"], listen_port=1, is_default=False)
    assert [one["name"] for one in operator_vwg.interfaces.list()] == ["wg0", "wg1"]
    assert operator_vwg.settings.get()["endpoint_address"] == "vpn.example.org"


def test_the_token_is_in_no_repr(vwg: Vwg, alice_token: str) -> None:
    assert alice_token not in repr(vwg.transport)
