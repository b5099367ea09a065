"""An export holds all of a tenant, nothing of another, and secrets only on demand."""

from __future__ import annotations

import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import SYSTEM, Actor, Target, record
from audit.models import AuditEvent
from peers.models import Client, PeerKey, ShareLink
from peers.sealing import open_preshared_key, open_private_key
from peers.services.switching import disable_client
from quotas.models import Plan, Session, Usage
from resellers import export
from tenants.models import ApiToken, Tenant, User
from tenants.scoping import Caller
from tests.conftest import bearer
from tests.integration.control.conftest import Gateway
from tests.integration.usage.ledger import use
from tests.make import make_client, make_peer, make_token, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/tenant/export"


@pytest.fixture
def full(gateway: Gateway, acme: Tenant, evil: Tenant, alice: User, mallory: User) -> Gateway:
    """A client with everything, and another tenant's."""
    plan = Plan.objects.create(tenant=acme, name="Gold")
    made = gateway.add("Sara", networks=["192.168.7.0/24"], external_id="order-1", email="s@x.org")
    Client.objects.filter(pk=made.client.pk).update(plan=plan)
    disable_client(
        caller=Caller(acme, "", frozenset({"*"}), SYSTEM),
        client_id=made.client.uuid, note="unpaid", at=timezone.now(),
    )  # fmt: skip
    ShareLink.objects.create(tenant=acme, peer=made.peer, digest="digest-of-the-link", name="phone")
    make_peer(make_client(evil, name="Foreign"), gateway.interface)
    make_token(acme, name="machine")
    make_token(evil, name="foreign")
    return gateway


def taken(answer: Any) -> bytes:
    """The whole of an answer; Django's test client closes it behind the last byte."""
    assert answer.status_code == 200
    data: bytes = answer.getvalue()
    return data


def read(data: bytes | str) -> list[dict[str, Any]]:
    text = data.decode() if isinstance(data, bytes) else data
    return [json.loads(line) for line in text.splitlines()]


def one(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (only,) = [line for line in found if line["kind"] == kind]
    return only


def test_all_of_a_tenant_is_in_it_and_nothing_of_another(
    full: Gateway, alice_api: APIClient
) -> None:
    answer = alice_api.post(URL)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"].startswith('attachment; filename="acme-')
    data = taken(answer)
    found = read(data)
    client = one(found, "client")
    assert (client["name"], client["external_id"], client["email"]) == (
        "Sara",
        "order-1",
        "s@x.org",
    )
    assert client["plan"] == str(Plan.objects.get().uuid)
    assert [hold["note"] for hold in client["holds"]] == ["unpaid"]
    (device,) = client["devices"]
    assert device["addresses"] == ["10.252.0.2", "fd52:7677:6721::2"]
    assert (device["networks"], device["interface"]) == (["192.168.7.0/24"], "wg0")
    assert [link["name"] for link in device["share_links"]] == ["phone"]
    assert {"rx_bytes", "tx_bytes", "last_handshake_at"} <= device.keys()
    member = one(found, "member")
    assert (member["email"], member["username"]) == ("alice@example.org", None)
    assert one(found, "plan")["name"] == "Gold"
    assert {line["name"] for line in found if line["kind"] == "token"} == {"alice", "machine"}
    assert [line["action"] for line in found if line["kind"] == "event"][:2] == [
        "client.created", "client.disabled",
    ]  # fmt: skip
    assert (found[0]["kind"], found[-1]["kind"]) == ("export", "end")
    counted = Counter(line["kind"] for line in found)
    assert found[-1]["counts"] == {k: n for k, n in counted.items() if k not in ("export", "end")}
    for foreign in ("Foreign", "evil", "mallory"):
        assert foreign not in data.decode()


def test_what_the_api_tells_operators_alone_is_in_theirs_alone(
    full: Gateway, acme: Tenant, alice_api: APIClient, operator_api: APIClient, tmp_path: Path
) -> None:
    make_token(acme, name="of the house", operator=True)
    house = Actor("user", "7", "oscar", "203.0.113.77", by_operator=True)
    alice = Actor("user", "8", "alice", "198.51.100.8")
    for actor in (house, alice):
        record(actor=actor, action="x.y", target=Target("tenant", "1", "acme", acme.pk))
    make_user("nameless", tenant=acme, role="viewer", email="")

    def said(data: bytes | str) -> tuple[set[str], set[str], list[str]]:
        found = read(data)
        return (
            {line["name"] for line in found if line["kind"] == "token"} - {"alice", "machine"},
            {line["address"] for line in found if line.get("action") == "x.y"} - {None},
            sorted(str(line["username"]) for line in found if line["kind"] == "member"),
        )

    names = ["None", "nameless"]
    assert said(taken(alice_api.post(URL))) == (set(), {"198.51.100.8"}, names)
    theirs = taken(operator_api.post(f"/api/v1/tenants/{acme.uuid}/export"))
    everything = ({"of the house"}, {"203.0.113.77", "198.51.100.8"}, ["alice", "nameless"])
    assert said(theirs) == everything
    out = tmp_path / "acme.jsonl"
    call_command("export_tenant", tenant="acme", out=str(out))
    assert said(out.read_text()) == everything


def test_no_secret_is_in_it(full: Gateway, alice_api: APIClient) -> None:
    text = taken(alice_api.post(URL)).decode()
    peer = full.interface.peers.get(tenant__slug="acme")
    psk = open_preshared_key(peer.uuid, peer.preshared_key)
    own = open_private_key(peer.uuid, PeerKey.objects.get(peer=peer).private_key)
    assert psk is not None
    secrets = [
        psk.reveal(),
        own.reveal(),
        peer.preshared_key,
        "digest-of-the-link",
        full.interface.private_key,
    ]
    secrets += ApiToken.objects.values_list("digest", flat=True)
    assert [secret for secret in secrets if secret in text] == []
    for name in ("private_key", "preshared_key", "digest"):
        assert f'"{name}"' not in text


def test_it_is_an_event(full: Gateway, alice_api: APIClient, acme: Tenant) -> None:
    taken(alice_api.post(URL))
    event = AuditEvent.objects.get(action="tenant.exported")
    assert (event.tenant, event.actor_name, event.after) == (acme, "alice", {"with_secrets": False})


def test_it_costs_the_same_queries_for_more_clients(
    full: Gateway, acme: Tenant, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        full.add()
    with django_assert_max_num_queries(24):
        assert sum('"client"' in line for line in export.lines(acme, at=timezone.now())) > 20


def test_chunks_meet_each_row_once(
    full: Gateway, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_CHUNK", 2)
    names = {full.add(f"c{n}").client.name for n in range(5)} | {"Sara"}
    found = read("".join(export.lines(acme, at=timezone.now())))
    assert sorted(line["name"] for line in found if line["kind"] == "client") == sorted(names)


def test_who_may(
    full: Gateway,
    acme: Tenant,
    evil: Tenant,
    viewer: User,
    auditor: User,
    anonymous_api: APIClient,
    operator_api: APIClient,
    alice_api: APIClient,
    mallory_api: APIClient,
) -> None:
    theirs = f"/api/v1/tenants/{acme.uuid}/export"
    manager = make_user("manuel", tenant=acme, role="manager")
    for user in (viewer, manager, auditor):
        browser = APIClient()
        browser.force_login(user)
        assert browser.post(URL).status_code == 403, user
        assert browser.post(theirs).status_code == 403, user
    assert anonymous_api.post(URL).status_code == 401
    assert bearer(make_token(acme, scopes=["*:read"])[1]).post(URL).status_code == 403
    assert alice_api.post(theirs).status_code == 403
    assert mallory_api.post(theirs).status_code == 403
    assert "Sara" not in taken(mallory_api.post(URL)).decode()
    assert one(read(taken(operator_api.post(theirs))), "client")["name"] == "Sara"
    missing = f"/api/v1/tenants/{'0' * 8}-0000-4000-8000-{'0' * 12}/export"
    assert operator_api.post(missing).status_code == 404
    assert alice_api.post(URL, {"x": 1}).status_code == 400
    assert alice_api.post(f"{URL}?x=1").status_code == 400
    assert alice_api.get(URL).status_code == 405


def test_the_command_writes_a_file_for_its_owner_alone(full: Gateway, tmp_path: Path) -> None:
    out = tmp_path / "acme.jsonl"
    call_command("export_tenant", tenant="acme", out=str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "private_key" not in out.read_text()
    call_command("export_tenant", tenant="acme", out=str(out), with_secrets=True)
    (device,) = one(read(out.read_text()), "client")["devices"]
    assert len(device["private_key"]) == len(device["preshared_key"]) == 44
    assert list(tmp_path.iterdir()) == [out]


def test_the_command_says_what_is_wrong(full: Gateway, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no tenant"):
        call_command("export_tenant", tenant="nobody", out=str(tmp_path / "x"))
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_tenant", tenant="acme", out=str(tmp_path / "none" / "x"))


def test_what_was_used_is_in_it_as_the_statements_say(
    full: Gateway, acme: Tenant, evil: Tenant, alice_api: APIClient
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(timezone="Asia/Tehran")
    sara = full.interface.peers.get(tenant=acme)
    other = full.interface.peers.get(tenant=evil)
    began = datetime(2026, 1, 31, 21, tzinfo=UTC)  # half past midnight of February, there
    before = began - timedelta(hours=1)
    for peer, at, number in ((sara, before, 5), (sara, began, 7), (other, began, 9)):
        use(peer, at, up=number, down=2 * number)
    Usage.objects.update_or_create(
        client=sara.client,
        defaults={"tenant": acme, "billed_up": 12, "extra_bytes": 3, "period": 4},
    )
    Session.objects.create(peer=sara, tenant=acme, began_at=began, endpoint="198.51.100.7:1")
    Session.objects.create(peer=other, tenant=evil, began_at=began, endpoint="203.0.113.9:1")
    data = taken(alice_api.post(URL))
    found = read(data)
    usage = one(found, "client")["usage"]
    assert (usage["billed_up"], usage["extra_bytes"], usage["period"]) == (12, 3, 4)
    assert one(found, "session")["endpoint"] == "198.51.100.7:1"
    assert one(found, "session")["device"] == str(sara.uuid)
    meter = one(found, "meter")
    assert (meter["device"], meter["client"]) == (str(sara.uuid), str(sara.client.uuid))
    assert one(found, "usage").keys() >= {"billed_up", "sold_bytes", "period"}
    lines = [line for line in found if line["kind"] == "statement"]
    assert [(line["begins_at"], line["name"], line["used"]["raw_up"]) for line in lines] == [
        ("2025-12-31T20:30:00Z", "Sara", 5),
        ("2026-01-31T20:30:00Z", "Sara", 7),
    ]
    assert "203.0.113.9" not in data.decode()
