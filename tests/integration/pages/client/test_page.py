"""A client's page: who sees it, what it says first, and that it costs the same for any number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import SYSTEM
from audit.models import AuditEvent
from gateways.models import Interface, Job
from peers.models import Client, Peer
from peers.services.entitlement import open_hold
from portal.client.history import sentences
from quotas.models import Session, Usage
from tenants.models import Tenant
from tests.make import make_job, make_meter, make_peer, make_plan

GB = 10**9


def confirmed(peer: Peer, *, seconds: int | None = 20) -> None:
    """As a worker and a reading leave it; connected so many seconds ago."""
    at = None if seconds is None else timezone.now() - timedelta(seconds=seconds)
    Peer.objects.filter(pk=peer.pk).update(
        applied_generation=9, verified_generation=9, observed_present=True, last_handshake_at=at
    )


def said(browser: Browser, path: str) -> str:
    """The verdict, without its markup."""
    page = browser.get(path)
    assert page.status_code == 200
    verdict = page.context["shown"].verdict
    return f"{verdict.lead} {verdict.words} {verdict.next}".strip()


def test_who_may_look_sees_it_and_nobody_else_does(
    reseller: Browser, looker: Browser, onlooker: Browser, browser: Browser, stranger: Browser,
    path: str, evil: Tenant, alice_peer: Peer,
) -> None:  # fmt: skip
    for who in (reseller, looker, onlooker, browser):
        assert who.get(path).status_code == 200
        assert who.get(f"{path}live/").status_code == 200
        assert who.get(f"{path}history/").status_code == 200
    for page in ("", "live/", "history/"):
        assert stranger.get(path + page).status_code == 404
        assert stranger.get(path.replace("acme", "evil") + page).status_code == 404
        assert Browser().get(path + page).status_code == 302


def test_what_people_wrote_is_text(reseller: Browser, path: str, alice_peer: Peer) -> None:
    evil = "<img src=x onerror=alert(1)>"
    Client.objects.update(name=evil, note=evil, tags=[evil], external_id=evil, telegram_id=evil)
    Peer.objects.update(name=evil)
    text = reseller.get(path).content.decode()
    assert evil not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_it_is_on_and_connected(reseller: Browser, path: str, alice_peer: Peer) -> None:
    confirmed(alice_peer)
    Peer.objects.update(name="phone")
    Client.objects.update(quota_bytes=50 * GB)
    assert said(reseller, path) == "On. 50 GB of 50 GB are left. Connected now: phone."
    confirmed(alice_peer, seconds=3600)
    page = reseller.get(path).content.decode()
    assert "Last connected" in page
    assert reseller.get(path).context["shown"].verdict.glyph == "idle"


def test_a_client_that_was_never_used_says_when_its_days_begin(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    confirmed(alice_peer, seconds=None)
    Client.objects.update(duration_days=30)
    assert said(reseller, path) == "On, and never used. 30 days start with the first connection."


HELD = [
    ("manual", "waits for payment", "Off by hand since {day}, by vwg: “waits for payment”. "
     "Only a person switches it on again."),
    ("suspended", "", "Suspended since {day}, by vwg. "
     "It comes back when somebody ends the suspension, a shop too."),
    ("quota", "", "Off: its bytes are used up. A top-up brings it back at once."),
    ("expired", "", "Off since {day}: the plan has ended and none follows. "
     "Extend it to bring it back."),
    ("tenant-suspended", "", "Off because acme is suspended. Nothing about this client is wrong."),
    ("tenant-pool", "", "Off because the traffic of acme is used up. "
     "Nothing about this client is wrong."),
    ("plan", "", "Off: what was sold has not begun. It comes back by itself."),
    ("kick", "", "Off for a moment: it was kicked. It comes back by itself."),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "note", "words"), HELD)
def test_each_reason_to_be_off_has_its_sentence(
    reason: str, note: str, words: str, reseller: Browser, path: str, alice_peer: Peer
) -> None:
    confirmed(alice_peer)
    at = timezone.now()
    open_hold(client=alice_peer.client, reason=reason, note=note, actor=SYSTEM, at=at)
    Tenant.objects.filter(slug="acme").update(name="acme")
    assert said(reseller, path) == words.format(day=f"{at.day} {at:%B}")


def test_a_used_up_quota_says_when_it_comes_back(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    confirmed(alice_peer)
    now = timezone.now()
    Client.objects.update(quota_bytes=20 * GB, reset="month")
    Usage.objects.create(
        client=alice_peer.client, tenant=acme, billed_down=20 * GB,
        period_began_at=now - timedelta(days=9), period_ends_at=now + timedelta(days=3),
    )  # fmt: skip
    open_hold(client=alice_peer.client, reason="quota", actor=SYSTEM, at=now)
    words = said(reseller, path)
    assert words.startswith("Off: 20 GB of 20 GB are used. It comes back by itself on ")
    assert words.endswith(", or at once with a top-up.")


def test_several_reasons_are_named_together(reseller: Browser, path: str, alice_peer: Peer) -> None:
    for reason in ("quota", "manual"):
        open_hold(client=alice_peer.client, reason=reason, actor=SYSTEM, at=timezone.now())
    assert said(reseller, path) == (
        "Off for 2 reasons: switched off by hand and quota used up. Closing one leaves the other."
    )


def test_slowed_down_is_on_but_slow(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    confirmed(alice_peer)
    now = timezone.now()
    Client.objects.update(quota_bytes=50 * GB, at_limit="throttle", throttle_kbit=2000)
    Usage.objects.create(
        client=alice_peer.client, tenant=acme, billed_down=50 * GB, throttled_since=now
    )
    assert said(reseller, path).startswith("On, but slowed to 2 Mbit/s: 50 GB of 50 GB")


def test_what_waits_says_so_and_for_how_long(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    assert said(reseller, path).startswith("Being applied on local.")
    assert "data-eager" not in reseller.get(path).content.decode()  # no job is open
    Interface.objects.update(state="down")
    Peer.objects.update(blocked=False)
    assert said(reseller, path).startswith("Off. The interface of its devices is down.")


def test_what_takes_long_says_how_long_and_a_speed_keeps_its_order(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    job = make_job(acme, interface=alice_peer.interface, items=1)
    job.items.update(peer=alice_peer)
    Job.objects.update(created_at=timezone.now() - timedelta(seconds=47))
    assert said(reseller, path).startswith(
        "Should be on, but local has not confirmed it for 40 s. vwg keeps trying"
    )
    Client.objects.update(download_kbit=2000)
    page = reseller.get(path, headers={"Accept-Language": "fa"}).content.decode()
    assert "\u2066۲ Mbit/s\u2069 دریافت" in page


def test_a_client_without_a_device_says_so(reseller: Browser, path: str, alice_peer: Peer) -> None:
    Peer.objects.update(deleted_at=timezone.now())
    assert said(reseller, path) == "Off. It has no device, so nothing can connect. Add one."


@pytest.mark.parametrize("name", ["24h", "7d", "30d", "period", "no-such"])
def test_every_range_has_its_chart(
    name: str, reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    now = timezone.now()
    Usage.objects.create(
        client=alice_peer.client, tenant=acme, period_began_at=now - timedelta(days=40),
        period_ends_at=now + timedelta(days=325),
    )  # fmt: skip
    page = reseller.get(f"{path}?range={name}")
    assert page.status_code == 200
    assert page.context["chart"].title
    assert "Nothing was transferred in this time." in page.content.decode()


def test_the_poll_is_304_until_something_changes(
    reseller: Browser, path: str, alice_peer: Peer
) -> None:
    confirmed(alice_peer)
    page = reseller.get(path)
    tag = page.context["etag"]
    assert f'data-etag="{tag.replace(chr(34), "&quot;")}"' in page.content.decode()
    live = f"{path}live/"
    same = reseller.get(live, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert same["X-VWG-Now"]
    Peer.objects.update(observed_endpoint="203.0.113.9:4444")
    other = reseller.get(live, headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert "203.0.113.9:4444" in other.content.decode()
    assert other["ETag"] != tag


def count(browser: Browser, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert browser.get(path).status_code == 200
    return len(found)


@pytest.mark.parametrize("page", ["", "live/", "history/"])
def test_it_costs_the_same_whatever_there_is(
    page: str, reseller: Browser, path: str, interface: Interface, alice_peer: Peer
) -> None:
    confirmed(alice_peer)
    make_meter(alice_peer)
    Session.objects.create(
        peer=alice_peer, tenant=alice_peer.tenant, began_at=timezone.now(), endpoint="x"
    )
    count(reseller, path + page)
    few = count(reseller, path + page)
    for _ in range(5):
        more = make_peer(alice_peer.client, interface)
        confirmed(more)
        make_meter(more, up=5, down=7)
        Session.objects.create(peer=more, tenant=more.tenant, began_at=timezone.now())
    assert count(reseller, path + page) == few


def test_the_history_goes_on_page_after_page(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(
            tenant=acme, actor_kind="user", actor_name="alice", action="client.disabled",
            target_type="client", target_id=str(alice_peer.client.uuid), after={"note": f"n{n}"},
        )
        for n in range(60)
    )  # fmt: skip
    first = reseller.get(f"{path}history/")
    assert "“n59”" in first.content.decode()
    assert "“n9”" not in first.content.decode()
    rest = reseller.get(f"{path}history/?before={first.context['older']}")
    assert "“n9”" in rest.content.decode()
    assert rest.context["older"] == 0


def test_every_event_of_a_client_has_words(reseller: Browser, path: str, alice_peer: Peer) -> None:
    """Whatever an event holds, its line is a sentence and no code."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            tenant=alice_peer.tenant, actor_kind="token", actor_name="shop-bot", action=action,
            target_type="client", target_id=str(alice_peer.client.uuid),
            before={"quota_bytes": 5, "interfaces": ["wg0"]},
            after={"quota_bytes": None, "expires_at": "2026-12-01T00:00:00Z", "tags": ["a"],
                   "addresses": ["10.0.0.2/32"], "interfaces": ["wg1"], "way": "conf"},
        )
        for action in sentences()
    )  # fmt: skip
    page = reseller.get(f"{path}history/").content.decode()
    assert "client." not in page.split('class="log"')[1].split("</section>")[0]


def test_a_plan_that_follows_is_told(
    reseller: Browser, path: str, alice_peer: Peer, acme: Tenant
) -> None:
    confirmed(alice_peer)
    plan = make_plan(acme, name="Gamer 50")
    end = timezone.now() + timedelta(days=8)
    Client.objects.update(next_plan=plan, next_plan_when="end", expires_at=end)
    words = said(reseller, path)
    assert "Gamer 50 starts by itself, the usage starts at 0" in words
