"""Lookup tables: reading them, and joining them to events.

A CSV file is a table of text; an empty cell is null.
"""

from __future__ import annotations

import csv
import io
import os
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError, Span
from escudo.core.schema import FieldType
from escudo.spl.bind import Binder
from escudo.spl.plan import Relation
from escudo.spl.source import suggest


def find(name: str, binder: Binder, span: Span | None) -> Lookup:
    """The definition of a lookup. Raises ``SPL313`` for an unknown one."""
    found = binder.knowledge.lookup(name)
    if found is None:
        known = binder.knowledge.lookups()
        raise EscudoError(
            "SPL313", f"unknown lookup '{name}'", span=span, hint=suggest(name, known)
        )
    return found


def read(lookup: Lookup, span: Span | None) -> pa.Table:
    """The rows of a lookup, all text. A collection without a file has no rows yet.

    Raises ``SPL314`` where its file cannot be read.
    """
    if lookup.path is None or not os.path.exists(lookup.path):
        if lookup.collection is None and not lookup.fields:
            raise EscudoError("SPL314", f"lookup '{lookup.name}' has no file", span=span)
        return pa.table({f: pa.array([], pa.string()) for f in lookup.fields})
    try:
        return _read_csv(lookup.path, os.stat(lookup.path).st_mtime_ns)
    except (OSError, pa.ArrowInvalid) as error:
        raise EscudoError(
            "SPL314", f"lookup '{lookup.name}' cannot be read: {error}", span=span
        ) from error


@lru_cache(maxsize=64)
def _read_csv(path: str, _changed: int) -> pa.Table:
    """A CSV file as text columns; blanks around names and cells do not count."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        data = file.read()
    header = next(csv.reader(io.StringIO(data)), [])
    columns = {f"{i}": name.strip() for i, name in enumerate(header)}
    _, _, body = data.partition("\n")
    unique = {name: i for i, name in reversed(columns.items()) if name}
    if not body.strip():
        return pa.table({name: pa.array([], pa.string()) for name in reversed(unique)})
    raw = pacsv.read_csv(
        pa.BufferReader(data.encode()),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=1 << 26, column_names=list(columns), skip_rows=1
        ),
        parse_options=pacsv.ParseOptions(
            newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=lambda _: "skip"
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        ),
    )
    return pa.table({name: _cells(raw[unique[name]]) for name in reversed(unique)})


def _cells(values: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def rows_of(name: str, binder: Binder, span: Span | None) -> Relation:
    """All rows of a lookup, as ``inputlookup`` gives them."""
    rows = read(find(name, binder, span), span)
    kinds = dict.fromkeys(rows.column_names, FieldType.STRING)
    return binder.table(rows, kinds)


def grouped(rows: pa.Table, keys: list[str], outputs: list[str], most: int) -> pa.Table:
    """One row for each combination of keys: the outputs of its first ``most`` rows, as lists
    where a combination has several rows, else as text.

    >>> t = pa.table({"k": ["a", "b", "a"], "v": ["1", "2", "3"]})
    >>> grouped(t, ["k"], ["v"], 1000).to_pylist()
    [{'k': 'a', 'v': ['1', '3']}, {'k': 'b', 'v': ['2']}]
    >>> grouped(t.slice(0, 2), ["k"], ["v"], 1000).to_pylist()
    [{'k': 'a', 'v': '1'}, {'k': 'b', 'v': '2'}]
    """
    aggregations = [(o, "list") for o in outputs]
    groups = rows.group_by(keys, use_threads=False).aggregate([*aggregations, ([], "count_all")])
    several = (pc.max(groups["count_all"]).as_py() or 0) > 1 and most > 1
    columns = {k: groups[k] for k in keys}
    for o in outputs:
        lists = groups[f"{o}_list"]
        if several:
            columns[o] = pc.list_slice(lists, 0, most)
        elif rows.num_rows:
            columns[o] = pc.list_element(lists, 0)
        else:
            columns[o] = pa.array([], pa.string())
    return pa.table(columns)
