"""The operator's status page and its live parts."""

import pytest
from django.test import Client as Browser

from gateways.models import Interface
from tenants.models import User
from tests.make import make_client, make_peer, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(operator: User) -> Browser:
    client = Browser()
    client.force_login(operator)
    return client


def test_page_shows_interfaces_and_devices(browser: Browser, interface: Interface) -> None:
    make_peer(make_client(make_tenant("acme"), name="Sara <b>"), interface)
    page = browser.get("/").content.decode()
    assert "local wg0" in page
    assert "Sara &lt;b&gt;" in page
    assert "10.252.0.2" in page
