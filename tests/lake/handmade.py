"""A lake's tables without sources and data models, and rows for them."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from escudo.core.schema import (
    COMMON_COLUMNS,
    RAW_COLUMNS,
    RAW_REST,
    Column,
    FieldType,
    TableSchema,
)
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.lake import Lake, Snapshot
from escudo.lake.tables import Tables
from escudo.sources import Families

DAY = 86_400.0

RAW = TableSchema("raw_demo", (*RAW_COLUMNS, Column("Image", physical="Image")), rest=RAW_REST)
MODEL = TableSchema(
    "demo_processes",
    (
        *COMMON_COLUMNS,
        Column("process_name", physical="process_name", lower="process_name_lc"),
        Column("parent_process_name", physical="parent_process_name", lower="parent_lc"),
        Column("hashes", FieldType.MULTIVALUE, physical="hashes"),
    ),
)


class DemoModels:
    """One model with one dataset."""

    def dataset(self, model: str, dataset: str | None) -> TableSchema | None:
        known = model.lower() == "demo" and (dataset or "Processes").lower() == "processes"
        return MODEL if known else None

    def datasets(self) -> Sequence[tuple[str, str]]:
        return (("Demo", "Processes"),)


TABLES = Tables(
    DemoModels(),
    Families(()),
    (RAW,),
    (MODEL,),
    {"demo_processes": ("parent_process_name", "process_name")},
)


def raw_rows(times: Sequence[float | None], text: str = "event") -> pa.Table:
    """Raw events at times in epoch seconds."""
    return pa.table(
        {
            "_time": _times(times),
            "index": pa.array(["main"] * len(times)),
            "_raw": pa.array([f"{text} {n}" for n in range(len(times))]),
            "Image": pa.array(["C:\\a.exe"] * len(times)),
        }
    )


def model_rows(times: Sequence[float], names: Sequence[str]) -> pa.Table:
    """Process rows; names repeat as often as needed."""
    count = len(times)
    return pa.table(
        {
            "_time": _times(times),
            "process_name": pa.array([names[n % len(names)] for n in range(count)]),
            "parent_process_name": pa.array(["Explorer.EXE"] * count),
            "hashes": pa.array([["MD5=1", "SHA1=2"]] * count),
        }
    )


def append(lake: Lake, table: str, rows: pa.Table) -> None:
    with lake.writer() as writer:
        writer.append_rows(table, rows)
        writer.commit()


def query(lake: Lake | Snapshot, table: str, sql: str, within: TimeRange = ALL_TIME) -> list[tuple]:
    """Runs SQL over ``rows``, the files of a table; no rows where there are no files."""
    files = list(lake.files(table, within))
    if not files:
        return []
    with duckdb.connect() as connection:
        connection.sql("SET TimeZone = 'UTC'")
        rows = connection.read_parquet(files, union_by_name=True)
        return rows.query("rows", sql).fetchall()


def count(lake: Lake | Snapshot, table: str, within: TimeRange = ALL_TIME) -> int:
    found = query(lake, table, "SELECT count(*) FROM rows", within)
    return int(found[0][0]) if found else 0


def _times(times: Sequence[float | None]) -> pa.Array:
    micros = [None if t is None else round(t * 1_000_000) for t in times]
    return pa.array(micros, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
