"""Browsers without script: Django's test client, signed in as different people."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from deploy.catalogues import build
from tenants.models import User


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """Persian, as an install makes it."""
    build()


def _as(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def browser(operator: User) -> Browser:
    return _as(operator)


@pytest.fixture
def onlooker(auditor: User) -> Browser:
    """A read-only operator."""
    return _as(auditor)


@pytest.fixture
def reseller(alice: User) -> Browser:
    return _as(alice)
