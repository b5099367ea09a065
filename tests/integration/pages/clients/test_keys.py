"""The list of keys names those that lead somewhere."""

from __future__ import annotations

from django.test import Client as Browser

from tenants.models import Tenant


def test_gateways_are_operators_alone(browser: Browser, reseller: Browser, acme: Tenant) -> None:
    assert "gateways" in browser.get("/keys/").content.decode()
    page = reseller.get("/keys/").content.decode()
    assert "gateways" not in page
    assert "tick up to here" in page
    assert 'data-key="g c"' in reseller.get("/t/acme/").content.decode()


def test_the_counts_name_no_element_that_an_operators_list_lacks(browser: Browser) -> None:
    assert 'id="whole"' not in browser.get("/clients/counts/").content.decode()
