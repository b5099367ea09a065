"""Tests with real transactions find what migrations made, whatever ran before them."""

import pytest

from gateways.models import GlobalSetting
from tenants.models import Tenant


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_the_rows_of_migrations_are_there_each_time(run: int) -> None:
    assert Tenant.objects.filter(slug="default").exists()
    assert GlobalSetting.objects.count() == 1
