"""The chart of an operator's home: what went over all interfaces, by short spans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils.timezone import localtime
from django.utils.translation import gettext

from portal import calendar
from portal.charts import Chart, Point, chart
from quotas.kept import kept_series
from quotas.spans import QUARTER
from quotas.usage import of_everybody

#: What is shown -> how far back, and by which span: quarters of an hour, or eight of them.
SPANS: Final = {"24h": (timedelta(hours=24), 1), "7d": (timedelta(days=7), 8)}
#: Hours between two words below the chart of a day.
_HOURS: Final = 3


def traffic(span: str, at: datetime) -> Chart:
    """What all interfaces counted, from so long ago until now."""
    length, quarters = SPANS[span]
    edges = _edges(at, length, quarters * QUARTER)
    found = kept_series("all", of_everybody(), edges, at=at)
    points = [
        Point(
            f"{calendar.short(begins_at)}, {calendar.clock(begins_at)}",
            _axis(begins_at, span, edges),
            sums.raw_down,
            sums.raw_up,
        )
        for begins_at, sums in zip(edges, found.points, strict=False)
    ]
    title = gettext("Traffic of all interfaces")
    return chart(points, key="traffic", title=title, column=gettext("From"), height=190)


def _edges(at: datetime, length: timedelta, step: timedelta) -> list[datetime]:
    """The last ends after now; they begin at whole hours of the reader's clock where there is
    room for it.
    """
    local = localtime(at)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    last = at - (local - midnight) % step
    last = last.replace(second=0, microsecond=0) + step
    return [last - step * number for number in range(length // step, -1, -1)]


def _axis(begins_at: datetime, span: str, edges: Sequence[datetime]) -> str:
    """Every few hours, or the first span of a day."""
    local = localtime(begins_at)
    if span == "7d":
        earlier = localtime(begins_at - (edges[1] - edges[0]))
        return calendar.short(begins_at) if earlier.date() != local.date() else ""
    on_the_hour = local.minute == 0 and local.hour % _HOURS == 0
    return calendar.clock(begins_at) if on_the_hour else ""
