"""EVTX to Parquet by the fastest library paths: fields only, no raw text, no data models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
from evtx import PyEvtxParser

from benchmarks.xml_libraries import parse_block

_BATCH = 20_000
_COLUMNS = """{{
  'Event': 'STRUCT(
    System STRUCT(
      Provider STRUCT("#attributes" STRUCT("Name" VARCHAR, "Guid" VARCHAR)),
      EventID JSON, Version VARCHAR, "Level" VARCHAR, Task VARCHAR, Opcode VARCHAR,
      Keywords VARCHAR,
      TimeCreated STRUCT("#attributes" STRUCT(SystemTime TIMESTAMPTZ)),
      EventRecordID VARCHAR, Channel VARCHAR, Computer VARCHAR,
      "Execution" STRUCT("#attributes" STRUCT(ProcessID VARCHAR, ThreadID VARCHAR)),
      "Security" STRUCT("#attributes" STRUCT(UserID VARCHAR))
    ),
    EventData {own}, UserData {own}
  )'
}}"""


def evtx_json_duckdb(folder: Path, *, source: str) -> int:
    """``evtx`` to JSON lines on the disk, then DuckDB; the event's own fields are a map."""
    return _by_json(folder, source, "MAP(VARCHAR, VARCHAR)")


def evtx_json_left(folder: Path, *, source: str) -> int:
    """The same, but the event's own data stay one JSON text: no field of it is read."""
    return _by_json(folder, source, "JSON")


def _by_json(folder: Path, source: str, own: str) -> int:
    path = folder / "events.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        for batch in _records(PyEvtxParser(source).records_json()):
            out.write("\n".join(batch) + "\n")
    columns = _COLUMNS.format(own=own)
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        (rows,) = connection.execute(
            f"""COPY (
              SELECT unnest(Event.System, recursive := true), Event.EventData, Event.UserData
              FROM read_json('{path}', format = 'newline_delimited', columns = {columns})
            ) TO '{folder / "events.parquet"}'
            (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"""
        ).fetchone() or (0,)
    return int(rows)


def evtx_xml2arrow(folder: Path, *, source: str) -> int:
    """``evtx`` to XML in memory, then xml2arrow and a pivot: every field a column."""
    rows = 0
    for number, batch in enumerate(_records(PyEvtxParser(source).records())):
        rows += parse_block("".join(batch).encode(), folder, number)
    return rows


def evtx_alone(folder: Path, *, source: str) -> int:
    """Only the parse by ``evtx``: nothing is taken apart or written."""
    return sum(len(batch) for batch in _records(PyEvtxParser(source).records_json()))


def _records(records: Any) -> Iterator[list[str]]:
    def texts() -> Iterator[str]:
        while True:
            try:
                record = next(records)
            except StopIteration:
                return
            except (OSError, RuntimeError):
                continue
            yield record["data"].removeprefix('<?xml version="1.0" encoding="utf-8"?>')

    stream = texts()
    while batch := list(islice(stream, _BATCH)):
        yield batch
