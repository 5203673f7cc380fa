"""What a search gave -> the terminal, standard output, or a file; called by ``escudo search`` and
the shell."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from escudo.actions.charts import Chart, make_chart
from escudo.actions.search import FoundRows, SearchOptions
from escudo.actions.shown_rows import iterate_rows
from escudo.cli.chart_file import CHART_SUFFIXES, render_chart
from escudo.cli.options import zone_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.pager import open_paged
from escudo.cli.row_view import Layout, show_rows
from escudo.cli.terminal import escape_line, open_console
from escudo.cli.terminal_chart import draw_chart
from escudo.core.whole_file import check_place, write_whole

F = TypeVar("F", bound=Callable[..., Any])

ROW_SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")
SCREENS = 10
"""Screens of rows that a terminal is shown unless all are asked for."""
_TIMES = ("_time", "_indextime")


@dataclass(frozen=True, kw_only=True)
class Showing:
    """How the rows of a search are shown.

    Args:
        shape: one of ``cli.output.FORMATS``, for standard output.
        layout: how a table is laid out on a terminal; a pipe has all of it unless it is given.
        every: all rows, however many, on a terminal, too.
        paged: whether a terminal's pager is used.
        chart: draws the rows instead.
        output: writes them to this file instead, in the format that its suffix names.
        zone: the time zone of times that people read.
    """

    shape: str
    layout: Layout | None = None
    every: bool = False
    paged: bool = True
    chart: bool = False
    output: Path | None = None
    zone: tzinfo = UTC

    @property
    def fits_terminal(self) -> bool:
        """Whether rows are laid out for the width of a terminal."""
        table = self.shape == "table" and self.output is None and not self.chart
        return table and (self.layout is not None or sys.stdout.isatty())

    @property
    def most(self) -> int | None:
        """The rows that are shown at most: so many screens on a terminal."""
        if self.every or not self.fits_terminal or not sys.stdout.isatty():
            return None
        return SCREENS * open_console().height

    @property
    def streamed(self) -> bool:
        """Whether rows can be written as they are found."""
        if self.output is not None:
            return self.output.suffix.lower() in (".json", ".jsonl")
        return self.shape in ("json", "jsonl") and not self.chart

    def limit(self, options: SearchOptions) -> SearchOptions:
        """How a search runs, so that no more is computed than is shown."""
        return replace(options, streamed=self.streamed, most=self.most)


def showing_options(*, one_search: bool) -> Callable[[F], F]:
    """``--layout``, ``--all``, ``--no-pager``, ``--tz`` and ``--format``, and for ``one_search``
    ``--output`` and ``--chart``: they give a command its ``showing``."""

    def decorate(function: F) -> F:
        @wraps(function)
        def with_showing(
            *arguments: Any,
            layout: str | None,
            every: bool,
            paged: bool,
            zone: tzinfo,
            format_: str | None,
            output: Path | None = None,
            chart: bool = False,
            **options: Any,
        ) -> Any:
            shaped = format_ not in (None, "table")
            if chart and shaped:
                raise click.UsageError("--chart draws for people: it goes without --format")
            if layout is not None and shaped:
                raise click.UsageError("--layout is for people: it goes without --format")
            if output is not None and (chart or layout is not None or format_ is not None):
                says = "--output writes what the file's suffix says"
                raise click.UsageError(f"{says}: it goes without --chart, --layout and --format")
            showing = Showing(
                shape="table" if layout is not None else choose_format(format_),
                layout=None if layout is None else Layout(layout),
                every=every,
                paged=paged,
                chart=chart,
                output=output,
                zone=zone,
            )
            return function(*arguments, showing=showing, **options)

        decorated = cast(F, with_showing)
        for option in _LAYOUT_OPTIONS if not one_search else (*_LAYOUT_OPTIONS, *_FILE_OPTIONS):
            decorated = option(decorated)
        return decorated

    return decorate


def check_output(
    _context: click.Context, _option: click.Parameter, path: Path | None
) -> Path | None:
    """The value of ``--output``. That it cannot be written is known before the search runs, where
    it can be: a suffix that names no format is a usage error, a folder that is missing SYS002."""
    if path is not None and find_suffix(path) is None:
        known = " ".join((*ROW_SUFFIXES, *CHART_SUFFIXES))
        raise click.BadParameter(f"{path.name!r} names no format; one of these does: {known}")
    if path is not None:
        check_place(path)
    return path


_LAYOUT_OPTIONS = (
    format_option(),
    zone_option("of days in the search, too. Formats for machines are UTC."),
    click.option("--no-pager", "paged", flag_value=False, default=True, help="Use no pager."),
    click.option(
        "--all", "every", is_flag=True, help="Show all rows on a terminal, not ten screens."
    ),
    click.option(
        "--layout",
        type=click.Choice([layout.value for layout in Layout]),
        default=None,
        help="For people: a table of the columns that fit, events with their text, vertical "
        "(a field a line) [default on a terminal: auto].",
    ),
)
"""From the last of the help to the first, as decorators are applied."""

_FILE_OPTIONS = (
    click.option("--chart", is_flag=True, help="Draw the rows: bars for names, columns over time."),
    click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=check_output,
        help="Write all rows to a file: .csv .json .jsonl .parquet; or their chart: .png .svg "
        ".html.",
    ),
)


def find_suffix(path: Path) -> str | None:
    """The suffix of a file that rows can be written to, in lower case; None for another one."""
    suffix = path.suffix.lower()
    return suffix if suffix in (*ROW_SUFFIXES, *CHART_SUFFIXES) else None


@dataclass(frozen=True, slots=True)
class Told:
    """What is said below the rows: how many there are, and how to see those that are not shown."""

    rows: str
    more: str = ""

    def say(self, seconds: float) -> str:
        """One line.

        >>> Told("3 rows").say(0.5)
        '3 rows in 0.50 s'
        """
        return f"{self.rows} in {seconds:.2f} s{self.more}"


def show_found(found: FoundRows, search: str, showing: Showing) -> Told | None:
    """Shows or writes the rows; returns what is to be said of them, if something is.

    Raises:
        EscudoError: SYS002 for a file that cannot be written, CLI021 where the extra for charts is
            not installed, CLI022 where nothing can be drawn.
    """
    if showing.output is not None:
        count = write_file(found, search, showing.output, showing.zone)
        return Told(f"{_count(count)} written to {escape_line(str(showing.output))}")
    if showing.chart:
        draw_chart(_make_chart(found), open_console(), showing.zone)
        return None
    if not showing.fits_terminal:
        rows = (row for table in found.tables for row in iterate_rows(table))
        count = write_rows(rows, found.fields, showing.shape)
        return Told(f"{count:,} rows") if showing.shape == "table" else None
    zoned = (row for table in found.tables for row in iterate_rows(table, showing.zone))
    shown: int | None = None  # while a reader who has left the pager has not seen all
    with open_paged(wanted=showing.paged) as console:
        shown = show_rows(zoned, found.fields, console, showing.layout or Layout.AUTO)
    if shown is None:
        return None
    if not found.cut:
        return Told(_count(shown))
    known = f"of {found.total:,} rows" if found.total is not None else "rows"
    more = "" if found.total is not None else "; there are more"
    return Told(f"the first {shown:,} {known}", f"{more}; --all shows all, --output FILE keeps all")


def _count(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def write_file(found: FoundRows, search: str, path: Path, zone: tzinfo) -> int:
    """Writes rows, or the chart of them, by the path's suffix; returns how many rows there were."""
    suffix = find_suffix(path)
    if suffix in CHART_SUFFIXES:
        table = _gather(found)
        content = render_chart(make_chart(table), suffix, search, zone)
        with write_whole(path) as stream:
            stream.write(content)
        return int(table.num_rows)
    if suffix == ".parquet":
        table = _type_times(_gather(found))
        with write_whole(path) as stream:
            pq.write_table(table, stream, compression="zstd")
        return int(table.num_rows)
    rows = (row for table in found.tables for row in iterate_rows(table))
    with write_whole(path) as stream:
        out = io.TextIOWrapper(stream, "utf-8", newline="")
        count = write_rows(rows, found.fields, (suffix or ".jsonl")[1:], out=out)
        out.flush()
        out.detach()
        return count


def _make_chart(found: FoundRows) -> Chart:
    return make_chart(_gather(found))


def _gather(found: FoundRows) -> pa.Table:
    tables = list(found.tables)
    return pa.concat_tables(tables, promote_options="default") if tables else pa.table({})


def _type_times(rows: pa.Table) -> pa.Table:
    """The rows with times as times in UTC, not as seconds."""
    for name in _TIMES:
        if name in rows.column_names and pa.types.is_floating(rows[name].type):
            micros = pc.round(pc.multiply(rows[name], 1_000_000.0)).cast(pa.int64())
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, micros.cast(pa.timestamp("us", "UTC")))
    return rows
