"""A search, as text or compiled -> its rows, named as SPL names them; use cases call it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlglot import exp

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic
from escudo.core.schema import MV_SEPARATOR, FieldType
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl import ARROW_TYPES, Output, Scan, alias, any_holds, literal_text, within_range
from escudo.spl.compile import Compiled, compile_search
from escudo.storage import open_file

MOST_CELLS = 20_000_000
"""Values of a search's wide rows that are sorted together: about two gigabytes with all the rest
(2026-11-24: 314,313 events of a thousand fields; 8,000,000 take 1.5, and twice the time)."""

CELL_BYTES = 128
"""Bytes of an engine's memory for each such value: 50 to 75 were too few (2026-11-24)."""

WIDE = 100
"""Columns of rows that are wide."""


@dataclass(frozen=True, slots=True)
class Written:
    """A query as an engine's text, but for its reads of tables: before each and after the last a
    piece of text; ``reads`` has the name of each scan, and what the query calls it there."""

    pieces: tuple[str, ...]
    reads: tuple[tuple[str, str], ...]


class Engine(Protocol):
    """What runs compiled searches; each engine also serves the binder as its ``Runner``."""

    name: str
    catalog: Catalog

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table: ...

    def stream(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> Iterator[pa.RecordBatch]:
        """What ``run`` gives, batch by batch; engines that hold all of it anyway leave it so."""
        yield from self.run(query, scans, tables).to_batches()

    @property
    def memory(self) -> int | None:
        """How many bytes the engine may take before it spills or fails, if it has a limit."""
        return None

    @property
    def at_once(self) -> int:
        """How many searches may run at once, each in a thread, so that it pays."""
        return 1

    def over(self, catalog: Catalog) -> Engine:
        """The same engine over another catalog."""
        ...

    def over_few_rows(self, catalog: Catalog) -> Engine | None:
        """An engine of this process, for a catalog that has files of this machine, wherever its
        others are; None where there is none."""
        return None

    def suit(self, query: exp.Expression, scans: Sequence[Scan]) -> Engine:
        """The engine to run a query by: this one, or one that gives the same rows sooner."""
        return self

    @property
    def is_spread(self) -> bool:
        """Whether other machines read the tables: then a large one is not for this process."""
        return False

    def sql(self, query: exp.Expression, scans: Sequence[Scan] = ()) -> str:
        """The query in the engine's SQL."""
        ...

    @property
    def slow_functions(self) -> frozenset[str]:
        """Functions of the prelude, in lower case, that leave the engine for Python: no price to
        pay for every row of a table."""
        return frozenset()

    def write(self, query: exp.Expression, scans: Sequence[Scan]) -> Written | None:
        """The query as text that ``run_written`` takes, also another time over other files; None
        where the engine has no such form."""
        return None

    def run_written(
        self, written: Written, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table:
        """What ``run`` gives for the query that was written."""
        message = f"{self.name} writes no such text"
        raise NotImplementedError(message)

    @property
    def correlates(self) -> bool:
        """Whether a query may be joined to a table whose columns its inside names."""
        return False

    @property
    def seeks_many(self) -> bool:
        """Whether it looks for many texts in a column in about the time that one takes."""
        return False

    def seek(
        self, text: exp.Expression, parts: Sequence[str], wholes: Sequence[str]
    ) -> exp.Expression:
        """A condition that every text meets that has one of some parts, or is one of some wholes,
        of ASCII characters, in whatever case; few others do."""
        lower = exp.Lower(this=text)
        asked = ((exp.Contains, parts), (exp.EQ, wholes))
        return any_holds(
            has(this=lower.copy(), expression=literal_text(value.lower()))
            for has, values in asked
            for value in values
        )

    def fragment(self, expression: exp.Expression) -> str:
        """An expression in the engine's SQL, which ``exp.var`` puts into a query as it is."""
        ...

    def explain(
        self,
        query: exp.Expression,
        scans: Sequence[Scan] = (),
        tables: Mapping[str, pa.Table] | None = None,
        *,
        analyze: bool = False,
    ) -> str:
        """The engine's plan of a query; with ``analyze`` with costs."""
        ...


@dataclass(frozen=True)
class Result:
    """Rows of a search: ``table`` has SPL field names."""

    table: pa.Table
    diagnostics: tuple[Diagnostic, ...]
    compiled: Compiled


def run_search(
    text: str,
    engine: Engine,
    catalog: Catalog,
    knowledge: Knowledge,
    *,
    now: float,
    zone: tzinfo = UTC,
    within: TimeRange = ALL_TIME,
    provenance: bool = False,
    file: str | None = None,
) -> Result:
    """Run a search as it stands.

    ``_time`` is epoch seconds (DOUBLE), multivalue fields are lists of text, and fields that only
    the events' rest maps hold become columns. See ``spl.compile.compile_search`` for the other
    arguments and the errors.
    """
    compiled = compile_search(
        text,
        catalog,
        knowledge,
        now=now,
        zone=zone,
        within=within,
        runner=engine,
        provenance=provenance,
        file=file,
    )
    return Result(run_compiled(compiled, engine), compiled.diagnostics, compiled)


def run_compiled(compiled: Compiled, engine: Engine) -> pa.Table:
    """The rows of a compiled search under SPL's field names."""
    return name_fields(compiled, engine.run(compiled.query, compiled.scans, compiled.tables))


def stream_compiled(
    compiled: Compiled, engine: Engine, cells: int | None = None, wide: int = WIDE
) -> Iterator[pa.Table]:
    """The rows of a compiled search, some at a time, so that they need not fit into memory.

    Where no row depends on others, only about so many cells of wide rows are sorted together
    (as the engine's memory allows, unless given).
    Fields that only rest maps hold are columns of the tables in whose rows they occur.
    """
    if cells is None:
        cells = min(MOST_CELLS, (engine.memory or sys.maxsize) // CELL_BYTES)
    for part in cut_stretches(compiled, engine, cells, wide):
        for batch in engine.stream(part.query, part.scans, part.tables):
            yield name_fields(compiled, pa.Table.from_batches([batch]))


def stream_whole(compiled: Compiled, engine: Engine) -> Iterator[pa.Table]:
    """The rows of a search as the engine gives them."""
    for batch in engine.stream(compiled.query, compiled.scans, compiled.tables):
        yield name_fields(compiled, pa.Table.from_batches([batch]))


def count_by_time(compiled: Compiled, engine: Engine, seconds: int) -> pa.Table:
    """How many rows such a search has in each stretch of some seconds from the epoch on:
    ``bucket`` (its first second) and ``n``, in the order of time; none without rows."""
    assert compiled.arrival is not None
    epoch = exp.Anonymous(this="spl_epoch", expressions=[compiled.arrival.copy()])
    width = exp.Literal.number(seconds)
    start = exp.Mul(
        this=exp.Floor(this=exp.Div(this=epoch, expression=width.copy())), expression=width
    )
    count = compiled.query.copy()
    count.set("expressions", [alias(start, "bucket"), alias(exp.Count(this=exp.Star()), "n")])
    count.set("group", exp.Group(expressions=[start.copy()]))
    count.set("order", None)
    counts = engine.run(count, compiled.scans, compiled.tables)
    return counts.filter(pc.is_valid(counts["bucket"])).sort_by("bucket")


def cut_stretches(
    compiled: Compiled, engine: Engine, cells: int, wide: int = WIDE
) -> Iterator[Compiled]:
    """The search over one stretch of time after the other, the newest first.

    An engine that orders wide rows holds them all, since what it sorts does not go to the disk;
    the rows of a search for raw events are as wide as all their fields together. So stretches of
    whole minutes are chosen that have few rows; the rows of one minute stay together. To count
    them the search is run once more, so narrower rows than ``wide`` are left to the engine.
    """
    time = compiled.arrival
    width = len(compiled.output)
    most = max(1, cells // max(1, width))
    if time is None or width < wide or _stored(compiled.scans, engine.catalog, most) <= most:
        yield compiled
        return
    minute = exp.TimestampTrunc(this=time.copy(), unit=exp.var("MINUTE"))
    count = compiled.query.copy()
    count.set("expressions", [alias(minute, "minute"), alias(exp.Count(this=exp.Star()), "n")])
    count.set("group", exp.Group(expressions=[minute.copy()]))
    count.set("order", None)
    counts = engine.run(count, compiled.scans, compiled.tables).sort_by([("minute", "descending")])
    minutes = counts["minute"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_pylist()
    end: float | None = None
    begin: float | None = None
    held = 0
    for start, rows in zip(minutes, counts["n"].to_pylist(), strict=True):
        if held and held + rows > most:
            yield _during(compiled, time, TimeRange(begin, end))
            end, held = begin, 0
        begin = float(start)
        held += rows
    yield _during(compiled, time, TimeRange(None, end))


def _during(compiled: Compiled, time: exp.Expression, within: TimeRange) -> Compiled:
    """The search over a part of its time."""
    condition = within_range(time.copy(), within)
    query = compiled.query if condition is None else compiled.query.where(condition)
    scans = tuple(replace(s, within=s.within & within) for s in compiled.scans)
    return replace(compiled, query=query, scans=scans)


def _stored(scans: Sequence[Scan], catalog: Catalog, most: int) -> int:
    """How many rows the files of scans hold, counted until there are more than ``most``."""
    rows = 0
    for scan in scans:
        for path in catalog.files(scan.schema.table, scan.within):
            rows += int(pq.read_metadata(open_file(path)).num_rows)
            if rows > most:
                return rows
    return rows


class Named(Protocol):
    """How the columns of a result are called; see ``spl.compile.Compiled``."""

    @property
    def output(self) -> Output: ...

    @property
    def rest(self) -> str | None: ...

    @property
    def removed(self) -> frozenset[str]: ...


def name_fields(compiled: Named, result: pa.Table) -> pa.Table:
    """What an engine gives for a compiled search, under SPL's field names."""
    names: list[str] = []
    columns: list[pa.ChunkedArray] = []
    for name, ident, kind in compiled.output:
        names.append(name)
        columns.append(_as_result(result.column(ident), kind))
    if compiled.rest is not None:
        hidden = {name for name, _, _ in compiled.output} | compiled.removed
        for name, values in expand_rest(result.column(compiled.rest)):
            if name not in hidden:
                names.append(name)
                columns.append(values)
    if not columns:
        return pa.table({}).select([])
    return pa.Table.from_arrays(columns, names=names)


def _as_result(column: pa.ChunkedArray, kind: FieldType) -> pa.ChunkedArray:
    """The column in its result type (event ids come as lists of integers: they stay)."""
    wanted = ARROW_TYPES[kind]
    if column.type == wanted or pa.types.is_list(column.type):
        return column
    return column.cast(wanted)


def expand_rest(rest: pa.ChunkedArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The entries of a map column as columns, in alphabetical order of their names.

    Values that ``MV_SEPARATOR`` joins in the map become lists, and so do all of a name with ``{}``.

    >>> maps = pa.chunked_array([pa.array([[("b", "1")], None], pa.map_(pa.string(), pa.string()))])
    >>> [(name, values.to_pylist()) for name, values in expand_rest(maps)]
    [('b', ['1', None])]
    """
    maps = pa.concat_arrays(rest.chunks) if rest.num_chunks else rest.combine_chunks()
    if len(maps) == 0:
        return
    offsets = maps.offsets.to_numpy()
    first, last = int(offsets[0]), int(offsets[-1])
    keys = maps.keys.slice(first, last - first).dictionary_encode()
    items = maps.items.slice(first, last - first)
    parents = np.repeat(np.arange(len(maps)), np.diff(offsets))
    codes = keys.indices.to_numpy()
    by_code = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[by_code], np.arange(len(keys.dictionary) + 1))
    for code, name in sorted(enumerate(keys.dictionary.to_pylist()), key=lambda pair: pair[1]):
        entries = by_code[bounds[code] : bounds[code + 1]]
        positions = np.full(len(maps), -1)
        positions[parents[entries]] = entries
        values = items.take(pa.array(positions, mask=positions < 0))
        if "{}" in name or _any_joined(values):
            values = pc.split_pattern(values, MV_SEPARATOR)
        yield name, pa.chunked_array([values])


def _any_joined(values: pa.Array) -> bool:
    """Whether one of the texts is several values."""
    return bool(pc.any(pc.match_substring(values, MV_SEPARATOR)).as_py())
