"""Charts as geometry: nothing leaves its frame, whatever the values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from portal.charts import Chart, Point, chart, usage_chart
from portal.formats import read_by
from quotas.spans import Bytes
from quotas.usage import Series
from tenants.models import User

GB = 10**9


def made(*sums: tuple[int, int], **how: int) -> Chart:
    points = [Point(f"{n} Nov", f"{n} Nov", down, up) for n, (down, up) in enumerate(sums, 1)]
    return chart(points, key="c", title="Usage", column="Day", **how)


@pytest.mark.parametrize("most", [0, 1, 999, 3 * GB, 123_456_789_012, 2**62])
def test_no_bar_leaves_the_frame(most: int) -> None:
    drawn = made((most, most // 7), (0, most), (0, 0))
    assert all(bar.up_y >= 0 and bar.down_y <= drawn.base for bar in drawn.bars)
    assert [line.y for line in drawn.lines] == sorted(
        (line.y for line in drawn.lines), reverse=True
    )


def test_the_axis_counts_in_round_numbers() -> None:
    assert [line.words for line in made((GB, GB // 4)).lines] == ["500 MB", "1 GB", "1.5 GB"]


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        (2**30, ["512 MiB", "1 GiB", "1.5 GiB"]),
        (7 * 2**30, ["2.5 GiB", "5 GiB", "7.5 GiB"]),
        (600 * 2**20, ["200 MiB", "400 MiB", "600 MiB"]),
        (2900 * 2**30, ["1 TiB", "2 TiB", "3 TiB"]),
    ],
)
def test_the_axis_counts_in_round_numbers_of_the_unit_shown(most: int, lines: list[str]) -> None:
    with read_by(User(byte_units="binary")):
        assert [line.words for line in made((most, 0)).lines] == lines


def test_only_spans_that_say_so_have_a_word_below_them() -> None:
    points = [Point("x", "12:00" if n % 12 == 0 else "", 1, 1) for n in range(96)]
    drawn = chart(points, key="c", title="T", column="From")
    assert [word.x for word in drawn.words] == ["0.00%", "25.00%", "50.00%", "75.00%"]


def test_what_is_to_come_is_room() -> None:
    drawn = made((GB, 0), slots=10)
    assert len(drawn.bars) == 1
    assert drawn.bars[0].slot_width == "10.00%"


def test_upload_stands_on_download() -> None:
    (bar,) = made((GB, GB)).bars
    assert bar.up_y + bar.up_height < bar.down_y


def test_tips_open_inwards() -> None:
    first, *_, last = made(*[(GB, 0)] * 8).bars
    assert first.tip > 0 > last.tip


def test_a_series_of_a_period_that_runs() -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    edges = [begin + timedelta(days=n) for n in range(31)]
    series = Series(edges, [Bytes(1, 2, 10, 20)] * 30, coarse=False)
    drawn = usage_chart(
        series, by="day", zone="UTC", key="c", title="Usage", until=begin + timedelta(days=3)
    )
    assert (len(drawn.bars), drawn.down, drawn.up) == (4, 80, 40)
    assert drawn.bars[0].point.words == "1 Nov"


def test_it_is_drawn_with_names_values_and_a_table() -> None:
    html = render_to_string("portal/chart.html", {"chart": made((GB, GB // 2), (0, 0))})
    assert 'aria-label="1 Nov: 1 GB down, 500 MB up"' in html
    assert html.count('class="pt"') == 2
    assert html.count('tabindex="0"') == 1
    assert html.count('<th scope="row">') == 2
    assert "style=" not in html
    assert "None" not in html
