"""One search from text to rows: compile, run, name the columns as SPL names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic
from escudo.core.schema import MV_SEPARATOR, FieldType
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.spl.compile import Compiled, compile_search
from escudo.spl.plan import Scan

RESULT_TYPES: Mapping[FieldType, pa.DataType] = {
    FieldType.STRING: pa.string(),
    FieldType.NUMBER: pa.float64(),
    FieldType.INTEGER: pa.int64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIME: pa.float64(),
    FieldType.MULTIVALUE: pa.list_(pa.string()),
}
"""The Arrow type of a result's column; ``_time`` is epoch seconds."""


class Engine(Protocol):
    """What runs compiled searches; each engine also serves the binder as its ``Runner``."""

    name: str

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table: ...

    def over(self, catalog: Catalog) -> Engine:
        """The same engine over another catalog."""
        ...

    def sql(self, query: exp.Expression, scans: Sequence[Scan] = ()) -> str:
        """The query in the engine's SQL."""
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
        within=within,
        runner=engine,
        provenance=provenance,
        file=file,
    )
    return Result(run_compiled(compiled, engine), compiled.diagnostics, compiled)


def run_compiled(compiled: Compiled, engine: Engine) -> pa.Table:
    """The rows of a compiled search under SPL's field names."""
    found = engine.run(compiled.query, compiled.scans, compiled.tables)
    names: list[str] = []
    columns: list[pa.ChunkedArray] = []
    for name, ident, kind in compiled.output:
        names.append(name)
        columns.append(_as_result(found.column(ident), kind))
    if compiled.rest is not None:
        hidden = {name for name, _, _ in compiled.output} | compiled.removed
        for name, values in expand_rest(found.column(compiled.rest)):
            if name not in hidden:
                names.append(name)
                columns.append(values)
    if not columns:
        return pa.table({}).select([])
    return pa.Table.from_arrays(columns, names=names)


def _as_result(column: pa.ChunkedArray, kind: FieldType) -> pa.ChunkedArray:
    """The column in its result type (event ids come as lists of integers: they stay)."""
    wanted = RESULT_TYPES[kind]
    if column.type == wanted or pa.types.is_list(column.type):
        return column
    return column.cast(wanted)


def expand_rest(rest: pa.ChunkedArray) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The entries of a map column as columns, in alphabetical order of their names.

    A name with ``{}`` gives lists: its values are joined by ``MV_SEPARATOR`` in the map.

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
        if "{}" in name:
            values = pc.split_pattern(values, MV_SEPARATOR)
        yield name, pa.chunked_array([values])
