"""The page behind a share link: what it shows, what it never gives away, when it is over."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape
from rest_framework.test import APIClient

from audit.models import AuditEvent
from gateways.models import GlobalSetting
from peers.models import Client, Peer, ShareLink
from portal.share import doors as share_doors
from tenants.models import Tenant
from tests.make import make_meter, make_usage

Body = dict[str, Any]
Share = Callable[..., Body]


def reveals() -> int:
    return AuditEvent.objects.filter(action="config.revealed").count()


def secret_in(page: str) -> bool:
    return "PrivateKey" in page or "data:image/svg" in page


def test_a_visit_shows_the_state_and_no_secret(visitor: Browser, share: Share, sold: Body) -> None:
    make_usage(Client.objects.get(), up=150_000_000, down=1_250_000_000)
    answer = visitor.get(share(sold, single_use=True)["path"])
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Show my configuration" in page
    assert "1.2 GB down, 150 MB up" in page
    assert not secret_in(page)
    assert reveals() == 0
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in page
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "script" not in page
    assert "style=" not in page
    assert not answer.cookies
    assert answer.wsgi_request.META.get("CSRF_COOKIE") is None


def test_the_button_shows_file_and_code_and_is_an_event(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    made = share(sold)
    page = visitor.post(made["path"]).content.decode()
    assert "PrivateKey = " in page
    assert "data:image/svg+xml;base64," in page
    event = AuditEvent.objects.get(action="config.revealed")
    assert (event.actor_kind, event.actor_name) == ("system", "share link")
    assert event.actor_id == made["id"]
    assert event.address == "127.0.0.1"
    assert event.after == {
        "way": "page", "link": made["id"], "device": sold["devices"][0]["id"]
    }  # fmt: skip
    listed = alice_api.get(f"/api/v1/share-links/{made['id']}").json()
    assert (listed["uses"], listed["state"], listed["last_used_ip"]) == (1, "active", "127.0.0.1")


def test_the_file_comes_as_a_download_too(visitor: Browser, share: Share, sold: Body) -> None:
    answer = visitor.post(share(sold)["path"], {"as": "file"})
    assert answer["Content-Disposition"] == 'attachment; filename="sara.conf"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    assert answer.content.startswith(b"[Interface]\nPrivateKey = ")


def test_a_link_for_one_use_has_the_download_inside(
    visitor: Browser, share: Share, sold: Body
) -> None:
    page = visitor.post(share(sold, single_use=True)["path"], {"as": "file"}).content.decode()
    match = re.search(r'href="data:text/plain;base64,([A-Za-z0-9+/=]+)" download="sara.conf"', page)
    assert match is not None
    assert base64.b64decode(match[1]).startswith(b"[Interface]\nPrivateKey = ")


def test_heads_and_visits_do_not_burn_it_and_the_first_reveal_does(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold, single_use=True)["path"]
    for _ in range(3):
        assert visitor.head(path).status_code == 200
        assert visitor.get(
            path, headers={"User-Agent": "TelegramBot (like TwitterBot)"}
        ).status_code
    assert ShareLink.objects.get().uses == 0
    assert visitor.post(path).status_code == 200
    for answer in (visitor.get(path), visitor.post(path), visitor.head(path)):
        assert answer.status_code == 404
    assert reveals() == 1
    assert ShareLink.objects.get().uses == 1


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_a_time_exactly_one_gets_it(share: Share, sold: Body) -> None:
    path = share(sold, single_use=True)["path"]
    start, found = threading.Barrier(20), []

    def race() -> None:
        try:
            start.wait()
            found.append(Browser().post(path).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] + 19 * [404]
    assert reveals() == 1


def test_what_cannot_be_made_burns_nothing(
    visitor: Browser, share: Share, sold: Body, settings: Any
) -> None:
    path = share(sold, single_use=True)["path"]
    settings.VWG_ENDPOINT = ""
    answer = visitor.post(path)
    assert answer.status_code == 409
    assert "Nothing was used up" in answer.content.decode()
    settings.VWG_ENDPOINT = "203.0.113.10"
    assert visitor.post(path).status_code == 200


ENDS: dict[str, Callable[[], object]] = {
    "revoked": lambda: ShareLink.objects.update(revoked_at=timezone.now()),
    "expired": lambda: ShareLink.objects.update(expires_at=timezone.now()),
    "used": lambda: ShareLink.objects.update(single_use=True, used_at=timezone.now()),
    "device deleted": lambda: Peer.objects.update(deleted_at=timezone.now()),
    "client deleted": lambda: Client.objects.update(deleted_at=timezone.now()),
    "tenant suspended": lambda: Tenant.objects.filter(slug="acme").update(status="suspended"),
    "tenant closed": lambda: Tenant.objects.filter(slug="acme").update(status="closed"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_link_that_ended_is_the_404_of_one_that_never_was(
    end: str, visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold)["path"]
    assert visitor.get(path).status_code == 200
    ENDS[end]()
    for tail, method in (
        ("", "get"), ("", "post"), ("", "head"), ("/config", "get"), ("/status.json", "get"),
        ("/key", "post"),
    ):  # fmt: skip
        ended, never = (
            getattr(visitor, method)(f"{one}{tail}") for one in (path, "/s/" + 43 * "x")
        )
        assert ended.status_code == never.status_code == 404
        assert ended.content == never.content
        headers = [
            {name: text for name, text in answer.items()} for answer in (ended, never)
        ]  # fmt: skip
        assert headers[0] == headers[1]
    assert reveals() == 0


def test_the_links_of_the_old_seller_end_with_a_transfer(
    visitor: Browser, share: Share, sold: Body, operator_api: APIClient, evil: Tenant
) -> None:
    path = share(sold)["path"]
    answer = operator_api.post(
        f"/api/v1/clients/{sold['id']}/transfer",
        {"tenant": "evil"},
        headers={"X-VWG-Tenant": "acme"},
    )
    assert answer.status_code == 200, answer.content
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("secret", ["x", "%00", "..%2f", "%F0%9F%98%80", "%ff", 5000 * "a"])
def test_nonsense_is_the_same_404(secret: str, visitor: Browser, db: None) -> None:
    assert visitor.get(f"/s/{secret}").status_code == 404


def test_after_many_unknown_ones_nothing_is_looked_up(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold)["path"]
    found = [visitor.get(f"/s/{number}").status_code for number in range(100)]
    allowed = share_doors.UNKNOWN_A_MINUTE
    assert found == allowed * [404] + (100 - allowed) * [429]
    paused = visitor.get(path)
    assert paused.status_code == 429
    assert 0 < int(paused["Retry-After"]) <= 60
    assert visitor.get(f"{path}/config").status_code == 429
    elsewhere = visitor.get(path, REMOTE_ADDR="192.0.2.77", HTTP_X_FORWARDED_FOR="192.0.2.78")
    assert elsewhere.status_code == 200
    assert visitor.get(path, HTTP_X_FORWARDED_FOR="192.0.2.78").status_code == 429


def cached_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vwg_cache")
        return int(cursor.fetchone()[0])


def test_visits_do_not_crowd_out_the_counters_of_sign_in(
    visitor: Browser, share: Share, sold: Body
) -> None:
    """Those are in the cache: it is large, and visitors put nothing in it."""
    path = share(sold)["path"]
    cache.set("a", 1, timeout=300)
    before = cached_rows()
    for number in range(5):
        visitor.get(path, REMOTE_ADDR=f"192.0.2.{number}")
        visitor.get(f"/s/{number}", REMOTE_ADDR=f"192.0.2.{number}")
    assert cached_rows() == before
    for number in range(320):
        cache.set(f"b{number}", 1, timeout=300)
    assert cache.get("a") == 1


@pytest.mark.parametrize(
    ("act", "words"), [("disable", "Acme has switched it off."), ("suspend", "Acme has paused it.")]
)
def test_a_client_that_is_off_says_why_and_has_its_file_all_the_same(
    act: str, words: str, visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    path = share(sold)["path"]
    alice_api.post(f"/api/v1/clients/{sold['id']}/{act}", {})
    page = visitor.get(path).content.decode()
    assert "Your connection is off." in page
    assert words in page
    assert "How to connect" not in page
    assert "Ask Acme: only there it can be switched on again." in page
    assert visitor.post(path).status_code == 200


def test_what_begins_later_says_so(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    path = share(sold)["path"]
    alice_api.patch(f"/api/v1/clients/{sold['id']}", {"starts_at": "2099-01-01T00:00:00Z"})
    page = visitor.get(path).content.decode()
    assert "What you bought has not begun yet." in page
    assert "Wait: it begins by itself." in page


def test_who_has_the_file_before_him_may_change_the_language(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold)["path"]
    page = visitor.post(path).content.decode()
    assert f'<form method="post" action="{path}?lang=fa">' in page
    persian = visitor.post(f"{path}?lang=fa")
    assert persian["Content-Language"] == "fa"
    assert "PrivateKey = " in persian.content.decode()


def test_a_file_that_is_shown_once_is_not_left_by_mistake(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold, single_use=True)["path"]
    assert "lang=fa" in visitor.get(path).content.decode()
    assert "lang=fa" not in visitor.post(path).content.decode()


def test_nothing_is_said_in_words(visitor: Browser, share: Share, sold: Body) -> None:
    path = share(sold)["path"]
    assert "Nothing yet" in visitor.get(path).content.decode()
    Client.objects.update(quota_bytes=10**9, expires_at=timezone.now() - timedelta(hours=1))
    make_usage(Client.objects.get(), up=10**9)
    page = visitor.get(path).content.decode()
    assert re.search(r"Nothing <i>of 1 GB</i>", page)
    assert re.search(r"Days left</p><p class=\"big big-s\">None</p>", page)


def test_a_link_works_until_its_end_and_not_after(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold, expires_in=60)["path"]
    ShareLink.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert visitor.post(path).status_code == 200
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.post(path).status_code == 404


STRANGE = ("<script>alert(1)</script>", '"><img src=x onerror=y>', "{{7*7}}", "{% debug %}")


@pytest.mark.parametrize("name", STRANGE)
def test_05_what_people_typed_is_shown_as_text(
    name: str, visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold)["path"]
    Client.objects.update(name=name)
    Peer.objects.update(name=name)
    Tenant.objects.filter(slug="acme").update(brand_name=name[:60], support_url="https://a.example")
    for answer in (visitor.get(path), visitor.post(path)):
        page = answer.content.decode()
        assert answer.status_code == 200
        assert escape(name) in page
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "49" not in page.partition("cust-top")[2].partition("</header>")[0]


def test_51_a_link_is_on_the_configured_host(
    sold: Body, alice_api: APIClient, settings: Any
) -> None:
    url = f"/api/v1/peers/{sold['devices'][0]['id']}/share-links"
    answer = alice_api.post(url, {}, headers={"X-Forwarded-Host": "evil.example"})
    assert answer.json()["url"].startswith(f"{settings.VWG_PUBLIC_URL}/s/")


def test_a_logo_is_in_the_page_and_nothing_is_fetched(
    visitor: Browser, share: Share, sold: Body
) -> None:
    Tenant.objects.filter(slug="acme").update(
        brand_logo=b"\x89PNG", brand_logo_type="image/png", brand_color="#ffee00"
    )
    page = visitor.get(share(sold)["path"]).content.decode()
    assert 'src="data:image/png;base64,iVBORw=="' in page
    match = re.search(r'href="(/s/brand/ffee00-ffee00\.css)"', page)
    assert match is not None
    sheet = visitor.get(match[1])
    assert (sheet.status_code, sheet["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in sheet["Cache-Control"]
    assert visitor.get("/s/brand/ffee00-x.css").status_code == 404


# -- the subscription ---------------------------------------------------------------------------


def test_programs_refresh_the_file_when_it_changed(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    url = share(sold)["path"] + "/config"
    first = visitor.get(url)
    assert first["Content-Type"] == "text/plain; charset=utf-8"
    assert first["Content-Disposition"] == 'attachment; filename="sara.conf"'
    assert reveals() == 1
    same = visitor.get(url, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content, reveals()) == (304, b"", 1)
    assert same["Cache-Control"] == "no-store"
    GlobalSetting.objects.update(mtu=1380, config_generation=2)
    changed = visitor.get(url, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, reveals()) == (200, 2)
    assert changed["ETag"] != first["ETag"]
    assert b"MTU = 1380" in changed.content
    assert visitor.head(url).status_code == 200
    assert reveals() == 2
    assert visitor.post(url).status_code == 405


def test_who_has_the_right_file_is_not_told_to_fetch_it(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    """The interface's name servers change, but this device has its own."""
    alice_api.patch(f"/api/v1/clients/{sold['id']}", {"dns_servers": ["9.9.9.9"]})
    url = share(sold)["path"] + "/config"
    tag = visitor.get(url)["ETag"]
    GlobalSetting.objects.update(dns_servers=["8.8.8.8"], config_generation=2)
    body = alice_api.get(f"/api/v1/clients/{sold['id']}").json()
    assert body["devices"][0]["file"]["outdated"] is True
    assert visitor.get(url, headers={"If-None-Match": tag}).status_code == 304
    body = alice_api.get(f"/api/v1/clients/{sold['id']}").json()
    assert body["devices"][0]["file"]["outdated"] is False


def test_a_link_for_one_use_is_no_subscription(visitor: Browser, share: Share, sold: Body) -> None:
    made = share(sold, single_use=True)
    assert made["config_url"] is None
    assert visitor.get(made["path"] + "/config").status_code == 404
    assert reveals() == 0
    assert visitor.post(made["path"]).status_code == 200


def test_programs_read_the_state(visitor: Browser, share: Share, sold: Body) -> None:
    Client.objects.update(quota_bytes=1000, expires_at=timezone.now() + timedelta(hours=30))
    make_meter(Peer.objects.get(), up=100, down=250)
    make_usage(Client.objects.get(), up=100, down=250)
    answer = visitor.get(share(sold)["path"] + "/status.json")
    body = answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert body["name"] == "Sara"
    assert (body["upload_bytes"], body["download_bytes"]) == (100, 250)
    assert (body["quota_bytes"], body["left_bytes"], body["days_left"]) == (1000, 650, 2)
    assert body["file"] == {"outdated": False, "delivered_at": None}
    assert "PrivateKey" not in answer.content.decode()


def test_a_customer_is_told_of_the_running_period_and_of_what_was_topped_up(
    visitor: Browser, share: Share, sold: Body, alice_api: APIClient
) -> None:
    """What devices counted since they were added is nothing to those who buy by the month."""
    client = Client.objects.get()
    Client.objects.update(quota_bytes=10**9, reset="month")
    make_meter(Peer.objects.get(), up=10**9)
    make_usage(client, up=10**9)
    path = share(sold)["path"]
    assert "Nothing <i>of 1 GB</i>" in visitor.get(path).content.decode()
    assert alice_api.post(f"/api/v1/clients/{client.uuid}/reset-usage", {}).status_code == 200
    assert "1 <i>GB of 1 GB</i>" in visitor.get(path).content.decode()
    assert visitor.get(f"{path}/status.json").json()["left_bytes"] == 10**9
    topped = alice_api.post(f"/api/v1/clients/{client.uuid}/top-up", {"bytes": 10**9})
    assert topped.status_code == 200
    assert "2 <i>GB of 2 GB</i>" in visitor.get(path).content.decode()


def test_a_customer_of_each_way_apart_sees_what_ends_first(
    visitor: Browser, share: Share, sold: Body
) -> None:
    Client.objects.update(quota_bytes=None, upload_quota_bytes=10**9, download_quota_bytes=10**10)
    make_usage(Client.objects.get(), up=6 * 10**8, down=10**9, throttled_since=timezone.now())
    page = visitor.get(share(sold)["path"]).content.decode()
    assert "400 <i>MB of 1 GB</i>" in page
    assert "Used up: it is slow for now." in page


def test_an_outdated_file_says_so_until_it_is_fetched(
    visitor: Browser, share: Share, sold: Body
) -> None:
    path = share(sold)["path"]
    visitor.post(path)
    assert "outdated" not in visitor.get(path).content.decode()
    GlobalSetting.objects.update(mtu=1380, config_generation=2)
    assert "and is outdated: get it again below." in visitor.get(path).content.decode()
    assert visitor.get(f"{path}/status.json").json()["file"]["outdated"] is True
    visitor.post(path)
    assert "outdated" not in visitor.get(path).content.decode()
