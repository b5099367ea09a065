"""Memory of each process of a stack, in bytes, and the CPU time of its web server."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from tests.stack.processes import Stack


def of_stack(stack: Stack) -> Iterator[tuple[str, int, int]]:
    """Name, PSS (its own pages and its share of shared ones) and RSS of every process."""
    for program in stack.commands:
        parent = psutil.Process(stack.pid(program))
        yield program, *_size(parent)
        for number, child in enumerate(sorted(parent.children(recursive=True), key=_pid), 1):
            yield f"{program} child {number}", *_size(child)
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if line[:1] == ["wireguard-go"] and stack.interface in line:
            yield "wireguard-go", *_size(process)


def web_cpu(stack: Stack) -> float:
    """Seconds of CPU that the web processes have used."""
    parent = psutil.Process(stack.pid("web"))
    times = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _pid(process: psutil.Process) -> int:
    return int(process.pid)


def _size(process: psutil.Process) -> tuple[int, int]:
    facts = process.memory_full_info()
    return int(facts.pss), int(facts.rss)
