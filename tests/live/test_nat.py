"""A customer's file is all that a customer needs: the tunnel, the gateway, the world behind it."""

from __future__ import annotations

import pytest

from tests.live.site import Site

pytestmark = [pytest.mark.wg, pytest.mark.stack]


def test_the_downloaded_file_makes_a_tunnel_to_the_gateway_and_beyond(site: Site) -> None:
    made = site.add_client("Sara's phone")
    text = site.call("GET", f"/api/v1/peers/{made['devices'][0]['id']}/config").text
    assert text == site.config_of(made)

    device = site.lab.add_client(text)

    assert device.public_key == made["devices"][0]["public_key"]
    assert device.wait_until_reaches(site.address(4)) < 5
    for address in (site.address(4), site.address(6), site.lab.beyond_ip, site.lab.beyond_ip6):
        assert device.ping(address) == 3, address


def test_a_customer_who_keeps_the_private_key_adds_it_to_the_file(site: Site) -> None:
    """The founding call knows the public key alone; the file then lacks one line."""
    device = site.lab.add_client(
        server_key=site.public_key, port=site.port, addresses=["10.252.200.7/32"]
    )
    body = {"public_key": device.public_key, "allowed_ips": ["10.252.200.7/32"]}
    site.act("POST", "/api/wg/add-peer", body)
    assert device.wait_until_reaches(site.address()) < 10
    assert device.ping(site.lab.beyond_ip) == 3


def test_a_disabled_client_reaches_nothing_and_an_enabled_one_at_once(site: Site) -> None:
    made = site.add_client("Omid's phone")
    device = site.lab.add_client(site.config_of(made))
    device.wait_until_reaches(site.address())

    site.act("POST", f"/api/v1/clients/{made['id']}/disable")
    assert device.ping(site.address(), count=5, wait=0.3) == 0
    assert device.ping(site.lab.beyond_ip, count=2, wait=0.3) == 0

    site.act("POST", f"/api/v1/clients/{made['id']}/enable")
    assert device.ping(site.lab.beyond_ip) == 3


def test_without_the_nat_table_the_host_beyond_cannot_answer(site: Site) -> None:
    """The control of the first test: it is vwg's table that lets the customer out."""
    device = site.connect("Nima's phone")
    assert device.ping(site.lab.beyond_ip) == 3
    saved = site.lab.run("nft", "list", "table", "inet", f"vwg_{site.interface}")
    site.lab.run("nft", "delete", "table", "inet", f"vwg_{site.interface}")
    try:
        assert device.ping(site.address()) == 3
        assert device.ping(site.lab.beyond_ip, count=2, wait=0.3) == 0
        assert device.ping(site.lab.beyond_ip6, count=2, wait=0.3) == 0
    finally:
        site.lab.run("nft", "-f", "-", stdin=saved)
    assert device.ping(site.lab.beyond_ip) == 3
