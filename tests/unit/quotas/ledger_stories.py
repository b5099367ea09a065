"""The shortest thing that can happen to a ledger without one of the lines that protect it.

A story is deeds of the machine, told one by one; `keep 0` keeps the books of the first dump that
was read (or of the last one before a removal). The hunt of `make proof` finds such stories itself.
"""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import MultipleResults

from tests.unit.quotas.ledger_machine import Ledger

#: By the name of what is taken away (test_ledger_machine).
STORIES = {
    "late samples are refused": "traffic 0 1; remove 0; keep 0",
    "and repeated ones": "overtakes 1; remove 0; two_collectors 0 0",
    "another life of the interface begins at 0": "overtakes 1; keeps; crash; overtakes 0",
    "a counter that fell began at 0": "traffic 0 1; outsider 0 0",
    "a fall to 0 is written": "traffic 0 1; outsider 0 0; traffic 0 1",
    "either counter": "traffic 1 0; outsider 0 0",
    "a closed meter begins at 0": "overtakes 1; remove 0; add; overtakes 0",
    "closing has a number": "traffic 0 1; one_dump_twice_at_once; remove 0; keep 0",
    "who is added again bills": "block; remove 0; crash; traffic 1 0",
    "an incarnation has a number of its own": "traffic 0 1; outsider 0 0",
    "what begins at 0 is counted from there": "traffic 0 1; outsider 0 0",
    "hundredths are kept": "overtakes 1; outsider 0 0",
    "who is off is not billed": "block; knocks_while_off 1; unblock",
    "billing goes on as it was": "block; knocks_while_off 1; outsider 0 0; knocks_while_off 1",
    "compare and swap": "traffic 0 1; one_dump_twice_at_once",
    "frozen before the last reading": "remove 1",
    "committed before the removal": "traffic 1 0; remove 0",
    "closed after the removal": "block; remove 0; crash; traffic 0 1",
    "read at blocks and unblocks": "traffic 0 1; block",
}


def tell(machine: type[Ledger], story: str, *, percent: int) -> None:
    """Do what a story says; after each deed, and at the end, everything must hold."""
    ledger = machine()
    dumps: list[Any] = []
    ledger.begin(percent=percent)
    for deed in story.split("; "):
        name, *words = deed.split()
        arguments: list[Any] = [int(word) for word in words]
        if name in ("keep", "two_collectors"):
            arguments = [dumps[number] for number in arguments]
        elif name == "remove":
            arguments.append("")  # nobody is killed meanwhile
        read = getattr(ledger, name)(*arguments)
        if name in ("reads", "remove") and not isinstance(read, MultipleResults):
            dumps.append(read)
        ledger.nothing_is_counted_twice()
        ledger.contiguous_and_summed()
        ledger.no_hundredth_of_a_byte_is_lost()
    ledger.teardown()
