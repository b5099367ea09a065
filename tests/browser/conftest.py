"""A real Chromium on a live server with an ordinary day's rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from deploy.catalogues import build
from gateways.models import Interface
from tests.browser.chromium import Watched, chromium
from tests.browser.scene import ordinary_day
from tests.make import make_user


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    build()
    with pytest.MonkeyPatch.context() as patch:
        # playwright keeps an event loop in this thread, which Django takes for a mistake
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with chromium() as browser:
            yield browser


@pytest.fixture
def gateway(live_server: LiveServer) -> Interface:
    make_user("oscar", operator="full", is_staff=True, is_superuser=True)
    return ordinary_day(devices=20)


@pytest.fixture
def watched(chrome: Browser, live_server: LiveServer, gateway: Interface) -> Iterator[Watched]:
    """A signed-in operator's page, that ends without console error, CSP fault, request out."""
    page = Watched(chrome, live_server.url)
    page.sign_in("oscar")
    yield page
    page.context.close()
    assert page.faults == []
