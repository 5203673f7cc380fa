"""All that a lake holds, but for what each ingest makes anew: ids, times of indexing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake

_BY_RUN = ("_event_id", "_indextime")


def read_table(lake: Lake, name: str) -> pa.Table:
    """The rows of a table that has some."""
    files = lake.snapshot().files(name, ALL_TIME)
    return pa.concat_tables([pq.ParquetFile(f).read() for f in files])


def read_stored(lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """Each table with its rows, sorted as texts."""
    stored = {}
    for name in lake.snapshot().tables():
        table = read_table(lake, name)
        table = table.drop_columns([c for c in _BY_RUN if c in table.column_names])
        table = table.select(sorted(table.column_names))
        stored[name] = sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)
    return stored


def find_raw_ids(lake: Lake) -> list[int]:
    """The ids of all raw events, sorted."""
    names = [n for n in lake.snapshot().tables() if n.startswith("raw_")]
    return sorted(i for n in names for i in read_table(lake, n)["_event_id"].to_pylist())


def find_model_ids(lake: Lake) -> set[int]:
    """The ids of the events that rows of data models are of."""
    names = [n for n in lake.snapshot().tables() if not n.startswith("raw_")]
    return {i for n in names for i in read_table(lake, n)["_event_id"].to_pylist()}
