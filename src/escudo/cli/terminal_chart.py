"""A chart -> characters of a terminal: bars for names, columns over time; called by ``escudo
search --chart`` and the shell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from escudo.actions.charts import Chart
from escudo.cli.terminal import SafeConsole, escape_line

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉█"
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
_MOST_SERIES = 8
_LONGEST_LABEL = 40
_HEIGHTS = ((1, 8), (3, 4), (_MOST_SERIES, 2))
"""So many series at most, and the lines that each has."""


def draw_chart(chart: Chart, console: SafeConsole, zone: tzinfo) -> None:
    """Draws a chart as wide as the console; what it leaves out is said below."""
    series = chart.series[:_MOST_SERIES]
    if chart.over_time:
        _draw_columns(chart, series, console, zone)
    else:
        _draw_bars(chart, series, console)
    if len(chart.series) > len(series):
        names = ", ".join(escape_line(name) for name, _ in chart.series[_MOST_SERIES:][:5])
        more = len(chart.series) - len(series)
        console.print(Text(f"{more:,} more series are not drawn: {names}", style="dim"))
    if chart.left_out:
        console.print(Text(f"{chart.left_out:,} more rows are not drawn", style="dim"))


def _draw_bars(
    chart: Chart, series: Sequence[tuple[str, tuple[float | None, ...]]], console: SafeConsole
) -> None:
    """A bar for each name and series, its number behind it; negative numbers have none."""
    labels = [escape_line(str(point)) for point in chart.points]
    column = min(max(map(cell_len, labels), default=0), _LONGEST_LABEL, console.width // 2)
    numbers = [[_write_number(v) for v in values] for _, values in series]
    widest = max((len(text) for texts in numbers for text in texts), default=0)
    room = max(1, console.width - column - widest - 3)
    top = max((v for _, values in series for v in values if v is not None), default=0.0)
    if len(series) > 1:
        console.print(_legend(series))
    for row, label in enumerate(labels):
        for n, (_, values) in enumerate(series):
            value = values[row]
            line = Text(_fit(label if n == 0 else "", column), no_wrap=True, overflow="crop")
            line.append(" ")
            line.append(_bar(value, top, room), style=_COLOURS[n % len(_COLOURS)])
            line.append(f" {numbers[n][row]}")
            console.print(line)


def _bar(value: float | None, top: float, room: int) -> str:
    if value is None or value <= 0 or top <= 0:
        return ""
    eighths = max(1, round(value / top * room * 8))
    return _PARTS[8] * (eighths // 8) + _PARTS[eighths % 8].strip()


def _draw_columns(
    chart: Chart,
    series: Sequence[tuple[str, tuple[float | None, ...]]],
    console: SafeConsole,
    zone: tzinfo,
) -> None:
    """A band of columns for each series, each on its own scale, and the times below."""
    height = next(lines for most, lines in _HEIGHTS if len(series) <= most)
    tops = [max((v for v in values if v is not None), default=0.0) for _, values in series]
    gutter = max(len(_write_number(top)) for top in tops)
    room = max(1, console.width - gutter - 2)
    for n, ((name, values), top) in enumerate(zip(series, tops, strict=True)):
        drawn = _merge(values, room)
        each = max(1, min(6, room // len(drawn)))
        colour = _COLOURS[n % len(_COLOURS)]
        console.print(Text(_fit(escape_line(name), console.width - 1), style=f"bold {colour}"))
        for line in range(height, 0, -1):
            mark = _write_number(top) if line == height else ("0" if line == 1 else "")
            cells = "".join(_cell(v, top, line, height) * each for v in drawn)
            text = Text(f"{mark:>{gutter}} │", style="dim", no_wrap=True, overflow="crop")
            text.append(cells, style=f"not dim {colour}")
            console.print(text)
    points = len(_merge(series[0][1], room))
    width = points * max(1, min(6, room // points))
    console.print(Text(f"{'':{gutter}} └{'─' * width}", style="dim", no_wrap=True))
    first, last = (_write_time(chart.points[i], zone) for i in (0, -1))
    gap = max(2, width - len(first) - len(last))
    console.print(Text(f"{'':{gutter}}  {first}{'':{gap}}{last}", style="dim"))
    if points < len(chart.points):
        told = f"{len(chart.points):,} times in {points:,} columns, each the highest of its times"
        console.print(Text(told, style="dim"))


def _merge(values: Sequence[float | None], room: int) -> list[float | None]:
    """So few values that they have room: each is the highest of its neighbours.

    >>> _merge([1.0, 3.0, None, None, 2.0], 3)
    [3.0, None, 2.0]
    """
    each = -(-len(values) // room)
    groups = [values[i : i + each] for i in range(0, len(values), each)]
    return [max((v for v in group if v is not None), default=None) for group in groups]


def _cell(value: float | None, top: float, line: int, height: int) -> str:
    """The character of one line of a column, the lowest line is 1."""
    if value is None or value <= 0 or top <= 0:
        return " "
    eighths = max(1, round(value / top * height * 8))
    return _EIGHTHS[max(0, min(8, eighths - (line - 1) * 8))]


def _legend(series: Sequence[tuple[str, object]]) -> Text:
    line = Text()
    for n, (name, _) in enumerate(series):
        line.append("█ ", style=_COLOURS[n % len(_COLOURS)])
        line.append(f"{escape_line(name)}  ")
    return line


def _fit(text: str, width: int) -> str:
    """The text in exactly so many cells, ``…`` at its end where it is longer."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def _write_number(value: float | None) -> str:
    """
    >>> _write_number(1234.0), _write_number(0.1236), _write_number(None)
    ('1,234', '0.1236', '')
    """
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def _write_time(epoch: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(epoch, zone):%Y-%m-%d %H:%M}"
