"""Every mutant makes at least one cell of the matrix fail. On SQLite: no second wall hides it."""

from __future__ import annotations

import time
from types import CodeType
from typing import Final

import pytest

from tenants.models import Tenant
from tests.integration.isolation.declarations import OPERATIONS
from tests.integration.isolation.deeds import CRASH, DEEDS, carry_out
from tests.integration.isolation.enumeration import described, resolved
from tests.integration.isolation.matrix import Examination, Stage
from tests.integration.isolation.mutants import Mutant, mutants, running, unprepared

#: Mutants that change nothing that anybody could notice, and why. Read by people.
SPARED: Final = {
    ("peers/bulk_queries.py", "visible_items", "run__tenant"): "the run came through its door",
    ("peers/bulk_queries.py", "brief_devices", "visible"): "`client__tenant` says the same",
    ("peers/bulk_queries.py", "brief_devices", "client__tenant"): "`visible` says the same",
    ("peers/filters.py", "_peers", "tenant"): "the client's own tenant too, for an index",
    ("peers/filters.py", "_open_holds", "tenant"): "the client's own tenant too, for an index",
    ("peers/networks.py", "_refuse_taken", "tenant_id"): "`kept_peers(tenant)` says it too",
    ("peers/usage_queries.py", "visible_sessions", "tenant_id"): "the device came by its door; of "
    "one that was handed over `test_what_was_handed_over_keeps_its_sessions` asks",
    ("peers/services/due.py", "purge_due", "tenant_id__in"): "each is then compared with the set",
    ("resellers.api.me", "Me", "permission_classes"): "`caller_of` refuses who is not signed in",
    ("resellers/api/serializers.py", "get_interfaces", "limits_interfaces"): "of one's own tenant",
    ("resellers/api/serializers.py", "get_pools", "limits_pools"): "of one's own tenant",
}


#: A crash shows nobody anything: it does not count.
_CRASHES: Final = (": 500, not", '"status":500', CRASH)


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_the_matrix_notices_every_missing_brick(stage: Stage) -> None:
    began, every = time.monotonic(), list(mutants())
    assert SPARED.keys() <= {one.site for one in every}
    tried = [one for one in every if one.site not in SPARED]
    with unprepared():
        hunt = Hunt(stage, {one.code for one in tried if one.code is not None})
        alive = [one.name for one in tried if not _killed(hunt, one)]
    took, killed = time.monotonic() - began, len(tried) - len(alive)
    if waste := [one for one in tried if not hunt.operations(one)]:
        print("by nobody:", *(one.name for one in waste), sep="\n  ")
    print(f"\nmutants: {killed}/{len(tried)} killed, {len(SPARED)} spared, {took:.0f} s")
    assert alive == []


def _killed(hunt: Hunt, mutant: Mutant) -> bool:
    killer = hunt.killer(mutant)
    print(f"{mutant.name}: {(killer or 'ALIVE')[:160]}", flush=True)
    return killer is not None


class Hunt:
    """Looks for the cell that a mutant makes fail: first where that costs least."""

    def __init__(self, stage: Stage, codes: set[CodeType]) -> None:
        self.stage, self.schema, views = stage, described(), resolved()
        self.users: dict[str, set[object]] = {}
        self.cost: dict[str, float] = {}
        for operation in (*DEEDS, *sorted(OPERATIONS)):
            began = time.monotonic()
            with running(codes) as seen:
                self._run(operation)
            self.cost[operation] = time.monotonic() - began
            view = views.get(operation)
            self.users[operation] = {*seen, getattr(view, "view_class", getattr(view, "cls", None))}

    def operations(self, mutant: Mutant) -> list[str]:
        """Those that come by what was changed, the cheapest first."""
        there = {mutant.code, mutant.view} - {None}
        return sorted((o for o in self.users if there & self.users[o]), key=self.cost.__getitem__)

    def killer(self, mutant: Mutant) -> str | None:
        for operation in self.operations(mutant):
            with mutant.place():
                faults = self._faults(operation)
            if faults and not any(sign in faults[0] for sign in _CRASHES):
                return faults[0]
        return None

    def _run(self, name: str) -> None:
        if name in DEEDS:
            assert carry_out(self.stage, name) == ""
        else:
            Examination(self.stage, name, OPERATIONS[name], self.schema[name]).scan()

    def _faults(self, name: str) -> list[str]:
        if name in DEEDS:
            return [fault] if (fault := carry_out(self.stage, name)) else []
        entry, described = OPERATIONS[name], self.schema[name]
        return Examination(self.stage, name, entry, described, hasty=True).run().faults


@pytest.mark.proof
@pytest.mark.django_db
def test_there_is_a_database() -> None:
    """Alone, the tests above would have none: nothing else here asks pytest-django for it."""
    assert Tenant.objects.filter(slug="default").exists()
