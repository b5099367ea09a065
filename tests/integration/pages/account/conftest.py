"""People at the door: their tries are forgotten, their mail is kept in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail as outbox
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client as Browser

from portal import mail

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def no_memory_of_tries(db: None) -> None:
    cache.clear()


@pytest.fixture
def mailbox() -> Callable[[], list[EmailMessage]]:
    """What was sent, once all of it has been."""

    def read() -> list[EmailMessage]:
        mail.settle()
        return list(outbox.outbox)

    return read


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def sign_in(name: str, password: str = PASSWORD, browser: Browser | None = None) -> Browser:
    """Through the door."""
    browser = browser or Browser()
    browser.post("/sign-in/", {"login": name, "password": password})
    return browser


def again(browser: Browser, to: str, password: str = PASSWORD) -> None:
    """Answer the question whether it is still the same person."""
    answer = browser.post("/sign-in/again/", {"password": password, "next": to})
    assert answer["Location"] == to
