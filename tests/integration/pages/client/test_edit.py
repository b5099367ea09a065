"""What may be edited of a client and its devices, and what two tabs make of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from peers.models import Client, Peer
from tests.integration.pages.client.test_acts import form_of, send


def test_every_term_is_edited_behind_its_word(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    page = reseller.get(f"{path}edit/").content.decode()
    for word in ("Limits", "Dates", "More"):
        assert f"<summary>{word}</summary>" in page
    begins = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    wanted = {"starts_at": begins, "grace_seconds": "1.5 d", "metadata": '{"rack": 7, "b": "x"}'}
    send(reseller, f"{path}edit/", 303, **wanted)
    client = alice_peer.client
    client.refresh_from_db()
    assert client.starts_at is not None
    assert (client.grace_seconds, client.metadata) == (129_600, {"rack": 7, "b": "x"})
    again = form_of(reseller, f"{path}edit/")
    assert again["grace_seconds"] == "1.5 d"
    assert json.loads(again["metadata"]) == {"rack": 7, "b": "x"}
    send(reseller, f"{path}edit/", note="n")
    send(reseller, f"{path}edit/", starts_at="", grace_seconds="", metadata="")
    client = Client.objects.get(pk=client.pk)
    assert (client.starts_at, client.grace_seconds, client.metadata) == (None, 0, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starts_at", "2001-01-01T10:00"),
        ("grace_seconds", "ages"),
        ("grace_seconds", "9000000 d"),
        ("metadata", "{rack: 7}"),
        ("metadata", "[1]"),
        ("metadata", '{"a": "%s"}' % ("x" * 70_000)),
    ],
)
def test_what_is_refused_is_refused_at_its_field(
    reseller: Browser, path: str, alice_peer: Peer, field: str, value: str
) -> None:
    answer = reseller.post(f"{path}edit/", {**form_of(reseller, f"{path}edit/"), field: value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    opened = [fold.title for fold in answer.context["form"].folds if fold.is_open]
    assert opened == [{"metadata": "More"}.get(field, "Dates")]


def test_two_tabs_that_edit_metadata_do_not_undo_each_other(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    tabs = [form_of(reseller, f"{path}edit/") for _ in range(2)]
    reseller.post(f"{path}edit/", {**tabs[0], "metadata": '{"a": 1}', "grace_seconds": "2 h"})
    answer = reseller.post(f"{path}edit/", {**tabs[1], "metadata": '{"b": 2}'})
    assert answer.status_code == 409
    form = answer.context["form"]
    assert (form["metadata"].data, form["grace_seconds"].data) == ('{"b": 2}', "2 h")
    assert [one.theirs for one in answer.context["differences"]] == ['{"a": 1}']
    alice_peer.client.refresh_from_db()
    assert alice_peer.client.metadata == {"a": 1}


def test_what_is_in_a_devices_file_is_edited(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    url = f"{path}devices/{alice_peer.uuid}/edit/"
    send(
        reseller, url, dns_servers="9.9.9.9, 1.1.1.1", routes="10.0.0.0/8 192.168.4.0/24",
        endpoint_override="relay.example.net:51820", persistent_keepalive="25",
    )  # fmt: skip
    alice_peer.refresh_from_db()
    assert (alice_peer.use_server_dns, alice_peer.dns_servers) == (False, ["9.9.9.9", "1.1.1.1"])
    assert alice_peer.routes == ["10.0.0.0/8", "192.168.4.0/24"]
    assert alice_peer.endpoint_override == "relay.example.net:51820"
    assert alice_peer.persistent_keepalive == 25
    send(reseller, url, dns_servers="", routes="", endpoint_override="", persistent_keepalive="")
    again = Peer.objects.get(pk=alice_peer.pk)
    assert (again.use_server_dns, again.routes) == (True, [])
    assert (again.endpoint_override, again.persistent_keepalive) == ("", None)
    for field, value in (("dns_servers", "no dns!"), ("routes", "10.0.0.1/8")):
        answer = reseller.post(url, {**form_of(reseller, url), field: value})
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
        assert [fold.is_open for fold in answer.context["form"].folds] == [True]
