"""The list of clients: what it shows, in which order, and how it tells of what changed."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateways.models import Interface
from peers.models import Client, Peer
from portal.clients.queries import PAGE
from quotas.models import Hold, Usage
from tenants.models import Tenant, User
from tests.make import make_client, make_peer, make_plan

LIST = "/t/acme/clients/"
GB = 10**9


@pytest.fixture
def shop(acme: Tenant, interface: Interface) -> dict[str, Client]:
    """One client in each state that matters here."""
    now, plan = timezone.now(), make_plan(acme, name="Gamer 50")
    clients = {
        "anna": make_client(acme, name="Anna", plan=plan, quota_bytes=50 * GB, tags=["vip"]),
        "Bella": make_client(acme, name="bella", note="pays by crypto"),
        "cleo": make_client(acme, name="Cleo", expires_at=now + timedelta(days=2)),
        "dora": make_client(acme, name="Dora", external_id="order-7", quota_bytes=20 * GB),
    }
    for client in clients.values():
        make_peer(client, interface, applied_generation=1, verified_generation=1)
    Peer.objects.filter(client=clients["anna"]).update(
        observed_present=True, last_handshake_at=now - timedelta(seconds=20)
    )
    Client.objects.exclude(name="bella").update(first_connected_at=now)
    Usage.objects.create(client=clients["anna"], tenant=acme, billed_down=46 * GB)
    Usage.objects.create(client=clients["dora"], tenant=acme, billed_down=20 * GB)
    Hold.objects.create(
        tenant=acme, client=clients["dora"], reason="quota", opened_at=now, opened_by="vwg"
    )
    return clients


def names(page: str) -> list[str]:
    return re.findall(r'<td class="name"><a [^>]*><bdi>([^<]*)</bdi>', page)


def show(browser: Browser, query: str = "") -> list[str]:
    answer = browser.get(LIST + query)
    assert answer.status_code == 200
    return names(answer.content.decode())


def test_a_line_says_who_how_and_how_much(reseller: Browser, shop: dict[str, Client]) -> None:
    page = reseller.get(LIST).content.decode()
    assert names(page) == ["Dora", "Cleo", "bella", "Anna"]
    for words in ("Online", "Off: quota", "Not used yet", "46 of 50 GB", "20 of 20 GB"):
        assert words in page, words
    assert "Gamer 50" in page
    assert "in 1 day" in page
    assert f"/t/acme/clients/{shop['anna'].uuid}/" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=ANN", ["Anna"]),
        ("?q=crypto", ["bella"]),
        ("?q=vip", ["Anna"]),
        ("?q=order-7", ["Dora"]),
        ("?q=10.252.0.2", ["Anna"]),
        ("?state=over-quota", ["Dora"]),
        ("?off=true", ["Dora"]),
        ("?online=true", ["Anna"]),
        ("?connected=false", ["bella"]),
        ("?tag=vip", ["Anna"]),
        ("?ends=3", ["Cleo"]),
        ("?over=90&sort=-share", ["Dora", "Anna"]),
        ("?over=93", ["Dora"]),
        ("?interface=wg0&q=dor", ["Dora"]),
        ("?sort=name", ["Anna", "bella", "Cleo", "Dora"]),
        ("?sort=-name", ["Dora", "Cleo", "bella", "Anna"]),
        ("?sort=-used", ["Anna", "Dora", "Cleo", "bella"]),
        ("?sort=state", ["Dora", "Anna", "bella", "Cleo"]),
        ("?sort=-seen&online=true", ["Anna"]),
        ("?sort=ends", ["Cleo", "Anna", "bella", "Dora"]),
        ("?sort=plan&tag=vip", ["Anna"]),
    ],
)
def test_the_address_holds_the_view(
    query: str, found: list[str], reseller: Browser, shop: dict[str, Client]
) -> None:
    assert show(reseller, query) == found


def test_what_is_no_filter_narrows_nothing_and_says_so(
    reseller: Browser, shop: dict[str, Client]
) -> None:
    page = reseller.get(f"{LIST}?state=happy&nothing=1").content.decode()
    assert len(names(page)) == 4
    assert "“happy” is no value of this filter." in page


def test_nothing_matches_names_the_filter_in_the_way(
    reseller: Browser, shop: dict[str, Client]
) -> None:
    page = reseller.get(f"{LIST}?q=anna&state=disabled").content.decode()
    assert "No client matches “anna”" in page
    assert "Without “Off: by hand” there is 1." in page


def test_the_first_day_has_one_sentence(reseller: Browser, acme: Tenant) -> None:
    page = reseller.get(LIST).content.decode()
    assert "No clients yet" in page
    assert "<table" not in page


@pytest.mark.parametrize("sort", ["", "name", "-used", "state", "-share", "plan", "seen", "ends"])
def test_pages_hold_each_client_once(
    sort: str, reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    for number in range(PAGE + 7):
        client = make_client(acme, name=f"n{number % 5}", quota_bytes=10 if number % 2 else None)
        if number % 3:
            Usage.objects.create(client=client, tenant=acme, billed_down=number % 4)
    first = reseller.get(f"{LIST}?sort={sort}").content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', first)
    assert following
    second = reseller.get(LIST + unescape(following[1])).content.decode()
    rows = re.findall(r'data-row="([^"]*)"', first + second)
    assert len(rows) == len(set(rows)) == PAGE + 7
    back = re.search(r'rel="prev" href="([^"]*)"', second)
    assert back
    again = reseller.get(LIST + unescape(back[1])).content.decode()
    assert re.findall(r'data-row="([^"]*)"', again) == rows[:PAGE]


def live(browser: Browser, page: str, etag: str = "") -> tuple[int, str]:
    url = re.search(r'data-poll="([^"]*)"', page)
    tag = etag or unescape(re.search(r'data-etag="([^"]*)"', page)[1])  # type: ignore[index]
    assert url
    answer = browser.get(unescape(url[1]), headers={"If-None-Match": tag})
    return answer.status_code, answer.content.decode()


def test_the_poll_is_silent_until_a_cell_changes(
    reseller: Browser, shop: dict[str, Client]
) -> None:
    page = reseller.get(f"{LIST}?sort=name").content.decode()
    assert live(reseller, page) == (304, "")
    Usage.objects.filter(client=shop["anna"]).update(billed_down=47 * GB)
    status, parts = live(reseller, page)
    assert status == 200
    assert "47 of 50 GB" in parts


@pytest.mark.parametrize(
    "change",
    [
        lambda c: Peer.objects.filter(client=c["cleo"]).update(generation=2),
        lambda c: Peer.objects.filter(client=c["anna"]).update(
            last_handshake_at=timezone.now() - timedelta(minutes=9)
        ),
        lambda c: Hold.objects.filter(client=c["dora"]).update(
            closed_at=timezone.now(), closed_by="x"
        ),
        lambda c: Client.objects.filter(pk=c["Bella"].pk).update(version=2, name="Zoe"),
        lambda c: Interface.objects.update(state="down"),
        lambda c: make_client(c["anna"].tenant, name="new"),
    ],
)
def test_whatever_shows_is_told(change: object, reseller: Browser, shop: dict[str, Client]) -> None:
    page = reseller.get(LIST).content.decode()
    change(shop)  # type: ignore[operator]
    assert live(reseller, page)[0] == 200


def test_queries_do_not_grow_with_the_clients(
    reseller: Browser, acme: Tenant, interface: Interface
) -> None:
    def count(path: str) -> int:
        reseller.get(path)
        with CaptureQueriesContext(
            connection,
        ) as found:
            reseller.get(path)
        return len(found)

    def add(number: int) -> None:
        for _ in range(number):
            make_peer(make_client(acme, tags=["a"]), interface)

    paths = [LIST, f"{LIST}live/", f"{LIST}counts/", f"{LIST}filter/tag/", f"{LIST}clients.csv"]
    paths += [f"{LIST}?sort=state&q=sara", f"{LIST}bulk/?act=disable&all=1"]
    add(3)
    few = [count(path) for path in paths]
    add(40)
    assert [count(path) for path in paths] == few


def test_counts_come_after_the_rows(reseller: Browser, shop: dict[str, Client]) -> None:
    page = reseller.get(f"{LIST}counts/?state=over-quota").content.decode()
    assert "1 of 4" in page
    tabs = re.findall(r'id="tab-\d" class="n" hx-swap-oob="true">(\d+)<', page)
    assert tabs == ["4", "1", "1", "2", "1", "1"]


@pytest.mark.parametrize("name", ["state", "online", "plan", "interface", "tag", "ends", "over"])
def test_each_filter_is_chosen_in_a_dialog(
    name: str, reseller: Browser, shop: dict[str, Client]
) -> None:
    page = reseller.get(f"{LIST}filter/{name}/?q=a").content.decode()
    links = re.findall(r'class="pickrow" href="([^"]*)"', page)
    assert links
    for link in links:
        assert "q=a" in link
        assert "is no value" not in reseller.get(unescape(link)).content.decode()


def test_columns_are_in_the_address(reseller: Browser, shop: dict[str, Client]) -> None:
    page = reseller.get(f"{LIST}?col=tags&col=external").content.decode()
    assert "order-7" in page
    assert "Used this period" not in page
    assert "cols=tags%2Cexternal" in page
    assert 'value="tags" checked' in reseller.get(f"{LIST}columns/?cols=tags").content.decode()


def test_a_name_is_text_and_no_markup(reseller: Browser, acme: Tenant) -> None:
    make_client(acme, name="<b>x</b>", tags=["<i>"], external_id='"><script>')
    for path in ("?cols=tags,external,state", "filter/tag/", "?q=%3Cscript%3E"):
        page = reseller.get(LIST + path).content.decode()
        assert "<b>x" not in page
        assert "<i>" not in page
        assert "<script>" not in page


def test_the_file_holds_the_view_and_no_formula(reseller: Browser, shop: dict[str, Client]) -> None:
    Client.objects.filter(name="Anna").update(note="=HYPERLINK(1)")
    answer = reseller.get(f"{LIST}clients.csv?tag=vip")
    head, line, *rest = answer.content.decode().splitlines()
    assert rest == []
    assert head.startswith("id,name,external_id,state")
    assert ",Anna,,active,Gamer 50,46000000000,50000000000," in line
    assert "'=HYPERLINK(1)" in line


def test_a_viewer_sees_and_picks_nothing(viewer: User, shop: dict[str, Client]) -> None:
    browser = Browser()
    browser.force_login(viewer)
    page = browser.get(LIST).content.decode()
    assert len(names(page)) == 4
    assert 'name="act"' not in page
    assert browser.get(f"{LIST}bulk/?act=delete&all=1").status_code == 403


def test_operators_see_everybodys(
    browser: Browser, onlooker: Browser, reseller: Browser, evil: Tenant, shop: dict[str, Client]
) -> None:
    foreign = make_client(evil, name="Eve")
    for one in (browser, onlooker):
        page = one.get("/clients/").content.decode()
        assert len(names(page)) == 5
        assert "Evil" in page
        assert f"/t/evil/clients/{foreign.uuid}/" in page
        assert one.get("/clients/?q=eve").content.decode().count("data-row=") == 1
    assert reseller.get("/clients/").status_code == 403
    assert "Eve" not in show(reseller)
