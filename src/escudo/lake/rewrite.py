"""Reads files of a table and writes their rows anew: merged, in order, or without old ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.lake.delta import DataFile
from escudo.lake.layout import HOUR, Layout, conform
from escudo.lake.parts import Parts

MEMORY = "400MB"
_BATCH_ROWS = 20_000


def rewrite(
    folder: Path,
    layout: Layout,
    files: Sequence[DataFile],
    *,
    temporary: Path,
    since: int | None = None,
) -> list[DataFile]:
    """New files with the rows of others, in the table's order.

    Memory is bounded; what does not fit is sorted on the disk.

    Args:
        folder: the table.
        layout: how its files are written.
        files: the files to read, which stay.
        temporary: a folder for sorting.
        since: leave out rows before this time, in microseconds since the epoch.
    """
    parts = Parts(folder, layout)
    paths = [str(folder / f.path) for f in sorted(files, key=lambda f: (f.low or 0, f.path))]
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET memory_limit = ?", [MEMORY])
            connection.execute("SET temp_directory = ?", [str(temporary)])
            rows = connection.sql(
                f"SELECT * FROM read_parquet(?, union_by_name = true) {_where(since)} "
                f"{_order(layout)}",
                params=[paths],
            )
            for batch in rows.to_arrow_reader(_BATCH_ROWS):
                parts.write(conform(pa.Table.from_batches([batch]), layout, folder.name))
    except duckdb.IOException as error:
        parts.discard()
        raise EscudoError("LAK005", f"table {folder.name}: {error}") from error
    except BaseException:
        parts.discard()
        raise
    return parts.finish()


def _where(since: int | None) -> str:
    return "" if since is None else f"WHERE epoch_us(_time) >= {since:d}"


def _order(layout: Layout) -> str:
    """Raw events stay as they come, file by file: their rows are too wide to be sorted in little
    memory (see ``layout.arrange``)."""
    if not layout.order:
        return ""
    names = ", ".join('"' + name.replace('"', '""') + '" NULLS LAST' for name in layout.order)
    return f"ORDER BY epoch_us(_time) // {HOUR}, {names}, _time"
