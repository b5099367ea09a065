"""The admin site edits gateways, interfaces and settings through the API's services."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms import BaseForm
from django.test import Client as Browser

from audit.models import AuditEvent
from gateways.models import Gateway, GlobalSetting, Interface
from tenants.models import User
from tests.integration.operators.conftest import acts


@pytest.fixture
def browser(operator: User) -> Browser:
    browser = Browser()
    browser.force_login(operator)
    return browser


def send(browser: Browser, page: str, **changes: Any) -> Any:
    """Fill in the page's form as it is shown, but for the changes, and send it."""
    form: BaseForm = browser.get(page).context["adminform"].form
    body = {
        name: field.prepare_value(form.initial.get(name)) for name, field in form.fields.items()
    }
    shown = {name: value for name, value in body.items() if value not in (None, False)}
    return browser.post(page, {**shown, **changes})


def test_an_interface_is_edited_by_the_service(browser: Browser, interface: Interface) -> None:
    page = f"/admin/gateways/interface/{interface.pk}/change/"
    assert send(browser, page, mtu="1400").status_code == 302
    interface.refresh_from_db()
    assert (interface.mtu, interface.version, interface.config_generation) == (1400, 2, 2)
    event = AuditEvent.objects.get(action="interface.updated")
    assert (event.before, event.after) == ({"mtu": None}, {"mtu": 1400})


def test_what_the_service_refuses_stands_at_its_field(
    browser: Browser, interface: Interface
) -> None:
    page = f"/admin/gateways/interface/{interface.pk}/change/"
    answer = send(browser, page, mtu="1279", endpoint_address="host:99999")
    assert answer.status_code == 200
    assert "endpoint_address" in answer.context["adminform"].form.errors
    answer = send(browser, page, mtu="1279")
    assert "IPv6" in str(answer.context["adminform"].form.errors["mtu"])
    interface.refresh_from_db()
    assert (interface.mtu, interface.version) == (None, 1)
    assert acts() == []


def test_a_gateway_is_edited_by_the_service(browser: Browser, interface: Interface) -> None:
    page = f"/admin/gateways/gateway/{interface.gateway_id}/change/"
    assert send(browser, page, endpoint_address="vpn.example.com").status_code == 302
    gateway = Gateway.objects.get()
    assert (gateway.endpoint_address, gateway.config_generation) == ("vpn.example.com", 2)
    assert send(browser, page, country="xx").status_code == 200
    assert acts() == ["gateway.updated"]


def test_settings_are_edited_by_the_service(browser: Browser, interface: Interface) -> None:
    page = "/admin/gateways/globalsetting/1/change/"
    assert send(browser, page, dns_servers='["9.9.9.9"]').status_code == 302
    row = GlobalSetting.objects.get()
    assert (row.dns_servers, row.version, row.config_generation) == (["9.9.9.9"], 2, 2)
    assert send(browser, page, timezone="Mars").status_code == 200
    assert send(browser, page).status_code == 302
    assert acts() == ["settings.updated"]
