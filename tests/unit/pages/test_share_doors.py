"""In which language a customer is spoken to."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from portal.share.doors import language_of
from tenants.models import Tenant


@pytest.mark.parametrize(
    ("tenant", "accepted", "asked", "language"),
    [
        ("fa", "", "", "fa"),
        ("fa", "en-US,en;q=0.9", "", "en"),  # he does not read Persian
        ("fa", "en-US,en;q=0.9,fa;q=0.3", "", "fa"),  # he does
        ("fa", "de,fr;q=0.5", "", "fa"),
        ("en", "fa-IR,fa;q=0.9", "", "fa"),
        ("en", "fa,en;q=0.5", "", "en"),
        ("en", "de", "", "en"),
        ("en", "en", "fa", "fa"),
        ("en", "en", "xx", "en"),
        ("en", "x" * 5000, "", "en"),
        ("xx", "", "", "en"),
    ],
)
def test_language(tenant: str, accepted: str, asked: str, language: str) -> None:
    query = {"lang": asked} if asked else {}
    request = RequestFactory().get("/s/x", query, headers={"Accept-Language": accepted})
    assert language_of(request, Tenant(language=tenant)) == language
