"""/api/v1/interfaces: what tenants see of them, and what operators do to them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from gateways.models import AddressPool, Interface, Job
from gateways.sealing import open_interface_key
from peers.models import Peer
from tenants.models import Tenant, User
from tests.integration.operators.conftest import acts
from tests.make import make_client, make_gateway, make_interface, make_peer
from tests.tags import stateless, tag
from wireguard.keys import public_key_of

INTERFACES = "/api/v1/interfaces"
NEW = {"gateway": "local", "name": "wg1", "addresses": ["10.253.0.1/16"], "listen_port": 51821}


def url(interface: Interface) -> str:
    return f"{INTERFACES}/{interface.uuid}"


def test_an_interface_is_made_with_keys_pools_and_a_job(
    operator_api: APIClient, interface: Interface
) -> None:
    made = operator_api.post(
        INTERFACES, {**NEW, "label": "Gaming", "addresses": ["10.253.0.1/16", "fd53::1/64"]}
    )
    assert made.status_code == 201, made.content
    body = made.json()
    row = Interface.objects.get(uuid=body["id"])
    assert public_key_of(open_interface_key(row.uuid, row.private_key)) == body["public_key"]
    assert [pool.network for pool in row.pools.order_by("family")] == ["10.253.0.0/16", "fd53::/64"]
    assert not body["is_default"]
    job = Job.objects.get(uuid=body["job"]["id"])
    assert (job.kind, job.items.get().interface) == ("link", row)
    read = operator_api.get(made["Location"])
    assert read.json() == {k: v for k, v in body.items() if k != "job"}
    assert (read["ETag"], stateless(read["ETag"])) == (made["ETag"], tag(body, 1))
    assert "private_key" not in made.content.decode()
    assert acts() == ["interface.created"]


def test_the_first_one_is_the_default(operator_api: APIClient) -> None:
    make_gateway()
    assert operator_api.post(INTERFACES, NEW).json()["is_default"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("name", bad) for bad in ("", "x" * 16, "a/b", "-h", "a b", "..", "all", "a\n", "é", 7)],
        *[
            ("addresses", bad)
            for bad in (
                [], ["10.253.0.1"] * 2, ["10.6/16"], ["010.253.0.1/16"], ["::ffff:10.66.0.1/96"],
                ["fe80::1%eth0/64"], ["10.253.0.1/33"], ["10.253.0.1/16 "], ["$(id)"], "10.0.0.1/8",
                [f"10.{n}.0.1/24" for n in range(9)], [1],
            )
        ],
        *[("listen_port", bad) for bad in (0, 65536, -1, "51820", 51820.5, True, None)],
        *[("mtu", bad) for bad in (0, 575, 65536, "1420abc", 1420.5, True)],
        *[("dns_servers", bad) for bad in (["1.1.1.1"] * 50, ["a\nb"], ["1.1.1.1 PostUp=x"])],
        *[("endpoint_address", bad) for bad in ("host:99999", "http://h", "a\nb", "[::1", "é.x")],
        *[("firewall_mark", bad) for bad in (-1, 2**32, "1", True)],
        *[("table", bad) for bad in ("a b", "-x", "a;b", "x" * 17)],
        *[("post_up", bad) for bad in (["a\nb"], ["a # b"], [" a"], [""], "a", ["x" * 1001], [7])],
        ("restart_policy", "sometimes"),
        ("backend", "rust"),
        ("nat", "yes"),
        ("enabled", 1),
        ("label", "a\u202eb"),
        ("private_key", "x"),
        ("simulated", True),
        ("gateway", "nowhere"),
        ("surprise", 1),
    ],
)  # fmt: skip
def test_bad_values_are_refused(
    field: str, value: Any, operator_api: APIClient, interface: Interface
) -> None:
    answer = operator_api.post(INTERFACES, {**NEW, field: value})
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["field"].split(".")[0] == field
    if field not in ("gateway", "simulated"):
        assert operator_api.patch(url(interface), {field: value}).status_code == 400
    interface.refresh_from_db()
    assert (Interface.objects.count(), Job.objects.count(), interface.version) == (1, 0, 1)
    assert acts() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "wg0"}, "interface_name_taken"),
        ({"listen_port": 51820}, "port_taken"),
        ({"addresses": ["10.252.7.1/24"]}, "pool_overlaps"),
        ({"addresses": ["10.252.7.1/32"]}, "pool_overlaps"),
        ({"addresses": ["10.253.0.1/16", "10.253.0.2/16"]}, "pool_overlaps"),
    ],
)
def test_what_stands_against_a_new_one(
    changes: dict[str, Any], code: str, operator_api: APIClient, interface: Interface
) -> None:
    answer = operator_api.post(INTERFACES, {**NEW, **changes})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, code)
    assert (Interface.objects.count(), AddressPool.objects.count()) == (1, 2)


def test_ipv6_needs_1280_bytes(operator_api: APIClient, interface: Interface) -> None:
    assert operator_api.patch(url(interface), {"mtu": 1279}).status_code == 400
    assert operator_api.post(INTERFACES, {**NEW, "mtu": 1279}).status_code == 201


def test_sellers_see_what_they_sell_on_and_nothing_of_its_inside(
    alice_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    hidden = make_interface(
        name="wg1", addresses=["10.253.0.1/16"], listen_port=51821, is_default=False
    )
    acme.limits_interfaces = True
    acme.save(update_fields=["limits_interfaces"])
    acme.interfaces.add(interface)
    (seen,) = alice_api.get(INTERFACES).json()["results"]
    assert seen == {
        "id": str(interface.uuid), "name": "wg0", "label": "", "gateway": "local", "location": "",
        "country": "", "ipv6": True, "is_default": True, "up": False, "version": 1,
        "addresses_left": True, "public_key": interface.public_key, "observed_at": None,
    }  # fmt: skip
    assert alice_api.get(url(interface)).json() == seen
    foreign, none = (
        alice_api.get(f"{INTERFACES}/{one}")
        for one in (hidden.uuid, "00000000-0000-4000-8000-000000000000")
    )
    assert (foreign.status_code, foreign.content) == (none.status_code, none.content)
    assert foreign.status_code == 404


def test_who_may(
    alice_api: APIClient, anonymous_api: APIClient, auditor_api: APIClient, interface: Interface
) -> None:
    assert anonymous_api.get(INTERFACES).status_code == 401
    assert auditor_api.get(url(interface)).json()["listen_port"] == 51820
    for api in (alice_api, auditor_api):
        assert api.post(INTERFACES, NEW).status_code == 403
        assert api.patch(url(interface), {"label": "x"}).status_code == 403
        assert api.delete(url(interface)).status_code == 403
        assert api.post(f"{url(interface)}/rotate-key").status_code == 403
    interface.refresh_from_db()
    assert interface.version == 1


def test_the_list_costs_the_same_for_many(
    operator_api: APIClient,
    interface: Interface,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, 20):
        make_interface(
            name=f"wg{number}", addresses=[f"10.{number}.0.1/24"], listen_port=52000 + number,
            is_default=False,
        )  # fmt: skip
    with django_assert_max_num_queries(4):
        assert len(operator_api.get(INTERFACES).json()["results"]) == 20


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": "x"}, {}),
        ({"restart_policy": "never"}, {}),
        ({"mtu": 1380}, {"live": ["mtu"], "outdates_files": True}),
        ({"firewall_mark": 7}, {"live": ["firewall_mark"]}),
        ({"nat": False}, {"live": ["nat"]}),
        ({"listen_port": 51900}, {"rebinds_socket": True, "outdates_files": True}),
        ({"endpoint_address": "x.example"}, {"outdates_files": True}),
        ({"dns_servers": ["9.9.9.9"]}, {"outdates_files": True}),
        ({"post_up": ["true"]}, {"next_bring_up": ["post_up"]}),
        ({"table": "off"}, {"next_bring_up": ["table"]}),
        ({"enabled": False}, {"ends_sessions": True}),
    ],
)
def test_an_edit_says_what_it_does_before_it_does_it(
    changes: dict[str, Any], said: dict[str, Any], operator_api: APIClient, alice_peer: Peer
) -> None:
    interface = alice_peer.interface
    Peer.objects.update(delivered_generation=3)
    outdates = bool(said.get("outdates_files"))
    wanted = {
        "changes": list(changes), "live": [], "next_bring_up": [], "rebinds_socket": False,
        "ends_sessions": False, "outdates_files": False, "devices": 1,
        "files_outdated": int(outdates), **said,
    }  # fmt: skip
    dry = operator_api.patch(f"{url(interface)}?dry_run=true", changes)
    assert {k: v for k, v in dry.json()["preview"].items() if k != "summary"} == wanted
    assert (dry.json()["job"], stateless(dry["ETag"]), acts()) == (None, tag(interface, 1), [])
    done = operator_api.patch(url(interface), changes)
    assert done.json()["preview"] == dry.json()["preview"]
    interface.refresh_from_db()
    assert (interface.version, interface.config_generation) == (2, 1 + outdates)
    assert {name: getattr(interface, name) for name in changes} == changes
    reaches_link = bool({"live", "rebinds_socket", "ends_sessions"} & said.keys())
    assert (done.json()["job"] is not None) == reaches_link
    assert acts() == ["interface.updated"]
    assert Peer.objects.filter(generation=1).exists()  # no peer is touched


def test_what_was_read_can_be_sent_back(operator_api: APIClient, interface: Interface) -> None:
    answer = operator_api.patch(url(interface), operator_api.get(url(interface)).json())
    assert (answer.status_code, stateless(answer["ETag"])) == (200, tag(interface, 1))
    answer = operator_api.patch(url(interface), {"public_key": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "read_only")


def test_what_was_read_can_be_sent_back_though_it_was_observed_meanwhile(
    operator_api: APIClient, interface: Interface
) -> None:
    read = operator_api.get(url(interface)).json()
    now = timezone.now()
    Interface.objects.update(observed_at=now, observed_peers=7, state="up", cutoff={"armed": 1})
    answer = operator_api.patch(url(interface), read)
    assert answer.status_code == 200, answer.content
    assert answer.json()["observed"]["peers"] == 7


OFF = "nft: not permitted"


@pytest.mark.parametrize(
    ("column", "told", "shown"),
    [
        ("cutoff", {}, ("unknown", 0, "", None)),
        ("cutoff", {"armed": 0, "since": None, "why_not": ""}, ("ready", 0, "", None)),
        ("cutoff", {"armed": 3, "since": "2026-01-31T12:00:00+00:00", "why_not": ""},
         ("armed", 3, "", "2026-01-31T12:00:00Z")),
        ("cutoff", {"armed": 0, "since": None, "why_not": OFF}, ("off", 0, OFF, None)),
        ("shaping", {}, ("idle", 0, "", None)),
        ("shaping", {"set": 2, "by": "htb", "reason": "", "at": "2026-01-31T12:00:00+00:00"},
         ("queues", 2, "", "2026-01-31T12:00:00Z")),
        ("shaping", {"set": 2, "by": "limit", "reason": "no sch_htb", "at": None},
         ("limits", 2, "no sch_htb", None)),
        ("shaping", {"set": 0, "by": "", "reason": OFF, "at": None}, ("off", 0, OFF, None)),
    ],
)  # fmt: skip
def test_operators_see_how_limits_are_kept_in_the_kernel(
    operator_api: APIClient,
    alice_api: APIClient,
    operator: User,
    interface: Interface,
    column: str,
    told: dict[str, Any],
    shown: tuple[str, int, str, str | None],
) -> None:
    Interface.objects.update(**{column: told})
    body = operator_api.get(url(interface)).json()
    assert tuple(body["cutoff" if column == "cutoff" else "speeds"].values()) == shown
    seller = alice_api.get(url(interface)).json()
    assert not {"cutoff", "speeds"} & seller.keys()
    browser = Browser()
    browser.force_login(operator)
    page = browser.get(f"/admin/gateways/interface/{interface.pk}/change/").content.decode()
    assert {"field-cutoff", "field-shaping"} <= set(re.findall(r"field-\w+", page))


def test_a_tag_moves_with_why_and_not_with_how_many(
    operator_api: APIClient, interface: Interface
) -> None:
    tags = []
    for told in ({"armed": 3, "why_not": ""}, {"armed": 4, "why_not": ""}, {"why_not": OFF}):
        Interface.objects.update(cutoff=told)
        tags.append(operator_api.get(url(interface))["ETag"])
    assert tags[0] == tags[1] != tags[2]


def test_a_stale_version_is_refused(operator_api: APIClient, interface: Interface) -> None:
    operator_api.patch(url(interface), {"label": "a"})
    for answer in (
        operator_api.patch(url(interface), {"label": "b"}, HTTP_IF_MATCH=tag(interface, 1)),
        operator_api.post(f"{url(interface)}/rotate-key", HTTP_IF_MATCH=tag(interface, 1)),
        operator_api.delete(url(interface), HTTP_IF_MATCH=tag(interface, 1)),
    ):
        assert answer.status_code == 412


def test_there_is_always_one_default(operator_api: APIClient, interface: Interface) -> None:
    other = make_interface(
        name="wg1", addresses=["10.253.0.1/16"], listen_port=51821, is_default=False
    )
    refused = operator_api.patch(url(interface), {"is_default": False})
    assert refused.json()["errors"][0]["code"] == "default_needed"
    assert operator_api.patch(url(other), {"is_default": True}).status_code == 200
    assert list(Interface.objects.filter(is_default=True)) == [other]


def test_one_of_the_sandbox_cannot_be_switched_on(
    operator_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(simulated=True, enabled=False, is_default=False)
    for change in ({"enabled": True}, {"is_default": True}):
        answer = operator_api.patch(url(interface), change)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/simulated")


def test_wg_quicks_own_file_says_some_things(operator_api: APIClient, interface: Interface) -> None:
    Interface.objects.update(wg_quick=True)
    answer = operator_api.patch(url(interface), {"nat": False})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/wg-quick")
    assert operator_api.patch(url(interface), {"mtu": 1400}).status_code == 200


def test_another_key_outdates_every_file(operator_api: APIClient, alice_peer: Peer) -> None:
    interface = alice_peer.interface
    old = interface.public_key
    Peer.objects.update(delivered_generation=3)
    dry = operator_api.post(f"{url(interface)}/rotate-key?dry_run=true")
    assert dry.json()["preview"]["files_outdated"] == 1
    assert dry.json()["preview"]["ends_sessions"] is True
    assert dry.json()["public_key"] == old
    done = operator_api.post(f"{url(interface)}/rotate-key")
    interface.refresh_from_db()
    assert done.json()["public_key"] == interface.public_key != old
    assert (interface.version, interface.config_generation) == (2, 2)
    key = open_interface_key(interface.uuid, interface.private_key)
    assert public_key_of(key) == interface.public_key
    assert key.reveal() not in done.content.decode()
    assert Job.objects.get(uuid=done.json()["job"]["id"]).kind == "rotate"
    assert acts() == ["interface.key_rotated"]


def test_one_with_devices_stays(
    operator_api: APIClient, acme: Tenant, interface: Interface
) -> None:
    make_peer(make_client(acme), interface)
    Interface.objects.update(enabled=False)
    answer = operator_api.delete(url(interface))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/interface-in-use")


@pytest.mark.parametrize("state", [{"enabled": True}, {"enabled": False, "state": "up"}])
def test_one_that_is_up_stays(
    state: dict[str, Any], operator_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(**state)
    answer = operator_api.delete(url(interface))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/interface-up")


def test_an_empty_one_that_is_off_goes_with_its_pools(
    operator_api: APIClient, interface: Interface
) -> None:
    Interface.objects.update(enabled=False, state="down")
    assert operator_api.delete(url(interface)).status_code == 204
    assert operator_api.delete(url(interface)).status_code == 404
    assert not AddressPool.objects.exists()
    assert acts() == ["interface.deleted"]
