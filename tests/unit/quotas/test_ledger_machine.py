"""The accounting core under everything that can happen to it; and each line of it is needed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from quotas import metering
from tests.unit.quotas.ledger_machine import Ledger
from tests.unit.quotas.ledger_stories import STORIES, tell

SOURCE = Path(metering.__file__).read_text()
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

_LATE = "if sample.seq {} meter.seq:\n        return Refusal.STALE\n    flags"
_BILL = "percent{})\n    billed_down"
#: What protects the ledger, and what is left without it.
MUTANTS = {
    "late samples are refused": (_LATE.format("<="), _LATE.format("== -1 +")),
    "and repeated ones": (_LATE.format("<="), _LATE.format("<")),
    "another life of the interface begins at 0": ("if sample.run != meter.run:", "if False:"),
    "a counter that fell began at 0": (
        "if sample.rx < meter.rx or sample.tx < meter.tx:",
        "if False:",
    ),
    "a fall to 0 is written": (" or Flag.FELL in self.flags", ""),
    "either counter": ("sample.rx < meter.rx or sample.tx", "sample.rx < meter.rx and sample.tx"),
    "a closed meter begins at 0": ("meter._replace(run=None, rx=0, tx=0, ", "meter._replace("),
    "closing has a number": ("seq=max(meter.seq, seq)", "seq=meter.seq"),
    "who is added again bills": (", billing=True)", ")"),
    "an incarnation has a number of its own": ("0, 0, incarnation + 1", "0, 0, incarnation"),
    "what begins at 0 is counted from there": (
        "rx, tx, incarnation = 0, 0, incarnation + 1",
        "incarnation = incarnation + 1",
    ),
    "hundredths are kept": ("counted * percent + rest", "counted * percent"),
    "who is off is not billed": (_BILL.format(" if meter.billing else 0"), _BILL.format("")),
    "billing goes on as it was": ("sample.seq, meter.billing,", "sample.seq, True,"),
}
#: The same of what control does around the core.
WEAKER = {
    "compare and swap": {"swaps": False},
    "frozen before the last reading": {"freezes": False},
    "committed before the removal": {"commits_before_removal": False},
    "closed after the removal": {"closes_after_removal": False},
    "read at blocks and unblocks": {"reads_at_blocks": False},
}


def run(machine: type[Ledger], *, examples: int, steps: int, **more: Any) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=QUIET,
            database=None,
            **more,
        ),
    )


def test_the_ledger_is_the_truth() -> None:
    run(Ledger, examples=60, steps=30)


@pytest.mark.proof
def test_the_ledger_is_the_truth_500_times_50_steps() -> None:
    run(Ledger, examples=1000, steps=50)


@pytest.mark.parametrize("name", [*MUTANTS, *WEAKER])
def test_everything_that_protects_it_is_needed(name: str) -> None:
    """The same story ends well with it, and badly without it."""
    for percent in (100, 250):
        tell(Ledger, STORIES[name], percent=percent)
    percent = 250 if name == "hundredths are kept" else 100
    with pytest.raises(AssertionError):
        tell(without(name), STORIES[name], percent=percent)


@pytest.mark.proof
@pytest.mark.parametrize("name", [*MUTANTS, *WEAKER])
def test_a_hunt_finds_whatever_is_missing(name: str) -> None:
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run(without(name), examples=5000, steps=40, derandomize=True, phases=[Phase.generate],
            print_blob=False, report_multiple_bugs=False)  # fmt: skip


def without(name: str) -> type[Ledger]:
    """The machine with this protection taken away."""
    if name in WEAKER:
        return type("Weakened", (Ledger,), WEAKER[name])
    old, new = MUTANTS[name]
    assert SOURCE.count(old) == 1
    core = ModuleType("weakened")
    vars(core)["__name__"] = metering.__name__
    exec(compile(SOURCE.replace(old, new), "weakened", "exec"), vars(core))  # noqa: S102
    return type("Weakened", (Ledger,), {"core": core})
