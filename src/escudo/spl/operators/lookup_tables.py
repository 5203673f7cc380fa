"""Lookup tables: reading them, and joining them to events.

A CSV file is a table of text; an empty cell is null.
"""

from __future__ import annotations

import csv
import io
import os
import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError, Span
from escudo.spl.binding.binder import Binder
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.source import suggest


def find_lookup(name: str, binder: Binder, span: Span | None) -> Lookup:
    """The definition of a lookup. Raises ``SPL313`` for an unknown one."""
    found = binder.knowledge.lookup(name)
    if found is None:
        known = binder.knowledge.lookups()
        raise EscudoError(
            "SPL313", f"unknown lookup '{name}'", span=span, hint=suggest(name, known)
        )
    return found


MULTIVALUE_PREFIX = "__mv_"
"""A column of this and a field's name holds the field's values apart (``encoded``)."""


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
        stat = os.stat(lookup.path)
        state = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        found = _read_csv(lookup.path, state, lookup.verbatim)
    except (OSError, pa.ArrowInvalid) as error:
        raise EscudoError(
            "SPL314", f"lookup '{lookup.name}' cannot be read: {error}", span=span
        ) from error
    if not found.num_columns:
        return pa.table({f: pa.array([], pa.string()) for f in lookup.fields})
    return _with_lists(found, multivalues)


def _with_lists(found: pa.Table, multivalues: bool) -> pa.Table:
    """The fields alone, with their values as lists where they are to be apart."""
    names = [n for n in found.column_names if n.startswith(MULTIVALUE_PREFIX)]
    out = found.drop_columns(names) if names else found
    for name in names if multivalues else ():
        field = name.removeprefix(MULTIVALUE_PREFIX)
        if field in out.column_names:
            pairs = zip(found[name].to_pylist(), found[field].to_pylist(), strict=True)
            lists = [_decoded(several, one) for several, one in pairs]
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


def _decoded(several: str | None, one: str | None) -> list[str] | None:
    if several:
        return [v.replace("$$", "$") for v in _VALUE.findall(several)]
    return None if one is None else [one]


@lru_cache(maxsize=64)
def _read_csv(path: str, _state: tuple[int, int, int], verbatim: bool) -> pa.Table:
    """A CSV file as text columns; blanks around names and cells count only if it is verbatim."""
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
    return pa.table({name: _cells(raw[unique[name]], verbatim) for name in reversed(unique)})


def _cells(values: pa.ChunkedArray, verbatim: bool) -> pa.ChunkedArray:
    trimmed = values if verbatim else pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def open_lookup(name: str, binder: Binder, span: Span | None) -> Relation:
    """All rows of a lookup, as ``inputlookup`` gives them."""
    return binder.table(read_lookup(find_lookup(name, binder, span), span, multivalues=True))


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
