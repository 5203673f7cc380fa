"""The fields of one event -> a catalog that holds only it; called by ``actions.why``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from escudo.core.catalog import Catalog
from escudo.core.errors import EscudoError
from escudo.core.schema import (
    RAW_COLUMNS,
    Column,
    FieldType,
    TableSchema,
    physical_names,
)
from escudo.core.timerange import TimeRange
from escudo.spl import is_numeric_text, number_text, parse_time

EVENT_ID = 0
"""The id of the event."""


class OneEvent:
    """The event as a row of every dataset and as the only raw event.

    Fields of a dataset may be written with or without its name (``Processes.user``, ``user``).
    What is not given: ``_time`` is now, ``index`` is ``main``, ``_raw`` is the event as JSON; all
    else is null.
    """

    def __init__(
        self, base: Catalog, fields: Mapping[str, Any], folder: Path, *, now: float
    ) -> None:
        self.base = base
        self.folder = folder
        given = {n: v for n, v in fields.items() if v is not None and v != []}
        self.fields: dict[str, Any] = {
            "index": "main",
            "_raw": orjson.dumps(given).decode(),
            **given,
            "_time": _time(given.get("_time", now), now),
            "_event_id": EVENT_ID,
        }
        self.given = tuple(given)
        self.unknown: dict[str, tuple[str, ...]] = {}
        """Fields that a dataset's table does not know, by table."""
        self._raw = TableSchema("one_event", (*RAW_COLUMNS, *_columns(self.fields)))
        self._paths: dict[str, str] = {}

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        return self.base.dataset(model, dataset)

    def datasets(self) -> Sequence[tuple[str, str]]:
        return self.base.datasets()

    def raw_tables(self) -> Sequence[TableSchema]:
        return (self._raw,)

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        if table not in self._paths:
            schema = self._schema(table)
            if schema is None:
                return ()
            self._paths[table] = self._write(schema)
        return (self._paths[table],)

    def _schema(self, table: str) -> TableSchema | None:
        if table == self._raw.table:
            return self._raw
        schemas = (self.base.dataset(m, d) for m, d in self.base.datasets())
        return next((s for s in schemas if s is not None and s.table == table), None)

    def _write(self, schema: TableSchema) -> str:
        row: dict[str, Any] = {}
        unknown: list[str] = []
        for name, value in self.fields.items():
            column = schema.by_name.get(name) or schema.by_name.get(name.partition(".")[2])
            if column is None or column.physical is None:
                unknown += [name] if name in self.given else []
            else:
                row[column.physical] = _at_rest(value, column)
                if column.lower is not None:
                    row[column.lower] = _text(value).lower()
        if unknown:
            self.unknown[schema.table] = tuple(unknown)
        path = self.folder / f"{schema.table}.parquet"
        pq.write_table(pa.Table.from_pylist([row], schema=schema.arrow()), path)
        return str(path)


def _columns(fields: Mapping[str, Any]) -> Iterator[Column]:
    """A column for each field that raw events do not have anyway."""
    names = physical_names([*(c.name for c in RAW_COLUMNS), *fields])
    for name in fields.keys() - {c.name for c in RAW_COLUMNS}:
        kind = FieldType.MULTIVALUE if isinstance(fields[name], list) else FieldType.STRING
        yield Column(name, kind, physical=names[name])


def parse_event(text: str) -> dict[str, Any]:
    """The fields of an event given as a JSON object; objects inside it become ``a.b``.

    >>> parse_event('{"process_name": "cmd.exe", "a": {"b": 1}}')
    {'process_name': 'cmd.exe', 'a.b': 1}

    Raises:
        EscudoError: DET202 if it is none.
    """
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise EscudoError("DET202", f"the event is no JSON: {error}") from error
    if not isinstance(event, dict):
        raise EscudoError("DET202", "the event is no JSON object")
    return _flat(event, "")


def _flat(event: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            out.update(_flat(value, f"{prefix}{name}."))
        else:
            out[f"{prefix}{name}"] = value
    return out


def _time(value: Any, now: float) -> float:
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    if is_numeric_text(text):
        return float(text)
    parsed = parse_time(text, now)
    return now if parsed is None else parsed


def _at_rest(value: Any, column: Column) -> Any:
    match column.type:
        case FieldType.TIME:
            return round(float(value) * 1_000_000)
        case FieldType.MULTIVALUE:
            return _texts(value)
        case FieldType.INTEGER | FieldType.NUMBER:
            text = _text(value)
            if not is_numeric_text(text):
                return None
            return int(float(text)) if column.type is FieldType.INTEGER else float(text)
        case _:
            return _text(value)


def _texts(value: Any) -> list[str]:
    return [_text(v) for v in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return str(value[0]) if isinstance(value, list) else str(value)
