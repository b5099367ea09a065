"""Callers for the services."""

from __future__ import annotations

import pytest

from audit.events import Actor
from gateways.hints import publisher
from tenants.models import Tenant
from tenants.scoping import Caller


def caller_for(tenant: Tenant) -> Caller:
    return Caller(tenant, "", frozenset({"*"}), Actor("token", "t", tenant.slug))


@pytest.fixture
def as_alice(acme: Tenant) -> Caller:
    return caller_for(acme)


@pytest.fixture
def as_mallory(evil: Tenant) -> Caller:
    return caller_for(evil)


@pytest.fixture(autouse=True)
def no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; hints are not what these tests are about."""
    monkeypatch.setattr(publisher, "ring", lambda **_: None)
