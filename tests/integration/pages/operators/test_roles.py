"""Who may open an operator's page, and who may change something on it."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from gateways.models import Interface
from peers.models import Peer
from tenants.models import Tenant, User

#: Pages that every operator may look at, and those that are for changing things.
LOOKED_AT = [
    "/", "/jobs/", "/quarantine/", "/schedule/", "/audit/", "/audit/file/", "/tenants/",
    "/tenants/acme/", "/gateways/", "/pools/", "/settings/", "/system/",
]  # fmt: skip
CHANGING = [
    "/tenants/new/", "/tenants/acme/edit/", "/tenants/acme/suspend/",
    "/tenants/acme/members/new/", "/gateways/new/", "/interfaces/new/", "/pools/new/",
    "/system/bundle/",
]  # fmt: skip
POSTED = ["/quarantine/", "/jobs/00000000-0000-0000-0000-000000000000/retry/"]


@pytest.fixture(autouse=True)
def scene(alice: User, alice_peer: Peer) -> None:
    """One of everything."""


@pytest.mark.parametrize("path", LOOKED_AT)
def test_every_operator_may_look(path: str, browser: Browser, onlooker: Browser) -> None:
    for one in (browser, onlooker):
        answer = one.get(path)
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", CHANGING)
def test_a_full_operator_alone_may_change(path: str, browser: Browser, onlooker: Browser) -> None:
    assert browser.get(path).status_code == 200
    refused = onlooker.get(path)
    assert refused.status_code == 403
    assert "read-only operator" in refused.content.decode()
    assert onlooker.post(path).status_code in (403, 405)


@pytest.mark.parametrize("path", POSTED)
def test_a_read_only_operator_posts_nothing(path: str, onlooker: Browser) -> None:
    assert onlooker.post(path, {"all": "1"}).status_code == 403


@pytest.mark.parametrize("path", [*LOOKED_AT[1:], *CHANGING])
def test_nobody_else_may(path: str, reseller: Browser, acme: Tenant) -> None:
    answer = reseller.get(path)
    assert answer.status_code == 403
    assert "for operators" in answer.content.decode()
    assert Browser().get(path).status_code == 302


def test_a_read_only_operator_is_shown_no_way_to_change(
    onlooker: Browser, interface: Interface
) -> None:
    Peer.objects.update(quarantine_reason="refused")
    for path in ("/tenants/", "/tenants/acme/", "/quarantine/", "/jobs/", "/gateways/", "/pools/"):
        page = onlooker.get(path).content.decode()
        main = page[page.index('id="main"') : page.index('class="foot"')]
        assert 'method="post"' not in main, path
        assert "btn-bad" not in main, path
