"""The secret of a share link is in no log, event or error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.utils.module_loading import import_string
from rest_framework.test import APIClient

from peers.models import PeerKey, ShareLink
from portal.share import views as share_views
from tenants.models import User

Body = dict[str, Any]
Share = Callable[..., Body]
LOGGING: dict[str, Any] = settings.LOGGING


def test_a_crash_behind_a_link_is_logged_without_its_secret(
    share: Share, sold: Body, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = share(sold)["path"]
    secret = path.rpartition("/")[2]

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(share_views, "customer", crash)
    caplog.handler.addFilter(import_string(LOGGING["filters"]["secret_paths"]["()"])())
    with caplog.at_level(logging.ERROR):
        answer = Browser(raise_request_exception=False).get(path)
    assert answer.status_code == 500
    assert secret not in answer.content.decode()
    assert "Internal Server Error: /s/…" in caplog.text
    assert secret not in caplog.text
    assert LOGGING["handlers"]["stderr"]["filters"] == ["secret_paths"]


def test_what_the_ring_does_not_open_is_a_conflict(
    share: Share, sold: Body, alice_api: APIClient, operator: User
) -> None:
    path = share(sold, single_use=True)["path"]
    other = share(sold)["path"]
    PeerKey.objects.update(private_key="v1.lost.AAAA")
    answer = alice_api.get(f"/api/v1/clients/{sold['id']}/config")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/secrets-unreadable")
    browser = Browser()
    assert browser.post(path).status_code == 409
    assert "used up" in browser.post(path).content.decode()  # and it was not
    assert ShareLink.objects.filter(used_at__isnull=False).count() == 0
    assert browser.get(f"{other}/config").status_code == 409
    browser.force_login(operator)
    page = browser.get(f"/peers/{sold['devices'][0]['id']}/").content.decode()
    assert "The key ring does not open" in page


def test_no_table_holds_it(share: Share, sold: Body) -> None:
    path = share(sold)["path"]
    browser = Browser()
    for visit in (browser.get, browser.post):
        assert visit(path).status_code == 200
    assert browser.get(f"{path}/config").status_code == 200
    secret = path.rpartition("/")[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names of our own tables
            assert secret not in str(cursor.fetchall()), table
