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

from control.pages import share_views

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
