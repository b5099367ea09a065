"""What open holds mean."""

from __future__ import annotations

import pytest

from quotas.models import Hold
from quotas.policies import STATE_OF_HOLD, held_state, is_entitled


def test_entitled_is_who_has_no_open_hold() -> None:
    assert is_entitled([])
    assert not is_entitled(["quota"])


def test_every_reason_has_a_state() -> None:
    assert set(STATE_OF_HOLD) == set(Hold.Reason.values)


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        ([], None),
        (["quota"], "over-quota"),
        (["expired", "quota"], "expired"),
        (["quota", "manual", "expired"], "disabled"),
        (["tenant-suspended", "quota"], "suspended"),
        (["plan"], "scheduled"),
        (["plan", "suspended"], "suspended"),
    ],
)
def test_the_strongest_hold_names_the_state(reasons: list[str], state: str | None) -> None:
    assert held_state(reasons) == state
