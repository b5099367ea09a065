"""The customer's file: what is in it, what is never in it, and under which name it comes."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from rest_framework.test import APIClient

from gateways.models import Gateway, GlobalSetting, Interface
from peers.models import Client, Peer
from tests.conftest import bearer
from tests.make import make_client, make_peer, make_public_key, make_token
from wireguard.config import parse
from wireguard.types import DeviceConfig

URL = "/api/v1/clients"


def create(api: APIClient, **fields: Any) -> dict[str, Any]:
    answer = api.post(URL, {"name": "Sara", **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def file_of(api: APIClient, body: dict[str, Any]) -> str:
    answer = api.get(f"{URL}/{body['id']}/config")
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def parsed(text: str) -> DeviceConfig:
    return parse(text)


def test_the_file_is_one_that_wireguard_reads_with_everything_in_it(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, preshared_key=make_public_key())
    config = parsed(file_of(alice_api, body))
    peer = config.peers[0]
    assert config.interface.private_key is not None
    assert config.interface.addresses == ("10.252.0.2/32", "fd52:7677:6721::2/128")
    assert config.interface.mtu == 1420
    assert peer.public_key == interface.public_key
    assert peer.preshared_key is not None
    assert peer.allowed_ips == ("0.0.0.0/0", "::/0")
    assert peer.persistent_keepalive == 25
    assert peer.endpoint == "203.0.113.10:51820"


def test_no_name_and_no_note_is_in_the_file(alice_api: APIClient, interface: Interface) -> None:
    words = {"name": "Zaphod", "note": "Trillian", "email": "ford@example.org", "tags": ["Marvin"]}
    text = file_of(alice_api, create(alice_api, **words, external_id="Slarti"))
    for word in ("Zaphod", "Trillian", "ford", "Marvin", "Slarti", "#"):
        assert word not in text


def test_a_file_without_its_private_key_has_a_place_for_it(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, public_key=make_public_key())
    text = file_of(alice_api, body)
    assert text.splitlines()[1].startswith("# PrivateKey = (")
    assert parsed(text).interface.private_key is None
    answer = alice_api.get(f"{URL}/{body['id']}/config?format=json")
    assert answer.json()["private_key_known"] is False
    assert answer["X-VWG-Private-Key-Known"] == "false"


def test_settings_are_inherited_from_the_nearest_that_has_them(
    alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)

    def seen() -> tuple[Any, ...]:
        config = parsed(file_of(alice_api, body))
        peer = config.peers[0]
        return (
            peer.endpoint,
            config.interface.dns,
            config.interface.mtu,
            peer.persistent_keepalive,
            peer.allowed_ips,
        )

    every = ("0.0.0.0/0", "::/0")
    assert seen() == ("203.0.113.10:51820", (), 1420, 25, every)
    GlobalSetting.objects.update(
        endpoint_address="2001:db8::7",
        dns_servers=["9.9.9.9"],
        mtu=1400,
        persistent_keepalive=0,
        default_routes=["10.0.0.0/8"],
    )
    assert seen() == ("[2001:db8::7]:51820", ("9.9.9.9",), 1400, None, ("10.0.0.0/8",))
    Gateway.objects.update(endpoint_address="192.0.2.7")
    assert seen()[0] == "192.0.2.7:51820"
    Interface.objects.update(endpoint_address="192.0.2.8:443", dns_servers=["8.8.8.8"], mtu=1390)
    assert seen()[:3] == ("192.0.2.8:443", ("8.8.8.8",), 1390)
    alice_api.patch(
        f"{URL}/{body['id']}",
        {
            "endpoint_override": "192.0.2.9:99",
            "dns_servers": [],
            "mtu": 1380,
            "client_keepalive": 15,
            "routes": ["172.16.0.0/12"],
        },
    )
    assert seen() == ("192.0.2.9:99", (), 1380, 15, ("172.16.0.0/12",))
    alice_api.patch(f"{URL}/{body['id']}", {"client_keepalive": 0, "dns_servers": None})
    assert seen()[1:4] == (("8.8.8.8",), 1380, None)


def test_an_endpoint_may_be_a_host_name(alice_api: APIClient, interface: Interface) -> None:
    Interface.objects.update(endpoint_address="vpn.example.com")
    assert "Endpoint = vpn.example.com:51820\n" in file_of(alice_api, create(alice_api))


def test_without_any_endpoint_it_is_409_with_the_remedy(
    alice_api: APIClient, interface: Interface, settings: Any
) -> None:
    settings.VWG_ENDPOINT = ""
    answer = alice_api.get(f"{URL}/{create(alice_api)['id']}/config")
    assert answer.status_code == 409
    assert "VWG_ENDPOINT" in answer.json()["detail"]


def test_a_blocked_client_still_gets_its_file(alice_api: APIClient, interface: Interface) -> None:
    assert "PrivateKey" in file_of(alice_api, create(alice_api, enabled=False))


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("", "*/*", "text/plain; charset=utf-8"),
        ("?format=conf", "application/json", "text/plain; charset=utf-8"),
        ("?format=qr-svg", "*/*", "image/svg+xml"),
        ("?format=qr-png", "*/*", "image/png"),
        ("", "image/svg+xml", "image/svg+xml"),
        ("", "image/png", "image/png"),
        ("", "application/json", "application/json"),
    ],
)
def test_format_decides_then_accept_and_nothing_is_stored_by_caches(
    query: str, accept: str, media: str, alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api)
    for url in (f"{URL}/{body['id']}", f"/api/v1/peers/{body['devices'][0]['id']}"):
        answer = alice_api.get(f"{url}/config{query}", headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer["Content-Type"] == media
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_format_is_400(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    answer = alice_api.get(f"{URL}/{body['id']}/config?format=exe")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "format"


def test_the_qr_code_is_an_image_and_no_text(alice_api: APIClient, interface: Interface) -> None:
    body = create(alice_api)
    svg = alice_api.get(f"{URL}/{body['id']}/config?format=qr-svg").content
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"Sara" not in svg
    png = alice_api.get(f"{URL}/{body['id']}/config?format=qr-png").content
    assert io.BytesIO(png).read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Sara's phone", "sara-s-phone"),
        ("Zoë", "zoe"),
        ("../../etc/cron.d/x", "etc-cron-d-x"),
        ('x"; filename=y', "x-filename-y"),
        ("a very long name of a client", "a-very-long-nam"),
        ("CON", None),
        ("nul", None),
        ("سارا", None),
        ("😀", None),
    ],
)
def test_the_file_name_is_safe_everywhere_and_an_interfaces_name(
    name: str, stem: str | None, alice_api: APIClient, interface: Interface
) -> None:
    body = create(alice_api, name=name)
    disposition = alice_api.get(f"{URL}/{body['id']}/config")["Content-Disposition"]
    match = re.fullmatch(r'attachment; filename="([a-z0-9-]{1,15})\.conf"', disposition)
    assert match is not None
    assert match[1] == (stem or f"vwg-{body['devices'][0]['id'][:8]}")


def test_a_token_without_the_scope_gets_no_file(
    acme: Any, alice_client: Client, alice_peer: Peer
) -> None:
    from_scopes = make_token_api(acme, ["clients:read"])
    assert from_scopes.get(f"{URL}/{alice_client.uuid}").status_code == 200
    assert from_scopes.get(f"{URL}/{alice_client.uuid}/config").status_code == 403


def make_token_api(tenant: Any, scopes: list[str]) -> APIClient:
    return bearer(make_token(tenant, scopes=scopes)[1])


def test_a_deleted_device_has_no_file(
    alice_api: APIClient, acme: Any, interface: Interface
) -> None:
    client = make_client(acme)
    peer = make_peer(client, interface)
    alice_api.delete(f"{URL}/{client.uuid}")
    assert alice_api.get(f"/api/v1/peers/{peer.uuid}/config").status_code == 404
