"""Every mutant makes at least one cell of the matrix fail. On SQLite: no second wall hides it."""

from __future__ import annotations

import pytest

from tenants.models import Tenant
from tests.integration.isolation.declarations import OPERATIONS
from tests.integration.isolation.enumeration import described, resolved
from tests.integration.isolation.matrix import Examination, Stage
from tests.integration.isolation.mutants import Mutant, mutants, running


@pytest.mark.proof
def test_the_matrix_notices_every_missing_brick(stage: Stage) -> None:
    schema, views, every = described(), resolved(), list(mutants())
    codes = {one.code for one in every if one.code is not None}
    users: dict[str, set[object]] = {}
    for operation, entry in OPERATIONS.items():
        with running(codes) as seen:
            assert Examination(stage, operation, entry, schema[operation]).run().faults == []
        view = views[operation]
        users[operation] = {*seen, getattr(view, "view_class", None) or view.cls}

    def killer(mutant: Mutant) -> str | None:
        for operation in sorted(OPERATIONS):
            if not ({mutant.code, mutant.view} - {None}) & users[operation]:
                continue
            with mutant.place():
                entry = OPERATIONS[operation]
                outcome = Examination(stage, operation, entry, schema[operation], hasty=True).run()
            if outcome.faults:
                return outcome.faults[0]
        return None

    unused = [m.name for m in every if m.code and not any(m.code in u for u in users.values())]
    tried = [one for one in every if one.name not in unused]
    alive = []
    for one in tried:
        if killer(one) is None:
            alive.append(one.name)
            print("alive:", one.name, flush=True)
    print(f"\nmutants: {len(tried) - len(alive)}/{len(tried)} killed; by no request: {unused}")
    assert alive == []


@pytest.mark.proof
@pytest.mark.django_db
def test_there_is_a_database() -> None:
    """Alone, the tests above would have none: nothing else here asks pytest-django for it."""
    assert Tenant.objects.filter(slug="default").exists()
