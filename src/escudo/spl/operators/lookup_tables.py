"""The name of a lookup -> its rows; called by the commands that read lookups, and by the lake.

A CSV file is a table of text; an empty cell is null.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError, Span
from escudo.spl.binding.binder import Binder
from escudo.spl.operators.described_lookups import is_lasting
from escudo.spl.relation.bases import TableBase
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.source import suggest


def find_lookup(name: str, binder: Binder, span: Span | None) -> Lookup:
    """The definition of a lookup. Raises ``SPL313`` for an unknown one."""
    lookup = binder.knowledge.lookup(name)
    if lookup is None:
        known = binder.knowledge.lookups()
        raise EscudoError(
            "SPL313", f"unknown lookup '{name}'", span=span, hint=suggest(name, known)
        )
    return lookup


MULTIVALUE_PREFIX = "__mv_"
"""A column of this and a field's name holds the field's values apart (``encode_values``)."""


def take_lookup(
    lookup: Lookup,
    binder: Binder,
    span: Span | None,
    *,
    uses: Iterable[str] = (),
    multivalues: bool = False,
) -> pa.Table:
    """``read_lookup`` for a search: what there is to say about the lookup is a warning of it.

    A lookup that a search of the content writes is empty until that search has run; where no
    definition says which fields it will have, it has those that the search ``uses``.
    """
    if is_unwritten(lookup):
        binder.warn(
            "SPL340",
            f"lookup '{lookup.name}' is empty until '{lookup.writer}' has run",
            span,
        )
        names = lookup.fields or tuple(dict.fromkeys(uses))
        return pa.table({f: pa.array([], pa.string()) for f in names})
    table = read_lookup(lookup, span, multivalues=multivalues)
    for name in find_wrong_match_types(lookup, table.column_names):
        kind = lookup.match_types[name]
        message = f"lookup '{lookup.name}': {kind}({name}) is of a field that its table has not"
        binder.warn("SPL345", message, span)
    if lookup.path is not None and os.path.exists(lookup.path):
        for fault in _read_file(lookup.path, lookup.verbatim).faults:
            binder.warn("SPL341", f"lookup '{lookup.name}': {fault}", span)
    return table


def find_wrong_match_types(lookup: Lookup, names: Iterable[str]) -> list[str]:
    """Fields of ``match_type`` that a table with these columns has not."""
    known = set(names)
    return [name for name in lookup.match_types if known and name not in known]


def find_gap(name: str, binder: Binder) -> str | None:
    """Why there is no such table; None if there is one, be it empty."""
    lookup = binder.knowledge.lookup(name)
    if lookup is None:
        close = suggest(name, binder.knowledge.lookups())
        return f"unknown lookup '{name}'" + (f" ({close})" if close else "")
    there = lookup.path is not None and os.path.exists(lookup.path)
    if there or lookup.writer is not None or lookup.collection is not None or lookup.fields:
        return None
    return f"lookup '{name}' has no file"


def is_unwritten(lookup: Lookup) -> bool:
    """Whether the search that writes a lookup has not run yet, and nothing else gave it a file."""
    there = lookup.path is not None and os.path.exists(lookup.path)
    return lookup.writer is not None and not there


def read_lookup(lookup: Lookup, span: Span | None, *, multivalues: bool = False) -> pa.Table:
    """The rows of a lookup, all text. A collection without a file has no rows yet.

    With ``multivalues``, fields that have them in the file are lists of text; else their values
    are one text, a value a line. Raises ``SPL314`` where its file cannot be read.
    """
    if lookup.path is None or not os.path.exists(lookup.path):
        if lookup.collection is None and not lookup.fields:
            raise EscudoError("SPL314", f"lookup '{lookup.name}' has no file", span=span)
        return pa.table({f: pa.array([], pa.string()) for f in lookup.fields})
    try:
        table = _read_file(lookup.path, lookup.verbatim).table
    except (OSError, csv.Error, pa.ArrowInvalid) as error:
        raise EscudoError(
            "SPL314", f"lookup '{lookup.name}' cannot be read: {error}", span=span
        ) from error
    if not table.num_columns:
        return pa.table({f: pa.array([], pa.string()) for f in lookup.fields})
    return _add_declared(_split_lists(table, multivalues), lookup)


def _add_declared(table: pa.Table, lookup: Lookup) -> pa.Table:
    """The table with the fields that the definition names, if only as nulls."""
    for name in lookup.fields:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _split_lists(table: pa.Table, multivalues: bool) -> pa.Table:
    """The fields alone, with their values as lists where they are to be apart."""
    names = [n for n in table.column_names if n.startswith(MULTIVALUE_PREFIX)]
    out = table.drop_columns(names) if names else table
    for name in names if multivalues else ():
        field = name.removeprefix(MULTIVALUE_PREFIX)
        if field in out.column_names:
            pairs = zip(table[name].to_pylist(), table[field].to_pylist(), strict=True)
            lists = [_decode_values(several, one) for several, one in pairs]
            at = out.column_names.index(field)
            out = out.set_column(at, field, pa.array(lists, pa.list_(pa.string())))
    return out


def encode_values(cell: str | list[str] | None) -> str:
    """Several values as Splunk writes them in the column beside a field; empty for one value.

    >>> encode_values(["a", "b;$"]), encode_values("a")
    ('$a$;$b;$$$', '')
    """
    if not isinstance(cell, list):
        return ""
    return ";".join("$" + value.replace("$", "$$") + "$" for value in cell)


_VALUE = re.compile(r"\$((?:[^$]|\$\$)*)\$(?:;|$)")


def _decode_values(several: str | None, one: str | None) -> list[str] | None:
    if several:
        return [v.replace("$$", "$") for v in _VALUE.findall(several)]
    return None if one is None else [one]


@dataclass(frozen=True, slots=True)
class _CsvFile:
    """The rows of a file, and what in it is not as it should be."""

    table: pa.Table
    faults: tuple[str, ...] = ()


def _read_file(path: str, verbatim: bool) -> _CsvFile:
    stat = os.stat(path)
    return _read_csv(path, (stat.st_mtime_ns, stat.st_ino, stat.st_size), verbatim)


@lru_cache(maxsize=64)
def _read_csv(path: str, _state: tuple[int, int, int], verbatim: bool) -> _CsvFile:
    """A CSV file as text columns; blanks around names and cells count only if it is verbatim.

    Raises ``csv.Error`` where it is no CSV text: a quote that nothing closes, bytes of zero.
    """
    with open(path, "rb") as binary:
        content = binary.read()
    if b"\0" in content:
        raise csv.Error("it has zero bytes, so it is not a text file")
    faults = []
    try:
        data = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.append(f"line {line} is not UTF-8; what cannot be read there is shown as \ufffd")
        data = content.decode("utf-8-sig", "replace")
    uneven: list[pacsv.InvalidRow] = []
    table = _parse_csv(data, verbatim, uneven) if data.count('"') % 2 == 0 else None
    if uneven or table is None:
        table, fault = _parse_uneven(data, verbatim)
        faults += [fault] if fault else []
    return _CsvFile(table, tuple(faults))


def _parse_uneven(data: str, verbatim: bool) -> tuple[pa.Table, str | None]:
    """A CSV text some rows of which are not as wide as the header.

    Such a row has nulls for what it lacks, and loses what it has too much. Empty lines are no rows.
    """
    reader = csv.reader(io.StringIO(data, newline=""), strict=True)
    header = next(reader, [])
    rows, lines = [], []
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                lines.append((reader.line_num, len(row)))
            rows.append([*row, *[""] * (len(header) - len(row))])
    except csv.Error as error:
        raise csv.Error(f"it is no CSV text, line {reader.line_num}: {error}") from None
    unique = {name.strip(): i for i, name in reversed([*enumerate(header)]) if name.strip()}
    columns = {
        name: pa.chunked_array([pa.array([row[i] for row in rows], pa.string())])
        for name, i in reversed(unique.items())
    }
    table = pa.table({name: _clean_cells(cells, verbatim) for name, cells in columns.items()})
    if not lines:
        return table, None
    line, width = lines[0]
    return table, (
        f"{len(lines)} rows are not as wide as the header; the first is line {line}, with {width}"
        f" cells of {len(header)}"
    )


def _parse_csv(data: str, verbatim: bool, uneven: list[pacsv.InvalidRow]) -> pa.Table:
    """A CSV text as Arrow reads it; rows of another width than the header go to ``uneven``."""

    def set_aside(row: pacsv.InvalidRow) -> str:
        uneven.append(row)
        return "skip"

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
            newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=set_aside
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        ),
    )
    return pa.table({name: _clean_cells(raw[unique[name]], verbatim) for name in reversed(unique)})


def _clean_cells(values: pa.ChunkedArray, verbatim: bool) -> pa.ChunkedArray:
    trimmed = values if verbatim else pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def open_lookup(name: str, binder: Binder, span: Span | None) -> Relation:
    """All rows of a lookup, as ``inputlookup`` gives them."""
    definition = find_lookup(name, binder, span)
    rows = take_lookup(definition, binder, span, multivalues=True)
    if not rows.num_columns:
        return binder.anything(())
    relation = binder.table(rows)
    assert isinstance(relation.base, TableBase)
    return replace(relation, base=replace(relation.base, lasting=is_lasting(definition)))
