"""How fast the list is with 10,000 clients of one tenant, and what its first page weighs.

Server time: from the request to the last byte, in the process that answers. A measurement, and
so apart from the other tests (`proof`); run it alone.
"""

from __future__ import annotations

import gzip
import re
import time
from datetime import timedelta
from html import unescape
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from bench.crowd import crowd
from bench.figures import quantile
from peers.models import Client, Peer
from quotas.models import Usage
from tenants.models import Tenant
from tests.make import make_user

pytestmark = [pytest.mark.proof, pytest.mark.alone, pytest.mark.django_db]
CLIENTS, ROUNDS = 10_000, 40
LIST_MS, POLL_MS, WEIGHT = 100, 20, 150_000
LIST = "/t/crowd-0/clients/"
#: The views of a morning's work.
VIEWS = (
    "", "?sort=name", "?sort=-used", "?sort=ends", "?q=omer+99", "?q=nobody", "?online=true",
    "?ends=40", "?over=50&sort=-share", "?tag=gold", "?state=disabled", "?off=true",
)  # fmt: skip


@pytest.fixture
def olive(db: None) -> Browser:
    """The owner of 10,000 clients, of whom 900 are online."""
    crowd(1, CLIENTS)
    tenant = Tenant.objects.get(slug="crowd-0")
    rows = Client.objects.filter(tenant=tenant).values_list("pk", flat=True)
    Usage.objects.bulk_create(
        (Usage(client_id=pk, tenant=tenant, billed_down=pk % 97 * 10**9) for pk in rows),
        batch_size=500,
    )
    some = list(Peer.objects.filter(blocked=False).values_list("pk", flat=True)[:900])
    # Nobody comes or goes by the clock alone while it is measured.
    now = timezone.now()
    Peer.objects.update(last_handshake_at=now - timedelta(hours=1))
    Peer.objects.filter(pk__in=some).update(last_handshake_at=now + timedelta(minutes=30))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    browser = Browser()
    browser.force_login(make_user("olive", tenant=tenant))
    return browser


def measure(
    browser: Browser, path: str, etag: str = "", *, rounds: int = ROUNDS
) -> tuple[float, int]:
    """The 95th percentile in ms, and the size of the answer."""
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = browser.get(path, headers={"If-None-Match": etag} if etag else {})
        size = len(answer.content)
        spent.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == (304 if etag else 200)
    return quantile(spent, 0.95), size


def test_the_list_is_fast_at_ten_thousand(olive: Browser) -> None:
    lists, polls = {}, {}
    for view in VIEWS:
        page = olive.get(LIST + view).content.decode()
        lists[view] = measure(olive, LIST + view)[0]
        poll = unescape(re.findall(r'data-poll="([^"]*)"', page)[0])
        etag = unescape(re.findall(r'data-etag="([^"]*)"', page)[0])
        polls[view], size = measure(olive, poll, etag)
        assert size == 0
        print(f"{connection.vendor} {view:24} list {lists[view]:6.1f} poll {polls[view]:6.1f} ms")
    assert max(lists.values()) <= LIST_MS
    assert max(polls.values()) <= POLL_MS


def weight(page: int) -> int:
    """The bytes of a page of this size with the files that it needs, as WhiteNoise sends them."""
    static = Path(settings.BASE_DIR) / "static"
    htmx = Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js"
    files = [static / "css/portal.css", static / "js/portal.js", static / "icons.svg", htmx]
    return page + sum(len(gzip.compress(path.read_bytes())) for path in files)


def test_the_first_page_is_light(olive: Browser) -> None:
    page = len(olive.get(LIST).content)
    print(f"page {page}, with its files {weight(page)} bytes")
    assert weight(page) <= WEIGHT
