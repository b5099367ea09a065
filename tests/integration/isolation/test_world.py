"""The two sides of the matrix: complete, and alike."""

import pytest

from tests.integration.isolation.declarations import PARAMETERS
from tests.integration.isolation.matrix import NOW, still, undone
from tests.integration.isolation.world import build, build_shared, unbuilt


@pytest.mark.django_db
def test_both_sides_have_a_row_of_everything_a_tenant_has() -> None:
    with still():
        shared = build_shared()
        sides = [build(letter, shared, NOW) for letter in "AB"]
    assert [unbuilt(side) for side in sides] == [set(), set()]
    needed = set(PARAMETERS.values())
    assert needed <= sides[0].ids.keys()
    assert sides[0].ids.keys() == sides[1].ids.keys()


@pytest.mark.django_db
def test_a_side_can_vanish_with_all_its_rows() -> None:
    with still():
        shared = build_shared()
        build("A", shared, NOW)
        side = build("B", shared, NOW)
    with undone():
        side.vanish()
        left = [m for m, keys in side.rows.items() if m._default_manager.filter(pk__in=keys)]
        assert left == []
