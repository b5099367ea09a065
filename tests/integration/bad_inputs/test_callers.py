"""Callers who are not who they say: refused, slowed down, and nothing told.

The numbers are the rows of the list of bad inputs that this project is tested by. Wrong tokens by
the minute are in `tests.integration.throttling`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from rest_framework.test import APIClient

from gateways.models import Interface
from tenants.models import User

JOBS = "/api/v1/jobs"


@pytest.fixture
def empty_cache(db: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def sign_in(browser: Browser, name: str, password: str, **headers: str) -> Any:
    return browser.post("/sign-in/", {"login": name, "password": password}, headers=headers)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_42_fifty_wrong_passwords_are_429(empty_cache: None, alice: User, name: str) -> None:
    """A header that names another address each time does not help."""
    browser = Browser()
    answers = [
        sign_in(browser, name, f"wrong {i}", **{"X-Forwarded-For": f"203.0.113.{i}"})
        for i in range(50)
    ]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses == sorted(statuses)  # once refused, always refused
    assert statuses.count(429) == 20
    # The right one is not even looked at by then.
    assert sign_in(browser, name, "correct horse battery").status_code == 429
    assert "_auth_user_id" not in browser.session


def test_42_after_a_few_wrong_passwords_the_right_one_must_wait(
    empty_cache: None, alice: User
) -> None:
    browser = Browser()
    for _ in range(6):
        sign_in(browser, "alice", "wrong")
    sign_in(browser, "alice", "correct horse battery")
    assert "_auth_user_id" not in browser.session


def test_41_what_is_wrong_with_a_sign_in_is_not_told(empty_cache: None, alice: User) -> None:
    User.objects.create_user("gone", "gone@example.org", "correct horse battery", is_active=False)
    pages = []
    for name in ("nobody", "alice", "gone"):
        cache.clear()
        page = sign_in(Browser(), name, "wrong").content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        pages.append(page.replace(f'value="{name}"', ""))
    assert pages[0] == pages[1] == pages[2]


def test_43_one_character_changed_is_401_and_says_no_more(
    alice_token: str, interface: Interface
) -> None:
    other = "b" if alice_token[-1] == "a" else "a"
    unknown = f"vwg_{'x' * 12}_{alice_token[17:]}"
    answers = [
        APIClient().get(JOBS, headers={"Authorization": f"Bearer {text}"})
        for text in (alice_token[:-1] + other, unknown)
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


def test_43_a_token_that_is_cut_off_is_called_malformed_and_not_shown(
    alice_token: str, interface: Interface
) -> None:
    """Of its form alone: what is known of its beginning is the same for all."""
    other = f"vwg_{'x' * 12}_{alice_token[17:]}"
    for text in (alice_token[:-1], other[:-1], alice_token + "x", f"{alice_token[:-1]}.", "secret"):
        answer = APIClient().get(JOBS, headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 401
        assert answer.json()["detail"].startswith("The token is malformed")
        assert text not in answer.content.decode()
        assert answer["WWW-Authenticate"] == 'Bearer realm="vwg"'


def test_43_two_tokens_are_none(alice_token: str, interface: Interface) -> None:
    """A server joins two headers of one name with a comma."""
    joined = f"Bearer {alice_token}, Bearer {alice_token}"
    assert APIClient().get(JOBS, headers={"Authorization": joined}).status_code == 401


def test_49_a_wrong_method_is_405_whatever_else_is_wrong(operator_api: APIClient) -> None:
    answer = operator_api.put(JOBS, {}, headers={"X-VWG-Tenant": "nobodys"})
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert "GET" in answer["Allow"]
