"""The tour of docs/ is whole: every page of the portal, every picture, nothing that is no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver

from tests.browser.tour.parts import SHOTS
from tests.browser.tour.text import write_tour

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
#: Names of addresses that have no picture, and why.
NO_PAGE: Final = {
    "an answer to a poll, a part of a page that is shown": {
        "client-live", "clients-live", "clients-counts", "all-clients-live", "all-clients-counts",
        "page-live", "operator-home-live", "tenant-home-live", "job-list-live", "schedule-live",
        "share-status", "tenant-preview",
    },
    "a file": {
        "statement-file", "client-download", "clients-csv", "page-peer-file", "system-bundle",
        "audit-file", "share-config", "share-colors", "tenant-logo-page",
        "mfa_download_recovery_codes",
    },
    "a form's address without a page of its own": {
        "page-language", "page-theme", "account_logout", "gateway-put-out", "gateway-delete",
        "pool-delete", "job-retry-page", "tenant-member-role", "share-key", "mfa_login_webauthn",
    },
    "leads on": {
        "openid_connect_login", "openid_connect_callback", "socialaccount_login_cancelled",
        "mfa_list_webauthn", "account_set_password",
    },
    "new: its picture is to be taken": {
        "account_email", "account_email_confirm",
        "client-login", "client-login-new", "client-transfer", "mine", "my", "my-device", "wake",
        "wake-delete", "wake-edit", "wake-new", "wake-one",
    },
    "for machines": {"healthz-live", "healthz-ready"},
}  # fmt: skip


def _names(patterns: list[URLPattern | URLResolver], path: str = "") -> Iterator[str]:
    """Of what is no part of the API and not the administration's own."""
    for one in patterns:
        here = path + str(one.pattern)
        if here.startswith(("api/", "admin/")):
            continue
        if isinstance(one, URLResolver):
            yield from _names(one.url_patterns, here)
        elif one.name:
            yield one.name


def test_every_page_is_in_the_tour_or_says_why_not() -> None:
    patterns = get_resolver().url_patterns
    shown = {route for shot in SHOTS for route in shot.routes if route}
    excused = set().union(*NO_PAGE.values())
    routes = set(_names(patterns))
    assert routes - shown - excused == set(), "neither in tests/browser/tour nor in NO_PAGE"
    assert shown & excused == set()
    assert (shown | excused) - routes - {"admin:index"} == set(), "no such address any more"


def test_the_document_is_what_the_tour_says() -> None:
    """After a change: python -m tests.browser.tour.text > docs/tour.md"""
    assert (DOCS / "tour.md").read_text() == write_tour()


def test_every_picture_is_there_and_no_other() -> None:
    """After a change: make screenshots"""
    named = {f"{shot.name}.webp" for shot in SHOTS}
    assert len(named) == len(SHOTS)
    assert {path.name for path in (DOCS / "tour").iterdir()} == named


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "tour").iterdir()) < 7 * 10**6
