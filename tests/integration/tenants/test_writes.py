"""Prepared writes store what the ORM's own store, compiled once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.sql.compiler import SQLInsertCompiler, SQLUpdateCompiler
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress, PeerNetwork
from tenants.models import Tenant
from tenants.writes import Insert, Update
from tests.make import make_client, make_job, make_plan, make_public_key

pytestmark = pytest.mark.django_db
M = TypeVar("M", bound=Model)
MOMENT = datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)
KEY = make_public_key()


def stored(row: Model) -> dict[str, Any]:
    """The columns as another reader finds them, less those that are its own."""
    found = type(row)._default_manager.values().get(pk=row.pk)
    return {name: value for name, value in found.items() if name not in ("id", "uuid")}


def as_the_orm_does(build: Callable[[], M], monkeypatch: pytest.MonkeyPatch) -> M:
    """Write ``build()`` in both ways and compare. Returns the prepared one."""
    monkeypatch.setattr(timezone, "now", lambda: MOMENT + timedelta(days=1))
    one, other = build(), build()
    assert Insert(type(one))(one) == [one.pk]
    other.save(force_insert=True)
    assert (one._state.adding, one._state.db) == (False, "default")
    assert vars(one).keys() == vars(other).keys()
    assert stored(one) == stored(other)
    assert {type(value) for value in vars(one).values()} == {
        type(value) for value in vars(other).values()
    }
    return one


def test_a_row_is_stored_as_its_save_stores_it(
    acme: Tenant, interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(acme)
    plain = as_the_orm_does(lambda: Client(tenant=acme, name="ä 'x' %s"), monkeypatch)
    assert stored(plain)["tags"] == []
    full = as_the_orm_does(
        lambda: Client(
            tenant=acme,
            name="Sara",
            tags=["ä%s", "'"],
            metadata={"a": [1, None, {"b": "\\"}]},
            plan=plan,
            quota_bytes=2**62,
            expires_at=MOMENT,
            duration_days=30,
        ),
        monkeypatch,
    )
    as_the_orm_does(
        lambda: Peer(
            tenant=acme,
            client=full,
            interface=interface,
            public_key=KEY,
            deleted_at=MOMENT,
            mtu=1400,
            routes=["0.0.0.0/0"],
            blocked=True,
        ),
        monkeypatch,
    )

    def event(address: str | None) -> Callable[[], AuditEvent]:
        return lambda: AuditEvent(
            tenant=acme,
            actor_kind="token",
            actor_name="shop",
            action="client.created",
            after={"name": "ä", "n": 1.5},
            address=address,
            by_operator=address is None,
        )

    for address in (None, "192.0.2.7", "2001:db8::1"):
        as_the_orm_does(event(address), monkeypatch)


def test_rows_get_their_keys_in_order(acme: Tenant) -> None:
    new = Insert(Client)
    for number in (1, 3, 2):
        rows = [Client(tenant=acme, name=f"{n}") for n in range(number)]
        assert new(*rows) == [row.pk for row in rows]
        assert [Client.objects.get(pk=row.pk).name for row in rows] == [row.name for row in rows]


def test_a_row_that_is_taken_is_left_out_or_raises(acme: Tenant) -> None:
    make_client(acme, external_id="7")

    def rows() -> list[Client]:
        return [Client(tenant=acme, name="x", external_id=known) for known in ("7", "8")]

    with pytest.raises(IntegrityError), transaction.atomic():
        Insert(Client)(*rows())
    assert Client.objects.count() == 1
    tried = rows()
    (key,) = Insert(Client, unless_taken=True)(*tried)
    assert Client.objects.get(pk=key).external_id == "8"
    assert [row.pk for row in tried] == [None, None]
    if connection.vendor == "postgresql":  # SQLite leaves out whatever it refuses
        with pytest.raises(IntegrityError), transaction.atomic():
            Insert(Client, unless_taken=True)(Client(tenant=acme, name=""))


def test_an_update_sets_and_finds_by_what_is_given(acme: Tenant) -> None:
    client = make_client(acme)
    keep = Update(Client, ("metadata", "note", "expires_at"), where=("id", "uuid", "version"))
    values = ({"a": None}, "it's 100 %", MOMENT)
    assert keep(values, (client.pk, client.uuid, 2)) == 0
    assert Client.objects.get().metadata == {}
    assert keep(values, (client.pk, client.uuid, 1)) == 1
    found = Client.objects.get()
    assert (found.metadata, found.note, found.expires_at) == values


def test_a_statement_is_written_once(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    def refuse(self: Any, *_: Any, **__: Any) -> Any:
        raise AssertionError("compiled")

    new, rename = Insert(Client), Update(Client, ("name",), where=("id",))
    for compiler in (SQLInsertCompiler, SQLUpdateCompiler):
        monkeypatch.setattr(compiler, "as_sql", refuse)
    with django_assert_num_queries(4):
        for name in ("a", "b"):
            row = Client(tenant=acme, name=name)
            new(row)
            assert rename((name * 2,), (row.pk,)) == 1
    assert len(new._statements) == len(rename._statements) == 1
    assert sorted(Client.objects.values_list("name", flat=True)) == ["aa", "bb"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ['INSERT INTO "peers_client"%'],
            )
            assert cursor.fetchone()[0] == 1


def test_what_the_database_refuses_is_raised(acme: Tenant) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Insert(Client)(Client(tenant=acme, name=""))
    job = make_job(acme)
    with pytest.raises(DatabaseError), transaction.atomic():
        Update(type(job), ("status",), where=("id",))((None,), (job.pk,))


def test_rows_of_more_than_plain_columns_are_refused() -> None:
    with pytest.raises(TypeError, match="PeerNetwork"):
        Insert(PeerNetwork)(PeerNetwork())
    assert Insert(PeerAddress)._write(2)[0].count("(%s") == 2
