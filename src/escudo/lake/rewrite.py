"""Files of a table -> new files: merged, in order, or without some rows; for ``maintenance``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.engines.duckdb.faults import explain_error
from escudo.lake.delta import DataFile, unwritable
from escudo.lake.layout import HOUR, Layout, conform
from escudo.lake.leftovers import Work
from escudo.lake.parquet_files import ParquetFiles
from escudo.storage import Storage

MEMORY = "400MB"
"""What DuckDB may use while it sorts."""
_BATCH_ROWS = 20_000
"""Rows that are handed to the encoder together."""
_SLICE_ROWS = 100_000
"""Rows that are sorted together: wide ones fit into ``MEMORY``. DuckDB's sort of such rows fails
where it has to go to the disk (2026-11-24)."""


def rewrite(
    table: Storage,
    layout: Layout,
    files: Sequence[DataFile],
    *,
    work: Work,
    since: int | None = None,
    without: pa.Array | None = None,
) -> list[DataFile]:
    """New files with the rows of others, in the table's order.

    Memory is bounded, whatever the size of the files.

    Args:
        table: where the table is.
        layout: how its files are written.
        files: the files to read, which stay.
        work: whose the new files are; its folder is for sorting.
        since: leave out rows before this time, in microseconds since the epoch.
        without: leave out rows of these event ids.
    """
    target = ParquetFiles(table, layout, owner=work.token, drafts=work.find_drafts(table))
    copies = work.folder / "read"
    try:
        ordered = sorted(files, key=lambda f: (f.low or 0, f.path))
        paths = [str(table.fetch(f.path, copies)) for f in ordered]
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET memory_limit = ?", [MEMORY])
            connection.execute("SET temp_directory = ?", [str(work.folder)])
            where = "TRUE" if since is None else f"epoch_us(_time) >= {since:d}"
            if without is not None:
                connection.register("gone", pa.table({"id": without}))
                where += " AND _event_id NOT IN (SELECT id FROM gone)"
            for query in _queries(connection, layout, where, paths):
                rows = connection.sql(query, params=[paths])
                for batch in rows.to_arrow_reader(_BATCH_ROWS):
                    target.write(conform(pa.Table.from_batches([batch]), layout, table.name))
    except duckdb.Error as error:
        target.discard()
        raise _explain(table, files, error) from error
    except pa.ArrowException as error:
        target.discard()
        raise EscudoError("LAK018", f"table {table.name} has a damaged file") from error
    except FileNotFoundError as error:
        target.discard()
        raise EscudoError("LAK005", f"table {table.name} lacks a file") from error
    except OSError as error:
        target.discard()
        raise unwritable(table.url, error) from error
    except BaseException:
        target.discard()
        raise
    finally:
        shutil.rmtree(copies, ignore_errors=True)
    return target.finish()


def _explain(table: Storage, files: Sequence[DataFile], error: duckdb.Error) -> EscudoError:
    """LAK005 for a file that is gone, LAK018 for one that is damaged, else the engine's code."""
    gone = [f.path for f in files if table.find(f.path) is None]
    if gone:
        return EscudoError("LAK005", f"table {table.name}: {table.place(gone[0])} is missing")
    told = explain_error(error)
    if told.code == "ENG004":
        return EscudoError("LAK018", f"table {table.name}: {told.diagnostic.message}")
    return told


def _queries(
    connection: duckdb.DuckDBPyConnection, layout: Layout, where: str, paths: Sequence[str]
) -> Iterator[str]:
    """Queries whose rows, one after the other, are those of the files in the table's order.

    Raw events stay as they come, file by file. Rows of models are sorted in slices of the sort
    key that fit into memory: DuckDB's sort of wide rows fails where it has to go to the disk.
    """
    scan = "read_parquet(?, union_by_name = true)"
    if not layout.order:
        yield f"SELECT * FROM {scan} WHERE {where}"
        return
    names = [_quoted(name) for name in layout.order]
    hour = f"epoch_us(_time) // {HOUR}"
    order = ", ".join(f"{name} NULLS LAST" for name in names)
    keys = connection.sql(
        f"SELECT {hour} AS hour, {', '.join(names)}, count(*) AS rows FROM {scan} WHERE {where} "
        f"GROUP BY ALL ORDER BY hour, {order}",
        params=[paths],
    ).to_arrow_table()
    same = " AND ".join(f"r.{name} IS NOT DISTINCT FROM k.{name}" for name in names)
    for part in _slices(keys):
        hours = part["hour"]
        low, high = hours[0].as_py() * HOUR, (hours[-1].as_py() + 1) * HOUR
        connection.register("slice", part)
        # Rows of one key need no order; only they can be more than fit into memory.
        sort = f"ORDER BY {hour}, {order}, _time" if part.num_rows > 1 else ""
        yield (
            f"SELECT r.* FROM {scan} AS r SEMI JOIN slice AS k ON {hour} = k.hour AND {same} "
            f"WHERE _time >= make_timestamptz({low}) AND _time < make_timestamptz({high}) "
            f"AND {where} {sort}"
        )


def _slices(keys: pa.Table) -> Iterator[pa.Table]:
    """Consecutive keys that have at most ``_SLICE_ROWS`` rows together, or one key alone."""
    first, rows = 0, 0
    for i, count in enumerate(keys["rows"].to_pylist()):
        if rows and rows + count > _SLICE_ROWS:
            yield keys.slice(first, i - first)
            first, rows = i, 0
        rows += count
    if rows:
        yield keys.slice(first)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
