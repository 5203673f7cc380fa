"""Parquet files <-> versions of one table's Delta log; writers, snapshots, maintenance call it.

Readers always open a table at the version that the ledger gives. Files are described to the log
with the least and greatest ``_time`` of their rows, which is what a time window prunes by.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from escudo.core.errors import EscudoError

CHECKPOINT_EVERY = 20
"""Versions from one checkpoint to the next, so that opening a table stays quick."""

_LOG_ERRORS = (DeltaError, TableNotFoundError, OSError, ValueError, KeyError, pa.ArrowException)
"""What deltalake raises for a log that it cannot read or write."""

_MACHINE = ("no space left on device", "read-only file system", "permission denied", "quota")
"""What a library's text says where the machine is at fault, and no file is damaged."""

_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# A hook could clean up log entries of a version that the ledger still pins.


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table; times in microseconds since the epoch, None where unknown."""

    path: str
    rows: int
    size: int
    low: int | None
    high: int | None


def append(
    folder: Path,
    schema: pa.Schema,
    added: Sequence[DataFile],
    removed: Sequence[DataFile] = (),
    *,
    pinned: int | None,
    same_content: bool = False,
) -> int:
    """Commits files to a table, after undoing what is ahead of the pinned version.

    The caller holds the lake's write lock. The table is created when it is not there, and gets
    the columns that the schema has and it has not. Its log is on the disk when this returns.

    Args:
        folder: the table.
        schema: the columns of its files.
        added: new files, which lie in the folder.
        removed: files that the table loses; they stay on the disk.
        pinned: the ledger's version, None for a table that it does not know.
        same_content: whether the new files hold the same rows as the removed ones.

    Returns:
        The table's new version.
    """
    try:
        table = _open_for_writing(folder, schema, pinned)
        _widen(table, schema)
        now = int(time.time() * 1000)
        content_changes = not same_content
        actions: list[AddAction | RemoveAction] = [
            RemoveAction(f.path, content_changes, now, f.size, {}) for f in removed
        ]
        actions += [
            AddAction(f.path, f.size, {}, now, content_changes, _statistics(f)) for f in added
        ]
        table.create_write_transaction(
            actions,
            "append",
            table.schema(),
            post_commithook_properties=_NO_HOOKS,
        )
        table.update_incremental()  # without hooks, the object stays at the version before
        version = int(table.version())
        log = folder / "_delta_log"
        first = 0 if pinned is None else pinned + 1
        for number in range(first, version + 1):
            sync(log / f"{number:020}.json")
        sync_folder(folder)
        sync_folder(log)
        return version
    except _LOG_ERRORS as error:
        raise explain_log_error(folder.name, "cannot be written", error) from error


def checkpoint(folder: Path, before: int, version: int) -> None:
    """Makes a checkpoint at an acknowledged version if it is due since an earlier version.

    It saves readers time and no more, so a disk without room for it is no error.
    """
    if before // CHECKPOINT_EVERY != version // CHECKPOINT_EVERY:
        with suppress(*_LOG_ERRORS):
            DeltaTable(folder, version=version).create_checkpoint()


def active_files(folder: Path, version: int) -> list[DataFile]:
    """The files of a table at a version: LAK006 if its log cannot be read.

    An entry of no bytes counts as damage: the library takes it for a version without changes.
    """
    for entry in (folder / "_delta_log").glob("[0-9]*.json"):
        if not entry.stat().st_size and int(entry.stem) <= version:
            raise EscudoError("LAK006", f"table {folder.name}: {entry.name} of its log is empty")
    try:
        actions = pa.table(DeltaTable(folder, version=version).get_add_actions(flatten=True))
    except _LOG_ERRORS as error:
        what = f"cannot be opened at version {version}"
        raise explain_log_error(folder.name, what, error) from error
    names = actions.column_names
    columns = [actions["path"].to_pylist()]
    for name in ("num_records", "size_bytes", "min._time", "max._time"):
        if name in names:
            columns.append(actions[name].cast(pa.int64()).to_pylist())
        else:
            columns.append([None] * actions.num_rows)
    return [DataFile(p, r or 0, s, low, high) for p, r, s, low, high in zip(*columns, strict=True)]


def _open_for_writing(folder: Path, schema: pa.Schema, pinned: int | None) -> DeltaTable:
    try:
        if pinned is None:
            folder.mkdir(parents=True, exist_ok=True)
            table = DeltaTable.create(folder, Schema.from_arrow(schema), mode="ignore")
        else:
            table = DeltaTable(folder)
        base = pinned or 0
        if table.version() < base:
            raise EscudoError(
                "LAK006",
                f"table {folder.name} is at version {table.version()}, the ledger has {base}",
            )
        if table.version() > base:
            table.restore(base, post_commithook_properties=_NO_HOOKS)
            table = DeltaTable(folder)
    except _LOG_ERRORS as error:
        raise explain_log_error(folder.name, "cannot be opened for writing", error) from error
    return table


def _widen(table: DeltaTable, schema: pa.Schema) -> None:
    """Adds the columns that a table lacks; LAK008 for one that it has with another type."""
    present = {f.name: f.type for f in table.schema().fields}
    wanted = Schema.from_arrow(schema).fields
    for column in wanted:
        if present.get(column.name, column.type) != column.type:
            name = Path(table.table_uri).name
            raise EscudoError("LAK008", f"table {name}, column {column.name} has another type")
    missing = [f for f in wanted if f.name not in present]
    if missing:
        table.alter.add_columns(missing, post_commithook_properties=_NO_HOOKS)
        table.update_incremental()


def _statistics(file: DataFile) -> str:
    """The statistics of an add action, in whole milliseconds as the Delta protocol has them."""
    stats: dict[str, object] = {"numRecords": file.rows}
    if file.low is not None and file.high is not None:
        stats["minValues"] = {"_time": _instant(file.low // 1000)}
        stats["maxValues"] = {"_time": _instant(-(-file.high // 1000))}
        stats["nullCount"] = {"_time": 0}
    return json.dumps(stats)


def _instant(millis: int) -> str:
    instant = pa.scalar(millis, pa.timestamp("ms")).cast(pa.string()).as_py()
    return str(instant).replace(" ", "T") + "Z"


def unwritable(folder: Path, error: OSError) -> EscudoError:
    """The error for a folder that cannot be written to."""
    # Arrow's errors have its own text where the system's should be.
    words = os.strerror(error.errno) if error.errno else "it cannot be written"
    return EscudoError("LAK013", f"{folder}: {words}")


def explain_log_error(table: str, what: str, error: Exception) -> EscudoError:
    """The error for a table's log: LAK013 where the machine is at fault, LAK006 the log itself.

    The library's own text is about its insides; only what it says of the disk is told.
    """
    text = str(error).lower()
    for words in _MACHINE:
        if words in text:
            return EscudoError("LAK013", f"table {table}: {words}")
    return EscudoError("LAK006", f"table {table} {what}: its log is missing or damaged")


def sync(file: Path) -> None:
    """Waits until a file's content is on the disk."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
