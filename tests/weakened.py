"""Builds that lack one protecting line each, and the check of a fault that must fail on them.

A build is a copy of this tree with one text of one file replaced; the check runs there, in a
process of its own, so that its workers are weakened too. A bar that no weakened build fails
proves nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.stack.databases import ROOT

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")
_FAULTS = "tests/integration/ledger/test_faults.py::"
_SCHEDULE = "tests/faults/test_schedule.py::"
_LIMITS = "tests/live/test_limits.py::"


@dataclass(frozen=True)
class Weakened:
    """``old`` of ``file`` becomes ``new``; then ``check`` fails, and prints what it ``says``."""

    fault: str
    without: str
    file: str
    old: str
    new: str
    check: str
    says: str = "AssertionError"

    def __str__(self) -> str:
        return f"{self.fault} without {self.without}".replace(" ", "_")

    def run(self, directory: Path) -> subprocess.CompletedProcess[str]:
        """Make the build in this directory, and run the check there."""
        tree = directory / "tree"
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT, symlinks=True)
        (tree / ".venv").symlink_to((ROOT / ".venv").resolve())
        source = (tree / self.file).read_text()
        assert source.count(self.old) == 1, f"{self.file} has not exactly one {self.old!r}"
        (tree / self.file).write_text(source.replace(self.old, self.new))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", self.check],
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=900,
        )


_JUDGED = "            judge_clients(client_ids=clients.keys(), at=at)\n"
_RUN = "    if sample.run != meter.run:\n        return Flag.RESTARTED | Flag.GAP\n"
_LATE = ("gateways/schedule.py", "LATE_AFTER: Final = 3", "LATE_AFTER: Final = 300")
_HARVEST = (
    "control/sending.py",
    "            sent.last.update(books.last(here, sent.done & named))\n",
    "            sent.last.update(dict.fromkeys(()))\n",
)

BUILDS = [
    Weakened(
        "F17", "numbers of samples", "quotas/metering.py",
        "    if sample.seq <= meter.seq:\n        return Refusal.STALE\n    flags", "    flags",
        f"{_FAULTS}test_a_stale_dump_that_is_fed_again_adds_nothing",
    ),
    Weakened(
        "F17", "the order of dumps and additions", "control/samples.py",
        " or _may_be_anothers(row, apply_seq, latest)", "",
        f"{_FAULTS}test_a_stale_dump_says_nothing_of_the_next_client_with_the_same_key",
    ),
    Weakened(
        "F17", "one life across an adoption", "control/adoption.py",
        "            go_on(interface, stamp_before=before)\n", "",
        f"{_FAULTS}test_a_dump_from_before_an_adoption_adds_nothing_twice",
    ),
    Weakened(
        "F19", "the alarm", *_LATE,
        f"{_SCHEDULE}test_without_beat_an_alarm_and_nothing_lost", "sweep is late",
    ),
    Weakened(
        "F19", "verdicts on who moved", "control/metering.py", _JUDGED, "            pass\n",
        f"{_SCHEDULE}test_without_beat_an_alarm_and_nothing_lost", "the device is off",
    ),
    Weakened(
        "F21", "the flag of what is missing", "quotas/metering.py",
        "        return Flag.RESTARTED | Flag.GAP\n", "        return Flag.RESTARTED\n",
        f"{_FAULTS}test_what_a_crash_took_is_flagged_and_nothing_is_counted_twice",
    ),
    Weakened(
        "F21", "bringing it back", "control/observe.py",
        "    if missing and interface.enabled:", "    if missing and not interface.enabled:",
        "tests/live/test_ledger_crashes.py::test_an_interface_with_a_thousand_peers_is_killed",
        "it is there again",
    ),
    Weakened(
        "F22", "lives of the interface", "quotas/metering.py", _RUN, "",
        f"{_FAULTS}test_counters_that_overtook_after_a_restart_are_counted_from_0",
    ),
    Weakened(
        "F22", "lives of the interface, on real counters", "quotas/metering.py", _RUN, "",
        "tests/live/test_ledger_crashes.py"
        "::test_counters_that_overtake_their_last_reading_after_a_restart",
        "ledger - before == truth",
    ),
    Weakened(
        "F25", "the last reading", *_HARVEST,
        f"{_FAULTS}test_bytes_between_the_last_poll_and_a_removal",
    ),
    Weakened(
        "F25", "freezing before it", "control/sending.py",
        "        _bisect(driver, batch, frozen)\n", "        pass\n",
        f"{_FAULTS}test_no_byte_passes_between_the_last_reading_and_the_removal",
    ),
    Weakened(
        "F25", "the last reading, under traffic", *_HARVEST,
        "tests/live/test_ledger_faults.py::test_bytes_between_the_last_poll_and_a_removal",
        "raw_down == truth",
    ),
    Weakened(
        "F28", "the alarm", *_LATE,
        f"{_SCHEDULE}test_a_gateway_that_was_cut_off_catches_up[dropped]", "the alarm",
    ),
    Weakened(
        "F47", "verdicts on who moved", "control/metering.py", _JUDGED, "            pass\n",
        f"{_LIMITS}test_the_last_byte_comes_at_most_an_interval_and_five_seconds_late[2]",
    ),
    Weakened(
        "F47", "verdicts on who moved, where there is no nft", "control/metering.py",
        _JUDGED, "            pass\n", f"{_LIMITS}test_without_the_kernel_too[2]",
    ),
    Weakened(
        "F47", "the kernel's cut", "control/cutoff.py",
        "    if not wanted:\n        if note.table:\n", "    if True:\n        if note.table:\n",
        f"{_LIMITS}test_at_full_speed_nothing_passes_beyond_what_was_sold[2]",
    ),
    Weakened(
        "F47", "asking the kernel", "control/tasks.py",
        "    if cutoff.has_cut(interface, station(interface)):", "    if False:",
        "tests/integration/control/test_cutoff.py"
        "::test_whom_the_kernel_cuts_the_ledger_holds_at_once",
    ),
]  # fmt: skip
