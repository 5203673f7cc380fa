"""Rows of ``outputlookup`` and those that are there -> a lookup's new file; for ``effects``.

Search Reference: outputlookup. A file is CSV as Splunk writes it: with several values kept apart,
``__mv_field`` beside a field has them as ``$a$;$b$``.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.spl import MULTIVALUE_PREFIX, LookupOutput, encode_values, read_lookup

KEY = "_key"
"""The field of a collection that identifies its records."""

Cell = str | list[str] | None
Row = Mapping[str, Cell]


def build_lookup_file(
    output: LookupOutput, definition: Lookup | None, before: Lookup | None, current: Path | None
) -> bytes | None:
    """The new file of a lookup in a lake; None if there shall be none.

    Args:
        output: what the search gives.
        definition: the content's definition of the lookup, if there is one.
        before: the lookup with the file that its rows are in now, if there is one.
        current: the lake's own file, if there is one.

    Raises:
        EscudoError: LAK014 where the rows lack the key field.
    """
    collection = definition is not None and definition.collection is not None
    if not output.rows.num_rows:
        if before is not None and (output.append or not output.override_if_empty):
            return current.read_bytes() if current is not None else None
        return b"" if output.create_empty else None
    if not (output.append or collection or output.multivalues or output.key_field):
        return _table_file(output.rows)
    added: list[Row] = output.rows.to_pylist()
    fields = list(output.rows.column_names)
    if collection and definition is not None and definition.fields:
        fields = [f for f in fields if f in definition.fields or f == KEY]
    if collection or output.key_field is not None:
        added = list(_keyed(added, fields, output))
        fields = [*fields, *([KEY] if KEY not in fields else [])]
    if not output.append:
        return _written(fields, added, collection or output.multivalues)
    names, rows = _read(before) if before is not None and before.path else ([], [])
    if names and not collection and output.key_field is None:
        fields = names  # an existing file keeps the fields that it has
    else:
        fields = list(dict.fromkeys((*names, *fields)))
    merged = _merged(rows, added, output) if KEY in fields else [*rows, *added]
    apart = any(isinstance(cell, list) for row in rows for cell in row.values())
    return _written(fields, merged, apart or collection or output.multivalues)


def _keyed(rows: Iterable[Row], fields: Sequence[str], output: LookupOutput) -> Iterator[Row]:
    """The rows with their keys: the value of the key field, the one they have, or a new one."""
    source = output.key_field or KEY
    if output.key_field is not None and output.key_field not in output.rows.column_names:
        known = ", ".join(fields)
        raise EscudoError(
            "LAK014", f"lookup {output.lookup}: no row has the key field {source!r} (but {known})"
        )
    for row in rows:
        key = row.get(source)
        text = "\n".join(key) if isinstance(key, list) else key
        yield {**row, KEY: text or _new_key()}


def _new_key() -> str:
    return uuid.uuid4().hex[:24]


def _merged(before: Iterable[Row], added: Iterable[Row], output: LookupOutput) -> list[Row]:
    """Records by key: a new one replaces the one of its key, unless updates are not allowed."""
    records: dict[str, Row] = {}
    for row in before:
        key = row.get(KEY)
        name = key if isinstance(key, str) else _new_key()
        records[name] = {**row, KEY: name}
    for row in added:
        key = str(row[KEY])
        if output.allow_updates or key not in records:
            records[key] = row
    return list(records.values())


def _read(lookup: Lookup) -> tuple[list[str], list[Row]]:
    table = read_lookup(lookup, None, multivalues=True)
    rows: list[Row] = table.to_pylist()
    return list(table.column_names), rows


def _written(fields: Sequence[str], rows: Sequence[Row], multivalues: bool) -> bytes:
    """The CSV file of some rows. Without ``multivalues`` the values of a cell are one text with
    blanks between."""
    several = {f for f in fields if multivalues and any(isinstance(r.get(f), list) for r in rows)}
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow([*fields, *(MULTIVALUE_PREFIX + f for f in fields if f in several)])
    between = "\n" if multivalues else " "
    for row in rows:
        cells = [_plain(row.get(f), between) for f in fields]
        lists = [encode_values(row.get(f)) for f in fields if f in several]
        writer.writerow([*cells, *lists])
    return out.getvalue().encode("utf-8", "replace")


def _table_file(rows: pa.Table) -> bytes:
    """The CSV file of a whole table, several values as one text with blanks between."""
    columns = [
        pc.binary_join(c, " ") if pa.types.is_list(c.type) else c.cast(pa.string())
        for c in rows.columns
    ]
    out = io.BytesIO()
    # Polars takes a tenth of a second to import, which a search that writes nothing should not pay.
    import_module("polars").from_arrow(pa.table(columns, names=rows.column_names)).write_csv(out)
    return out.getvalue()


def _plain(cell: Cell, between: str) -> str:
    return between.join(cell) if isinstance(cell, list) else cell or ""
