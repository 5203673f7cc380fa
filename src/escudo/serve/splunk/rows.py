"""Rows of a job -> results in Splunk's forms: JSON (objects, rows, columns), CSV, XML; ``jobs``
calls it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa

from escudo.serve.searches.results import write_value
from escudo.serve.splunk.feeds import clean

Cell = str | list[str] | None
"""A value as Splunk gives it: text, or several texts."""

MEDIA = {
    "json": "application/json",
    "json_rows": "application/json",
    "json_cols": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "raw": "text/plain; charset=utf-8",
}
"""The forms, and their media types."""


def list_rows(table: pa.Table, fields: Sequence[str] | None = None) -> Iterator[dict[str, Cell]]:
    """Rows as Splunk names and writes them; ``_time`` is a date with its zone."""
    names = [n for n in (fields or table.column_names) if n in table.column_names]
    columns = [table[name].to_pylist() for name in names]
    times = [i for i, name in enumerate(names) if name == "_time"]
    for values in zip(*columns, strict=True):
        cells = [*map(_write, values)]
        for i in times:
            cells[i] = _write_time(values[i])
        yield dict(zip(names, cells, strict=True))


def _write(value: Any) -> Cell:
    if value is None:
        return None
    if isinstance(value, list):
        texts = [write_value(one) for one in value if one is not None]
        return texts if len(texts) != 1 else texts[0]
    return write_value(value)


def _write_time(value: Any) -> Cell:
    if not isinstance(value, int | float):
        return _write(value)
    try:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return write_value(value)


def write_page(
    rows: Sequence[Mapping[str, Cell]],
    fields: Sequence[str],
    *,
    mode: str,
    offset: int = 0,
    preview: bool = False,
    messages: Sequence[Mapping[str, str]] = (),
) -> str:
    """A page of results as one document."""
    return _WRITERS[mode](rows, fields, offset, preview, messages)


_Messages = Sequence[Mapping[str, str]]
_Rows = Sequence[Mapping[str, Cell]]


def _write_json(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    return _write_body(
        offset,
        preview,
        messages,
        fields=[{"name": name} for name in fields],
        results=[drop_null(row) for row in rows],
        highlighted={},
    )


def drop_null(row: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: value for name, value in row.items() if value is not None}


def _write_json_rows(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    cells = [[row.get(name) for name in fields] for row in rows]
    return _write_body(offset, preview, messages, fields=[*fields], rows=cells)


def _write_json_columns(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    cells = [[row.get(name) for row in rows] for name in fields]
    return _write_body(offset, preview, messages, fields=[*fields], columns=cells)


def _write_body(offset: int, preview: bool, messages: _Messages, **parts: Any) -> str:
    body = {"preview": preview, "init_offset": offset, "messages": [*messages], **parts}
    return json.dumps(body, ensure_ascii=False)


def _write_csv(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    return write_csv_lines(rows, fields, header=True)


def write_csv_lines(
    rows: Iterable[Mapping[str, Cell]], fields: Sequence[str], *, header: bool
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(fields)
    for row in rows:
        writer.writerow([_join(row.get(name)) for name in fields])
    return text.getvalue()


def _join(value: Cell) -> str:
    return "\n".join(value) if isinstance(value, list) else value or ""


def _write_raw(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    return "".join(f"{_join(row.get('_raw'))}\n" for row in rows)


def _write_results(
    rows: _Rows, fields: Sequence[str], offset: int, preview: bool, messages: _Messages
) -> str:
    root = ET.Element("results", preview="1" if preview else "0")
    order = ET.SubElement(ET.SubElement(root, "meta"), "fieldOrder")
    for name in fields:
        ET.SubElement(order, "field").text = clean(name)
    told = ET.SubElement(root, "messages")
    for message in messages:
        ET.SubElement(told, "msg", type=message["type"]).text = clean(message["text"])
    for number, row in enumerate(rows, offset):
        result = ET.SubElement(root, "result", offset=str(number))
        for name, value in drop_null(row).items():
            field = ET.SubElement(result, "field", k=clean(name))
            for text in value if isinstance(value, list) else [value or ""]:
                if name == "_raw":
                    ET.SubElement(field, "v", trunc="0").text = clean(text)
                else:
                    ET.SubElement(ET.SubElement(field, "value"), "text").text = clean(text)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


_Writer = Callable[[_Rows, Sequence[str], int, bool, _Messages], str]
_WRITERS: Mapping[str, _Writer] = {
    "json": _write_json,
    "json_rows": _write_json_rows,
    "json_cols": _write_json_columns,
    "csv": _write_csv,
    "xml": _write_results,
    "raw": _write_raw,
}
