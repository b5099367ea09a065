"""One measured figure, its bar, and the table of them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A row of the table. ``bar`` is the most that is allowed (with ``at_least``: the least),
    None where nothing is promised.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    note: str = ""
    at_least: bool = False

    @property
    def missed(self) -> bool:
        """Whether the figure is worse than its bar."""
        if self.bar is None:
            return False
        return self.value < self.bar if self.at_least else self.value > self.bar


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that ``share`` of them do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """All figures as one table of plain text."""
    lines = [("figure", "value", "bar", "", "note")]
    for figure in figures:
        sign = ">=" if figure.at_least else "<="
        bar = "" if figure.bar is None else f"{sign} {_number(figure.bar)}"
        verdict = "" if figure.bar is None else ("MISSED" if figure.missed else "ok")
        value = f"{_number(figure.value)} {figure.unit}".strip()
        lines.append((figure.name, value, bar, verdict, figure.note))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(
            (
                name.ljust(widths[0]),
                value.rjust(widths[1]),
                bar.rjust(widths[2]),
                verdict.ljust(widths[3]),
                note,
            )
        ).rstrip()
        for name, value, bar, verdict, note in lines
    )


def save(figures: Sequence[Figure], path: Path, *, database: str) -> None:
    """Write the figures beside what they were measured on."""
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": database,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "figures": [{**asdict(figure), "missed": figure.missed} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _number(value: float) -> str:
    return (
        f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    )
