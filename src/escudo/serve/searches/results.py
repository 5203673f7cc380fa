"""The files of a job <-> its rows: pages of them, statistics of their fields, text of them; a
search process writes the files, the server reads them.

A job's folder has one Arrow file after the other, each whole when it has its name, since rows come
while others are looked at. A field that only some rows have is a column of those files alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

from escudo.actions.joined_tables import join_tables
from escudo.core.errors import EscudoError

STATISTICS_ROWS = 100_000
"""Rows that statistics of fields are of, at most: the newest."""

TOP = 10
"""Values of a field that are told."""

MOST_STATISTICS = 500
"""Fields that statistics are made of, at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows."""

    path: Path
    rows: int


def write_part(folder: Path, number: int, rows: pa.Table) -> Part:
    """Puts a file of rows into a job's folder, whole."""
    path, draft = folder / f"{number:06}.arrow", folder / f".{number:06}.part"
    with pa.OSFile(str(draft), "wb") as sink, ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    os.replace(draft, path)
    return Part(path, rows.num_rows)


def read_part(part: Part) -> pa.Table:
    """The rows of a file.

    Raises:
        EscudoError: SRV030 where the job has been removed meanwhile.
    """
    try:
        with pa.memory_map(str(part.path)) as file:
            return ipc.open_file(file).read_all()
    except OSError as error:
        raise EscudoError("SRV030", "the results of the search are gone") from error


def cut_page(parts: Sequence[Part], offset: int, count: int) -> pa.Table:
    """Some rows of a job, whose files so far are given."""
    pages: list[pa.Table] = []
    begin = 0
    for part in parts:
        first, last = max(offset, begin), min(offset + count, begin + part.rows)
        if first < last:
            pages.append(read_part(part).slice(first - begin, last - first))
        begin += part.rows
        if begin >= offset + count:
            break
    return join_tables(pages)


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """A field: in how many rows it is, how many values it has there, the most frequent of them.
    ``numeric``: all of its values are numbers; then ``least``, ``greatest``, ``mean``."""

    name: str
    count: int
    distinct: int
    top: tuple[tuple[str, int], ...]
    numeric: bool = False
    least: float | None = None
    greatest: float | None = None
    mean: float | None = None


def summarise_fields(parts: Sequence[Part]) -> list[FieldSummary]:
    """The fields of the first rows of a job, the most frequent first."""
    rows = cut_page(parts, 0, STATISTICS_ROWS)
    names = [n for n in rows.column_names if n not in ("_time", "_raw")][:MOST_STATISTICS]
    summaries = [_summarise(name, rows[name]) for name in names]
    return sorted((s for s in summaries if s.count), key=lambda s: -s.count)


def _summarise(name: str, values: pa.ChunkedArray) -> FieldSummary:
    rows = len(values) - values.null_count
    flat = pc.list_flatten(values) if pa.types.is_list(values.type) else values
    flat = flat.drop_null()
    if not len(flat):
        return FieldSummary(name, rows, 0, ())
    counts = pc.value_counts(flat)
    counts = pa.table({"value": counts.field("values"), "count": counts.field("counts")})
    order = pc.select_k_unstable(
        counts, k=min(TOP, len(counts)), sort_keys=[("count", "descending")]
    )
    top = counts.take(order).to_pylist()
    numbers = _find_numbers(flat)
    bounds = {} if numbers is None else pc.min_max(numbers).as_py()
    return FieldSummary(
        name,
        rows,
        len(counts),
        tuple((write_value(row["value"]), row["count"]) for row in top),
        numeric=numbers is not None,
        least=bounds.get("min"),
        greatest=bounds.get("max"),
        mean=None if numbers is None else pc.mean(numbers).as_py(),
    )


_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def _find_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Values as numbers; None where one of them is none."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return values.cast(pa.float64())
    if not pa.types.is_string(values.type):
        return None
    if not pc.all(pc.match_substring_regex(values, _NUMBER)).as_py():
        return None
    return values.cast(pa.float64())


def write_value(value: object) -> str:
    """A value as Splunk's REST writes it: whole numbers without a fraction.

    >>> write_value(5.0), write_value(0.25), write_value(True)
    ('5', '0.25', '1')
    """
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def simplify(value: Any) -> Any:
    """A value for JSON: whole numbers are whole, what is not finite is null."""
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, list | str | int | bool) or value is None:
        return value
    return str(value)
