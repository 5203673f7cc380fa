"""Rows of a search -> what fits a terminal: events, a table of the columns that fit, or one field a
line; called by ``escudo search``, the shell, and what shows drilldowns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from rich.cells import cell_len, chop_cells
from rich.table import Table
from rich.text import Text

from escudo.cli.output import flatten_value
from escudo.cli.terminal import SafeConsole, escape_controls, escape_line, plain

Row = Mapping[str, Any]

_SAMPLE = 500
"""Rows whose values decide the widths of a table's columns."""
_NARROWEST = 14
"""Cells that a column is narrowed to before another one is left out."""
_CELL_LINES = 6
"""Lines of a value in a table."""
_RAW_LINES = 5
"""Lines of an event's text."""
_NAMED = 12
"""Columns that were left out, and are named."""
_INDENT = 2


class Layout(StrEnum):
    """How rows are shown: ``auto`` is ``events`` for rows with ``_raw`` that do not fit a table."""

    AUTO = "auto"
    TABLE = "table"
    EVENTS = "events"
    VERTICAL = "vertical"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The columns of a table with their widths, those that are left out, and those without any
    value, which are left out first."""

    widths: Mapping[str, int]
    left_out: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.left_out and not self.empty


def show_rows(
    rows: Iterable[Row],
    fields: Sequence[str],
    console: SafeConsole,
    layout: Layout,
    *,
    advise: bool = True,
) -> int:
    """Shows rows as they come, and says below what was left out; returns how many there were.

    Args:
        fields: the columns in their order; more may come with later rows.
        advise: also says how more of them is shown: they are those of a search at the prompt.
    """
    coming = iter(rows)
    sample = list(islice(coming, _SAMPLE))
    every = list(dict.fromkeys([*fields, *(name for row in sample for name in row)]))
    fitted = fit_columns(sample, every, console.width)
    if layout is Layout.AUTO:
        wide = "_raw" in every and not fitted.whole
        layout = Layout.EVENTS if wide else Layout.TABLE
    if layout is Layout.TABLE:
        return _show_table(sample, coming, fitted, console, advise=advise)
    count = 0
    for row in _chained(sample, coming):
        count += 1
        if layout is Layout.EVENTS:
            _show_event(row, console)
        else:
            _show_record(row, every, count, console)
    if layout is Layout.EVENTS and count and advise:
        others = len([name for name in every if name not in _EVENT_FIELDS])
        _note(
            f"{others:,} more fields; --layout vertical shows them, `| table FIELD ...` some",
            console,
        )
    return count


def _chained(sample: list[Row], coming: Iterator[Row]) -> Iterator[Row]:
    yield from sample
    yield from coming


def fit_columns(rows: Sequence[Row], fields: Sequence[str], width: int) -> Fitted:
    """Chooses the columns that a table of some width has room for, from the left.

    Columns without a value go first. Wide ones are narrowed to ``_NARROWEST`` before those are left
    out that have no room beside the ones before them. The rest of the width goes to those that
    need more.

    >>> fit_columns([{"a": "x" * 50, "b": "y" * 50}], ["a", "b", "c"], 36)
    Fitted(widths={'a': 16, 'b': 15}, left_out=(), empty=('c',))
    """
    natural = {name: cell_len(escape_line(name)) for name in fields}
    filled: set[str] = set()
    for row in rows:
        for name, value in row.items():
            lines = _clean(flatten_value(value)).split("\n")
            natural[name] = max(natural[name], *map(cell_len, lines))
            filled.add(name)
    least = {name: max(1, min(natural[name], _NARROWEST)) for name in fields}
    if "_time" in least:  # half a time is hard to read
        least["_time"] = max(1, min(natural["_time"], width - 2))
    kept = list(fields)
    empty: list[str] = []
    if _total(least, kept) > width:
        empty = [name for name in fields if rows and name not in filled]
        kept = [name for name in fields if name not in empty]
    if _total(least, kept) > width:
        kept = _choose_leading(least, kept, width)
    widths = {name: least[name] for name in kept}
    spare = width - _total(widths, kept)
    while spare > 0:
        hungry = [name for name in kept if widths[name] < natural[name]]
        if not hungry:
            break
        for name in hungry[:spare]:
            widths[name] += 1
        spare -= len(hungry[:spare])
    left_out = [name for name in fields if name not in widths and name not in empty]
    return Fitted(widths, tuple(left_out), tuple(empty))


def _choose_leading(least: Mapping[str, int], names: Sequence[str], width: int) -> list[str]:
    """The first of some columns, and later ones that the rest of the width has room for."""
    kept = list(names[:1])
    for name in names[1:]:
        if _total(least, [*kept, name]) <= width:
            kept.append(name)
    return kept


def _total(widths: Mapping[str, int], names: Sequence[str]) -> int:
    """Cells of a table with borders, and a blank on both sides of each border but the outer two."""
    return sum(widths[name] for name in names) + len(names) + 1 + 2 * (len(names) - 1)


def _show_table(
    sample: list[Row],
    coming: Iterator[Row],
    fitted: Fitted,
    console: SafeConsole,
    *,
    advise: bool,
) -> int:
    count = 0
    cut = False
    block = sample
    while block or count == 0:
        table = Table(show_lines=False, pad_edge=False, show_header=count == 0)
        for name, width in fitted.widths.items():
            table.add_column(plain(name), overflow="fold", width=width)
        for row in block:
            cells = [
                _cut(flatten_value(row.get(name)), width, _CELL_LINES)
                for name, width in fitted.widths.items()
            ]
            cut = cut or any(more for _, more in cells)
            table.add_row(*(Text(text) for text, _ in cells))
        count += len(block)
        console.print(table)
        if not block:
            break
        block = list(islice(coming, _SAMPLE))
    for text in _describe(fitted, cut, console.width, advise=advise):
        _note(text, console)
    return count


def _describe(fitted: Fitted, cut: bool, width: int, *, advise: bool) -> Iterator[str]:
    if fitted.left_out:
        names = ", ".join(map(escape_line, fitted.left_out[:_NAMED]))
        more = len(fitted.left_out) - _NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        how = "; `| table FIELD ...` chooses, --layout vertical or --format json shows all"
        yield (
            f"{len(fitted.left_out):,} of {len(fitted.left_out) + len(fitted.widths):,} columns do "
            f"not fit {width} characters: {names}{rest}{how if advise else ''}"
        )
    if fitted.empty:
        yield f"{len(fitted.empty):,} columns without a value are left out"
    if cut:
        yield f"values with … are cut{'; --layout vertical shows them whole' if advise else ''}"


_EVENT_FIELDS = ("_time", "host", "source", "sourcetype", "_raw")


def _show_event(row: Row, console: SafeConsole) -> None:
    """A line of time, host and source, then the event's text, cut."""
    texts = {name: escape_line(flatten_value(row.get(name))) for name in _EVENT_FIELDS}
    head = Text(texts["_time"] or "no time", style="bold", overflow="fold")
    if texts["host"]:
        head.append(f"  {texts['host']}", style="cyan not bold")
    origin = texts["source"]
    if texts["sourcetype"] and texts["sourcetype"] not in origin:
        origin = f"{origin} {texts['sourcetype']}".strip()
    if origin:
        head.append(f"  {origin}", style="dim not bold")
    console.print(head)
    raw = flatten_value(row.get("_raw"))
    lines, _ = _cut(raw, console.width - _INDENT, _RAW_LINES)
    for line in lines.split("\n") if lines else ():
        console.print(Text(f"{'':{_INDENT}}{line}", overflow="fold"))


def _show_record(row: Row, fields: Sequence[str], number: int, console: SafeConsole) -> None:
    """A field a line, values whole; fields without a value are not there."""
    console.print(Text(f"─── {number:,} ".ljust(min(console.width, 60), "─"), style="dim"))
    held = [name for name in dict.fromkeys([*fields, *row]) if name in row]
    labels = {name: escape_line(name) for name in held}
    widest = max((cell_len(label) for label in labels.values()), default=0)
    column = min(widest, max(8, console.width // 3))
    for name in held:
        label = labels[name]
        room = max(8, console.width - column - 2)
        lines = _fold(flatten_value(row[name]), room)
        first = Text(label, style="cyan", overflow="fold")
        if cell_len(label) > column:
            console.print(first)
        else:
            padding = " " * (column - cell_len(label) + 2)
            first.append(padding + (lines.pop(0) if lines else ""), style="not cyan default")
            console.print(first)
        for line in lines:
            console.print(Text(" " * (column + 2) + line, overflow="fold"))


def _clean(text: str) -> str:
    """Text as the terminal shows it: controls escaped, tabs as blanks."""
    return escape_controls(text).expandtabs(4)


def _fold(text: str, width: int) -> list[str]:
    """The lines of a text, each cut into pieces of at most so many cells."""
    pieces: list[str] = []
    for line in _clean(text).split("\n"):
        pieces += chop_cells(line, width) or [""]
    return pieces


def _cut(text: str, width: int, most: int) -> tuple[str, bool]:
    """The first lines of a text folded to a width, with ``…`` where there are more."""
    pieces = _fold(text[: width * most * 4], width)
    if len(pieces) <= most and len(text) <= width * most * 4:
        return "\n".join(pieces), False
    last = pieces[most - 1] if len(pieces) >= most else pieces[-1]
    while cell_len(last) > width - 1:
        last = last[:-1]
    return "\n".join([*pieces[: most - 1], last + "…"]), True


def _note(text: str, console: SafeConsole) -> None:
    console.print(Text(text, style="dim"))
