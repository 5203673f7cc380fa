"""Charts in characters and in files: sizes, zones, hostile names."""

from __future__ import annotations

import io
import re
from datetime import UTC
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from escudo.actions.charts import Chart, make_chart
from escudo.cli.chart_file import describe_chart, render_chart
from escudo.cli.terminal import SafeConsole
from escudo.cli.terminal_chart import draw_chart

HOSTILE = [
    "</script><script>alert(1)</script>",
    '<img src=x onerror="alert(2)">',
    "\x1b[2Ja\u202eb",
]
NUMBERS = st.none() | st.floats(-1e6, 1e9, allow_nan=False)


def drawn(chart: Chart, width: int = 80) -> list[str]:
    out = io.StringIO()
    draw_chart(chart, SafeConsole(out, width=width), UTC)
    return out.getvalue().splitlines()


@pytest.mark.slow
@given(st.lists(st.tuples(st.text(max_size=50), NUMBERS), min_size=1, max_size=20))
def test_bars_fit_the_terminal(bars: list[tuple[str, float | None]]) -> None:
    names = tuple(name for name, _ in bars)
    chart = Chart("x", False, names, (("count", tuple(value for _, value in bars)),))
    assert max(map(cell_len, drawn(chart))) <= 80


@pytest.mark.slow
@given(st.lists(NUMBERS, min_size=1, max_size=300), st.integers(1, 10))
def test_columns_fit_the_terminal(values: list[float | None], series: int) -> None:
    times = tuple(60.0 * n for n in range(len(values)))
    chart = Chart("_time", True, times, tuple((f"s{n}", tuple(values)) for n in range(series)))
    assert max(map(cell_len, drawn(chart))) <= 80


def test_bars_are_as_long_as_their_numbers() -> None:
    chart = Chart("host", False, ("a", "b", "none"), (("count", (100.0, 25.0, None)),))
    first, second, third = drawn(chart)
    # 80 - 4 for the longest name - 3 for "100" - 3 blanks
    assert first.count("█") == 70
    assert (second.count("█"), second.count("▌")) == (17, 1)
    assert "█" not in third


def test_more_times_than_columns_show_the_highest_of_each() -> None:
    values = tuple(5.0 if n == 250 else 1.0 for n in range(300))
    lines = drawn(Chart("_time", True, tuple(60.0 * n for n in range(300)), (("n", values),)))
    assert lines[1].count("█") == 1
    assert lines[-1] == "300 times in 75 columns, each the highest of its times"


def test_what_is_not_drawn_is_told() -> None:
    series = tuple((f"s{n}", (1.0,)) for n in range(11))
    lines = drawn(Chart("host", False, ("a",), series, left_out=3))
    assert lines[-2:] == ["3 more series are not drawn: s8, s9, s10", "3 more rows are not drawn"]


def test_a_terminal_is_not_obeyed() -> None:
    chart = make_chart(pa.table({"host": HOSTILE, "count": [1.0, 2.0, 3.0]}))
    text = "\n".join(drawn(chart))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_times_of_a_file_are_those_of_the_zone() -> None:
    chart = Chart("_time", True, (1_700_000_000.0,), (("n", (1.0,)),))
    spec = describe_chart(chart, "title", ZoneInfo("Europe/Berlin"))
    (point,) = spec["data"]["values"]
    # on an axis that is told to be UTC, so that the clock of the zone is what is read
    assert point["x"] == "2023-11-14T23:13:20.000000Z"
    assert point["told"] == "2023-11-14T23:13:20.000+01:00: n 1"
    assert spec["encoding"]["x"]["title"] == "time (Europe/Berlin)"


@pytest.mark.slow
def test_hostile_names_are_text_in_a_page() -> None:
    pytest.importorskip("vl_convert")
    chart = make_chart(pa.table({"host": HOSTILE, "<b>": [1.0, 2.0, 3.0], "c": [1.0, 2.0, 3.0]}))
    page = render_chart(chart, ".html", "| top </title><script>x</script>", UTC).decode()
    assert not re.search(r"<(script|img|b)\b", page)
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
