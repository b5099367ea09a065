"""PostgreSQL as the second wall: what the web role sees when nobody filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Identifier
from rest_framework.test import APIClient

from control import doctor
from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress, PeerNetwork, ShareLink
from quotas.models import Hold, Plan
from tenants import row_policies, row_security
from tenants.middleware import behind_the_wall
from tenants.models import ApiToken, Tenant, User
from tenants.row_installation import CannotInstall, faults, install
from tenants.row_security import EVERY, reach
from tests.conftest import WEB_ROLE
from tests.make import make_client, make_job, make_peer, make_tenant, make_token

pytestmark = pytest.mark.django_db


def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


def count(table: str, condition: str = "true") -> int:
    return int(ask(f'SELECT count(*) FROM "{table}" WHERE {condition}')[0][0])  # noqa: S608


@pytest.fixture
def web() -> Iterator[None]:
    """What a request is surrounded by, and nothing said yet."""
    with row_security.enforced():
        yield


@pytest.fixture
def world(acme: Tenant, evil: Tenant, interface: Interface) -> dict[str, Any]:
    """Rows of both tenants."""
    made: dict[str, Any] = {}
    for tenant in (acme, evil):
        client = make_client(tenant, name=f"{tenant.slug}'s")
        peer = make_peer(client, interface)
        job = make_job(tenant, interface=interface, items=1)
        token, text = make_token(tenant)
        made[tenant.slug] = {
            "client": client,
            "peer": peer,
            "job": job,
            "token": token,
            "text": text,
        }
    return made


@pytest.mark.usefixtures("world", "web")
def test_without_a_tenant_every_table_under_policy_is_empty() -> None:
    seen = {table: count(table) for table in row_policies.walls()}
    assert len(seen) >= 21
    assert {table: number for table, number in seen.items() if number} == {}


def test_with_a_tenant_no_row_of_another(world: dict[str, Any], acme: Tenant) -> None:
    with row_security.enforced():
        reach(tenant=str(acme.pk))
        assert [client.name for client in Client.objects.all()] == ["acme's"]
        assert list(Tenant.objects.all()) == [acme]
        for table in row_policies.walls():
            columns = {c for (c,) in ask(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = %s", table)}  # fmt: skip
            if "tenant_id" in columns:
                assert count(table, f"tenant_id <> {acme.pk} OR tenant_id IS NULL") == 0, table
        assert count("gateways_jobitem") == 1


def test_an_operator_sees_all(world: dict[str, Any]) -> None:
    with row_security.enforced():
        reach(tenant=EVERY)
        assert Client.objects.count() == 2


def test_a_row_for_another_tenant_cannot_be_written(
    world: dict[str, Any], acme: Tenant, evil: Tenant
) -> None:
    with row_security.enforced():
        reach(tenant=str(acme.pk))
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Client.objects.create(tenant_id=evil.pk, name="planted")
        # The setting outlives the rollback: it was told again.
        assert Client.objects.count() == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Client.objects.update(tenant_id=evil.pk)
        assert Client.objects.filter(pk=world["evil"]["client"].pk).update(name="x") == 0
        assert Client.objects.filter(pk=world["evil"]["client"].pk).delete()[0] == 0
    assert Client.objects.get(pk=world["evil"]["client"].pk).name == "evil's"


def test_a_token_shows_itself_and_its_tenant_alone(world: dict[str, Any], acme: Tenant) -> None:
    token: ApiToken = world["acme"]["token"]
    with row_security.enforced():
        reach(token=token.prefix)
        assert list(ApiToken.objects.all()) == [token]
        assert list(Tenant.objects.all()) == [acme]
        assert Client.objects.count() == 0
        assert ApiToken.objects.update(name="used") == 1


def test_a_person_shows_his_memberships_alone(alice: User, mallory: User, acme: Tenant) -> None:
    with row_security.enforced():
        reach(user=str(alice.pk))
        assert [m.user for m in alice.memberships.model._default_manager.all()] == [alice]
        assert list(Tenant.objects.all()) == [acme]


def test_a_share_links_digest_shows_itself_alone(world: dict[str, Any]) -> None:
    links = [
        ShareLink.objects.create(
            tenant=one["peer"].tenant, peer=one["peer"], digest=str(number) * 64
        )
        for number, one in enumerate(world.values())
    ]
    with row_security.enforced():
        reach(share=links[0].digest)
        assert list(ShareLink.objects.all()) == [links[0]]
        assert Peer.objects.count() == 0


def test_the_door_to_addresses_shows_them_and_writes_own_ones_only(
    world: dict[str, Any], acme: Tenant, evil: Tenant
) -> None:
    with row_security.enforced():
        reach(tenant=str(acme.pk))
        own = PeerAddress.objects.count()
        with row_security.door(row_security.ADDRESSES):
            assert PeerAddress.objects.count() == 2 * own
            assert Client.objects.count() == 1
            with pytest.raises(ProgrammingError), transaction.atomic():
                PeerAddress.objects.filter(tenant_id=evil.pk).update(family=4)
        assert PeerAddress.objects.count() == own


def test_audit_events_are_written_and_stay(acme: Tenant) -> None:
    with row_security.enforced():
        reach(tenant=EVERY)
        for sql in ("UPDATE audit_auditevent SET action = 'x'", "DELETE FROM audit_auditevent"):
            with pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
                ask(sql)


def test_an_interfaces_second_device_of_another_tenant_gets_another_address(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    """Allocation sees what it must: both by pool and by name."""
    for api in (alice_api, mallory_api):
        assert api.post("/api/v1/clients", {"name": "phone"}).status_code == 201
    wish = {"name": "tablet", "addresses": ["10.252.0.2"]}
    answer = mallory_api.post("/api/v1/clients", wish)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "address_taken")
    assert PeerAddress.objects.filter(family=4).count() == 2


def test_networks_of_others_are_in_the_way(
    alice_api: APIClient, mallory_api: APIClient, interface: Interface
) -> None:
    wish = {"name": "office", "networks": ["192.168.7.0/24"]}
    assert alice_api.post("/api/v1/clients", wish).status_code == 201
    answer = mallory_api.post("/api/v1/clients", wish)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "network_taken")


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_request_is_left_on_its_connection(
    alice_api: APIClient, interface: Interface
) -> None:
    """Reused after an answer, after a refusal, and after an error of the database."""
    assert alice_api.post("/api/v1/clients", {"name": "phone"}).status_code == 201
    raw = connection.connection

    def sees() -> int:
        raw.execute(SQL("SET ROLE {}").format(Identifier(WEB_ROLE)))
        try:
            return sum(count(table) for table in row_policies.walls())
        finally:
            raw.execute("RESET ROLE")

    assert sees() == 0
    assert alice_api.post("/api/v1/clients", {"nam": "x"}).status_code == 400
    assert sees() == 0
    with row_security.enforced():
        reach(tenant=EVERY)
        assert Client.objects.count() == 1
        with pytest.raises(DatabaseError):
            ask("SELECT 1/0")
        with pytest.raises(DatabaseError), transaction.atomic():
            ask("SELECT count(*) / 0 FROM peers_client")
    assert connection.connection is raw
    assert sees() == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_told_begins_the_transaction_and_says_when_it_is_lost(acme: Tenant) -> None:
    with row_security.enforced():
        reach(tenant=str(acme.pk), token="it's \\ %s")
        with transaction.atomic():
            assert row_security._status() == TransactionStatus.IDLE
            ((told, pid),) = ask("SELECT current_setting('vwg.token'), pg_backend_pid()")
            assert told == "it's \\ %s"
            with psycopg.connect(**connection.get_connection_params()) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            with pytest.raises(OperationalError, match="server closed"):
                reach(tenant=EVERY)
            transaction.set_rollback(True)
    assert Tenant.objects.filter(pk=acme.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_asked_whether_it_serves_when_its_server_said_something(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    usable = connection.is_usable

    def ask_it() -> bool:
        asked.append(usable())
        return asked[-1]

    def serve() -> int:
        connection.health_check_done = False  # type: ignore[attr-defined]  # as one begins
        behind_the_wall(lambda _: HttpResponse(ask("SELECT pg_backend_pid()")[0]))(HttpRequest())
        return int(connection.connection.info.backend_pid)

    monkeypatch.setattr(connection, "is_usable", ask_it)
    first = serve()
    assert (serve(), asked) == (first, [])
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert serve() != first
    assert asked == [False]


def test_the_command_changes_nothing_twice_and_sees_what_is_amiss() -> None:
    assert install(WEB_ROLE) == []
    assert faults(WEB_ROLE) == []
    ask("ALTER TABLE peers_client NO FORCE ROW LEVEL SECURITY")
    ask("DROP POLICY vwg_tenant ON peers_peer")
    ask("CREATE POLICY mine ON quotas_hold USING (true)")
    ask(f"GRANT DELETE ON audit_auditevent TO {WEB_ROLE}")
    assert faults(WEB_ROLE) == [
        "peers_client: row-level security is not enabled and forced",
        "peers_peer: the policy vwg_tenant is missing",
        "quotas_hold: the policy mine is none of vwg's",
        f"audit_auditevent: {WEB_ROLE} may DELETE",
    ]
    assert set(install(WEB_ROLE)) == {"peers_client", "peers_peer", "quotas_hold"}
    assert faults(WEB_ROLE) == []


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
def test_a_role_that_the_wall_does_not_hold_is_refused(power: str) -> None:
    ask(f"CREATE ROLE vwg_test_mighty {power}")
    assert "would not hold it" in faults("vwg_test_mighty")[0]
    with pytest.raises(CannotInstall):
        install("vwg_test_mighty")


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
def test_a_member_of_such_a_role_is_refused(power: str) -> None:
    ask(f"CREATE ROLE vwg_test_mighty {power}")
    ask("CREATE ROLE vwg_test_meek NOINHERIT")
    assert not any("would not hold it" in fault for fault in faults("vwg_test_meek"))
    ask("GRANT vwg_test_mighty TO vwg_test_meek")
    assert "a member of a role that is a superuser" in " ".join(faults("vwg_test_meek"))
    with pytest.raises(CannotInstall):
        install("vwg_test_meek")


def test_a_tenant_reaches_its_sandbox_and_its_tokens_but_nothing_in_it(
    world: dict[str, Any], acme: Tenant, evil: Tenant
) -> None:
    twin = make_tenant("acme-sandbox", sandbox_of=acme)
    foreign = make_tenant("evil-sandbox", sandbox_of=evil)
    make_client(twin, name="trial")
    tokens = [make_token(tenant)[0] for tenant in (twin, foreign)]
    with row_security.enforced():
        reach(tenant=str(acme.pk))
        assert set(Tenant.objects.all()) == {acme, twin}
        assert tokens[0] in ApiToken.objects.all()
        assert tokens[1] not in ApiToken.objects.all()
        assert [client.name for client in Client.objects.all()] == ["acme's"]
        with pytest.raises(ProgrammingError), transaction.atomic():
            Tenant.objects.create(slug="planted", name="planted", sandbox_of=evil)
        reach(tenant=str(twin.pk))
        assert list(Tenant.objects.all()) == [twin]
        assert [client.name for client in Client.objects.all()] == ["trial"]


def move(model: type[Model], row: Model, **changes: Any) -> None:
    """Change columns and have the deferred constraints looked at now."""
    with transaction.atomic():
        model._default_manager.filter(pk=row.pk).update(**changes)
        ask("SET CONSTRAINTS ALL IMMEDIATE")


def test_no_row_hangs_on_another_tenants(world: dict[str, Any], acme: Tenant, evil: Tenant) -> None:
    mine, theirs = world["acme"], world["evil"]
    at = timezone.now()
    hold = Hold.objects.create(
        tenant=acme, client=mine["client"], reason="manual", opened_at=at, opened_by="x"
    )
    link = ShareLink.objects.create(tenant=acme, peer=mine["peer"], digest="0" * 64)
    plan = Plan.objects.create(tenant=evil, name="theirs")
    address = PeerAddress.objects.filter(peer=mine["peer"]).first()
    network = PeerNetwork.objects.create(
        tenant=acme,
        peer=mine["peer"],
        gateway=mine["peer"].interface.gateway,
        network="192.168.9.0/24",
        start=b"0" * 16,
        end=b"1" * 16,
    )
    assert address is not None
    crossings: list[tuple[type[Model], Model, dict[str, Any]]] = [
        (Client, mine["client"], {"plan": plan}),
        (Peer, mine["peer"], {"client": theirs["client"]}),
        (Hold, hold, {"client": theirs["client"]}),
        (PeerAddress, address, {"peer": theirs["peer"]}),
        (PeerNetwork, network, {"peer": theirs["peer"]}),
        (ShareLink, link, {"peer": theirs["peer"]}),
        (Client, mine["client"], {"tenant": evil}),
    ]
    for model, row, changes in crossings:
        with pytest.raises(IntegrityError, match="same_tenant"):
            move(model, row, **changes)


def test_a_whole_client_may_move_in_one_transaction(
    world: dict[str, Any], acme: Tenant, evil: Tenant
) -> None:
    client = world["acme"]["client"]
    with transaction.atomic():
        Client.objects.filter(pk=client.pk).update(tenant=evil)
        Peer.objects.filter(client=client).update(tenant=evil)
        PeerAddress.objects.filter(peer__client=client).update(tenant=evil)
        ask("SET CONSTRAINTS ALL IMMEDIATE")
    assert Client.objects.filter(tenant=evil).count() == 2


def test_the_doctor_looks_at_the_wall_where_there_is_one(settings: Any) -> None:
    assert list(doctor._row_security()) == []
    settings.VWG_WEB_DATABASE_URL = f"postgres://{WEB_ROLE}@/vwg"
    assert [one.ok for one in doctor._row_security()] == [True]
    ask("ALTER TABLE peers_client DISABLE ROW LEVEL SECURITY")
    (found,) = doctor._row_security()
    assert "peers_client" in found.text
    assert "row_security" in found.mend
