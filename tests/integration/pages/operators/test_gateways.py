"""Gateways, interfaces and pools: what an edit does is said first, and to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from gateways.models import AddressPool, Gateway, Interface, Job, JobItem
from peers.models import Peer
from portal.gateways.queries import pools
from tenants.models import Tenant
from tests.make import make_client, make_gateway, make_interface, make_peer, make_simulated

NEW = {
    "name": "wg1", "addresses": "10.9.0.1/24", "listen_port": "51999", "nat": "on",
    "forward": "on", "backend": "auto", "restart_policy": "auto",
}  # fmt: skip


def sent(browser: Browser, path: str, **changes: str) -> dict[str, str]:
    """What a browser would send: the form as it is shown, with these changes."""
    answer = browser.get(path)
    found: dict[str, str] = {}
    for field in answer.context["form"]:
        value = field.value()
        if isinstance(value, list):
            found[field.name] = "\n".join(value)
        elif value is True:
            found[field.name] = "on"
        elif value not in (None, False, ""):
            found[field.name] = str(value)
    text = answer.content.decode()
    if 'name="version" value="' in text:
        found["version"] = text.split('name="version" value="')[1].split('"')[0]
    return found | changes


@pytest.fixture
def page(interface: Interface) -> str:
    return f"/interfaces/{interface.uuid}/"


def test_a_gateway_is_made_changed_and_deleted_while_it_is_empty(browser: Browser) -> None:
    refused = browser.post("/gateways/new/", {"slug": "No Blanks", "usage_percent": "100"})
    assert refused.status_code == 400
    assert refused.context["form"].errors["slug"]
    assert (
        browser.post("/gateways/new/", {"slug": "ams2", "usage_percent": "100"}).status_code == 302
    )
    row = Gateway.objects.get(slug="ams2")
    edit = f"/gateways/{row.uuid}/edit/"
    browser.post(edit, sent(browser, edit, location="Amsterdam", country="NL"))
    row.refresh_from_db()
    assert (row.location, row.country) == ("Amsterdam", "NL")
    browser.post(f"/gateways/{row.uuid}/delete/")
    assert not Gateway.objects.filter(slug="ams2").exists()
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["gateway.created", "gateway.updated", "gateway.deleted"]


def test_what_an_edit_of_a_gateway_outdates_is_said_first(
    browser: Browser, interface: Interface, alice_peer: Peer
) -> None:
    Peer.objects.update(delivered_generation=1)
    edit = f"/gateways/{interface.gateway.uuid}/edit/"
    data = sent(browser, edit, endpoint_address="vpn.example.net")
    asked = browser.post(edit, data)
    assert asked.status_code == 200
    assert "1 file that a customer has becomes outdated." in asked.content.decode()
    assert "Save: 1 file outdated" in asked.content.decode()
    assert Gateway.objects.get(pk=interface.gateway_id).endpoint_address == ""
    assert browser.post(edit, data | {"confirmed": "1"}).status_code == 302
    assert Gateway.objects.get(pk=interface.gateway_id).endpoint_address == "vpn.example.net"


def test_an_alarm_is_put_out(browser: Browser, interface: Interface) -> None:
    Gateway.objects.update(alarm="another host answers", host_id="x")
    assert "another host answers" in browser.get("/gateways/").content.decode()
    browser.post(f"/gateways/{interface.gateway.uuid}/alarm/")
    assert Gateway.objects.get(pk=interface.gateway_id).alarm == ""


def test_an_interface_is_made_with_its_pool(browser: Browser, interface: Interface) -> None:
    data = NEW | {"gateway": str(interface.gateway.uuid)}
    answer = browser.post("/interfaces/new/", data)
    made = Interface.objects.get(name="wg1")
    assert answer["Location"] == f"/interfaces/{made.uuid}/"
    assert made.pools.get().network == "10.9.0.0/24"
    taken = browser.post("/interfaces/new/", data)
    assert taken.status_code == 409
    assert taken.context["form"].errors["name"]
    assert 'value="51999"' in taken.content.decode()


def test_a_harmless_edit_is_done_at_once(browser: Browser, page: str, interface: Interface) -> None:
    answer = browser.post(f"{page}edit/", sent(browser, f"{page}edit/", label="Gaming"))
    assert answer.status_code == 302
    interface.refresh_from_db()
    assert interface.label == "Gaming"
    assert AuditEvent.objects.get().action == "interface.updated"


def test_another_port_is_asked_for_and_wants_the_gateways_name(
    browser: Browser, page: str, interface: Interface, alice_peer: Peer
) -> None:
    data = sent(browser, f"{page}edit/", listen_port="443")
    asked = browser.post(f"{page}edit/", data).content.decode()
    assert "The socket is bound anew" in asked
    assert "Type local: connections of this moment are at stake" in asked
    wrong = browser.post(f"{page}edit/", data | {"confirmed": "1", "typed": "fra1"})
    assert wrong.status_code == 400
    interface.refresh_from_db()
    assert interface.listen_port == 51820
    done = browser.post(f"{page}edit/", data | {"confirmed": "1", "typed": "local"})
    job = Job.objects.get()
    assert done["Location"] == f"/jobs/{job.uuid}/"
    interface.refresh_from_db()
    assert interface.listen_port == 443


def test_the_second_of_two_is_told(browser: Browser, page: str, interface: Interface) -> None:
    data = sent(browser, f"{page}edit/", label="Mine")
    Interface.objects.update(version=9, label="Theirs")
    answer = browser.post(f"{page}edit/", data)
    assert answer.status_code == 409
    assert "Somebody changed this" in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()


@pytest.mark.parametrize(
    ("deed", "words"),
    [("key", "New key: 1 device cut off"), ("stop", "Stop: 1 device cut off")],
)
def test_what_cuts_people_off_says_how_many_and_wants_the_name(
    deed: str, words: str, browser: Browser, page: str, interface: Interface, alice_peer: Peer
) -> None:
    before = Interface.objects.values("public_key", "enabled").get(pk=interface.pk)
    assert words in browser.get(f"{page}{deed}/").content.decode()
    assert browser.post(f"{page}{deed}/", {"typed": "no"}).status_code == 409
    assert Interface.objects.values("public_key", "enabled").get(pk=interface.pk) == before
    answer = browser.post(f"{page}{deed}/", {"typed": "local"})
    assert answer["Location"] == f"/jobs/{Job.objects.get().uuid}/"
    assert Interface.objects.values("public_key", "enabled").get(pk=interface.pk) != before


def test_a_stopped_interface_is_started_and_an_empty_one_deleted(browser: Browser) -> None:
    gateway = make_gateway("ams2")
    made = make_interface(gateway=gateway, is_default=False, enabled=False, state="down")
    page = f"/interfaces/{made.uuid}/"
    browser.post(f"{page}start/")
    made.refresh_from_db()
    assert made.enabled
    refused = browser.post(f"{page}delete/")
    assert refused.status_code == 409
    assert "Switch it off first" in refused.content.decode()
    Interface.objects.filter(pk=made.pk).update(enabled=False)
    Job.objects.update(status="succeeded", finished_at=timezone.now())
    assert browser.post(f"{page}delete/")["Location"] == "/gateways/"
    assert not Interface.objects.filter(pk=made.pk).exists()


def test_drift_is_told_by_kind(browser: Browser, page: str) -> None:
    Interface.objects.update(drift={"missing": 3}, guard_keys=["a", "b"], state="up")
    text = browser.get(page).content.decode()
    assert "2 peers run that vwg has no record of." in text
    assert "is added back at once" in text
    assert "Adopt the 2" in text


def test_adopting_and_removing_are_jobs_of_the_gateway(
    browser: Browser, page: str, acme: Tenant
) -> None:
    Interface.objects.update(guard_keys=["a", "b"], state="up")
    stale = browser.post(f"{page}adopt/", {"strays": "1", "tenant": "acme"})
    assert stale.status_code == 409
    assert not Job.objects.exists()
    browser.post(f"{page}adopt/", {"strays": "2", "tenant": "acme"})
    job = Job.objects.get()
    assert (job.tenant, job.items.get().action) == (acme, JobItem.Action.ADOPT)
    assert browser.post(f"{page}remove/", {"strays": "2", "typed": "x"}).status_code == 409
    browser.post(f"{page}remove/", {"strays": "2", "typed": "local"})
    assert JobItem.objects.order_by("-pk")[0].action == JobItem.Action.DROP
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["interface.adoption_asked", "interface.removal_asked"]


def test_pools_are_added_renamed_and_deleted(browser: Browser, interface: Interface) -> None:
    data = {"interface": str(interface.uuid), "network": "10.77.0.0/24", "name": "More"}
    assert browser.post("/pools/new/", data)["Location"] == "/pools/"
    pool = AddressPool.objects.get(name="More")
    overlap = browser.post("/pools/new/", data | {"name": ""})
    assert overlap.status_code == 409
    assert overlap.context["form"].errors["network"]
    browser.post(f"/pools/{pool.uuid}/", {"name": "Second"})
    pool.refresh_from_db()
    assert pool.name == "Second"
    browser.post(f"/pools/{pool.uuid}/delete/")
    assert not AddressPool.objects.filter(pk=pool.pk).exists()


def test_a_pool_that_is_in_use_stays(browser: Browser, alice_peer: Peer) -> None:
    pool = AddressPool.objects.order_by("pk")[0]
    answer = browser.post(f"/pools/{pool.uuid}/delete/", follow=True)
    assert "A device has an address of it." in answer.content.decode()


def test_how_long_a_pool_lasts_is_reckoned_from_the_last_fortnight(
    interface: Interface, acme: Tenant
) -> None:
    now = timezone.now()
    AddressPool.objects.filter(interface=interface, family=4).update(size=38)
    for _ in range(28):
        make_peer(make_client(acme), interface)
    row = next(one for one in pools(now) if one.pool.family == 4)
    assert (row.percent, row.days) == (73, 5)  # 10 left, 2 a day
    Peer.objects.update(created_at=now - timedelta(days=30))
    assert next(one for one in pools(now) if one.pool.family == 4).days is None


def test_a_sandbox_has_no_page_of_its_own(browser: Browser) -> None:
    sandbox = make_simulated()
    assert browser.get(f"/interfaces/{sandbox.uuid}/").status_code == 404
    assert browser.get(f"/gateways/{sandbox.gateway.uuid}/edit/").status_code == 404
    assert "sandbox" not in browser.get("/pools/").content.decode()


@pytest.mark.parametrize("path", ["/gateways/", "/pools/"])
def test_queries_do_not_grow(path: str, browser: Browser, interface: Interface) -> None:
    def queries() -> int:
        browser.get(path)
        with CaptureQueriesContext(connection) as found:
            browser.get(path)
        return len(found)

    small = queries()
    for number in range(6):
        more: dict[str, Any] = {"addresses": [f"10.{number}.0.1/24"], "is_default": False}
        make_interface(gateway=make_gateway(f"g{number}"), **more)
    assert queries() == small
