"""What an operator's endpoints are tested with."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from audit.models import AuditEvent
from tenants.models import User


@pytest.fixture
def auditor_api(auditor: User) -> APIClient:
    """An operator who may only look."""
    client = APIClient()
    client.force_login(auditor)
    client.default_format = "json"
    return client


def acts() -> list[str]:
    """What was done, but for the tokens that the tests were given."""
    rows = AuditEvent.objects.exclude(action="token.issued").order_by("pk")
    return list(rows.values_list("action", flat=True))
