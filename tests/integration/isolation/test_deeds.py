"""Acts of workers and operators, and what both tenants have: nobody notices anybody else."""

from __future__ import annotations

import pytest

from tenants.models import Tenant
from tests.integration.isolation.deeds import DEEDS, carry_out
from tests.integration.isolation.matrix import Stage


@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_nobody_else_is_touched(deed: str, stage: Stage) -> None:
    assert carry_out(stage, deed) == ""


@pytest.mark.django_db
def test_there_is_a_database() -> None:
    """Alone, the tests above would have none: nothing else here asks pytest-django for it."""
    assert Tenant.objects.filter(slug="default").exists()
