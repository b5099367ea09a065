"""Prepared queries give what their querysets give, compiled once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef, Value
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from gateways.models import Interface
from peers.models import Client, Peer, PeerAddress
from tenants.models import ApiToken, Tenant
from tenants.prepared import Prepared
from tests.make import make_client, make_peer, make_plan, make_token


def columns(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_a_row_is_read_as_its_queryset_reads_it(acme: Tenant) -> None:
    client = make_client(
        acme, tags=["ä%s"], metadata={"a": [1, None]}, expires_at=timezone.now(), quota_bytes=2**40
    )
    client.plan = make_plan(acme)
    client.save()
    make_client(acme)
    query = Prepared(
        lambda tenant, uuid: (
            Client.objects.filter(tenant_id=tenant, uuid=uuid)
            .select_related("plan")
            .annotate(percent=Value("100 %"), quote=Value("it's"))
        ),
        int,
        UUID,
    )
    found = query.first(acme.pk, client.uuid)
    assert found is not None
    expected = Client.objects.get(pk=client.pk)
    assert columns(found) == {**columns(expected), "percent": "100 %", "quote": "it's"}
    assert columns(found.plan) == columns(expected.plan)
    assert (found._state.adding, found._state.db) == (False, "default")
    assert query.first(acme.pk, uuid4()) is None
    assert query.first(acme.pk + 1, client.uuid) is None


def test_lists_of_any_length(acme: Tenant) -> None:
    clients = [make_client(acme) for _ in range(9)]
    query: Prepared[Client] = Prepared(
        lambda ids, name: Client.objects.filter(pk__in=ids, name=name).order_by("-pk"), [int], str
    )
    for number in range(10):
        ids = [client.pk for client in clients[:number]]
        assert [one.pk for one in query(ids, "Sara")] == ids[::-1]
    assert query([2**62, clients[0].pk], "Sara") == [clients[0]]
    assert query([clients[0].pk], "'; DROP TABLE x --%s") == []


def test_moments_annotations_values_and_unions(acme: Tenant, interface: Interface) -> None:
    now = timezone.now()
    client = make_client(acme, expires_at=now)
    peer = make_peer(client, interface)
    since: Prepared[Client] = Prepared(
        lambda at: Client.objects.filter(expires_at__gte=at).annotate(
            has=Exists(Peer.objects.filter(client=OuterRef("pk")))
        ),
        datetime,
    )
    assert [bool(vars(one)["has"]) for one in since(now)] == [True]
    assert since(now + timedelta(microseconds=1)) == []
    pairs: Prepared[tuple[int, str]] = Prepared(
        lambda ids: (
            PeerAddress.objects.filter(peer_id__in=ids)
            .values_list("peer_id", "address")
            .union(Peer.objects.filter(pk__in=ids).values_list("pk", "public_key"), all=True)
        ),
        [int],
    )
    assert sorted(pairs([peer.pk])) == sorted(
        [
            (peer.pk, "10.252.0.2"),
            (peer.pk, "fd52:7677:6721::2"),
            (peer.pk, peer.public_key),
        ]
    )


def test_rows_with_fewer_columns_fetch_the_others_on_demand(acme: Tenant) -> None:
    token, _ = make_token(acme)
    query = Prepared(
        lambda pk: (
            ApiToken.objects.filter(pk=pk)
            .select_related("tenant", "user")
            .only("name", "tenant__slug", "user__username")
        ),
        int,
    )
    found = query.first(token.pk)
    assert found is not None
    assert (found.tenant.slug, found.user) == ("acme", None)
    assert found.tenant.get_deferred_fields() >= {"name", "status"}
    assert found.tenant.name == acme.name


def test_the_statement_is_written_once(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    query: Prepared[Client] = Prepared(lambda pk: Client.objects.filter(pk=pk), int)
    client = make_client(acme)
    query(client.pk)

    def refuse(self: SQLCompiler, *_: Any, **__: Any) -> Any:
        raise AssertionError("compiled again")

    monkeypatch.setattr(SQLCompiler, "as_sql", refuse)
    with django_assert_num_queries(1):
        assert query(client.pk) == [client]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            assert cursor.fetchone()[0] > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda pk: Client.objects.filter(pk__gt=0), ValueError),
        (lambda pk: Client.objects.filter(pk=pk).annotate(x=Value(1.5)), TypeError),
    ],
)
def test_what_cannot_be_compiled_once_is_refused(build: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Prepared(build, int)(1)
